// An installer on the generated client: from the first request to the old key's end.
// Against a sandbox, whose controls play the people. Its addresses are in the environment.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import createClient, { type Client } from "openapi-fetch";
import { accessToken, TokenRefused } from "./access-token.js";
import { type Credentials, type Key, newKey, withProof } from "./dpop.js";
import type { components, paths } from "./schema.js";

type ClientDraftCreated = components["schemas"]["ClientDraftCreated"];
type CurrentClient = components["schemas"]["CurrentClient"];
type NewClientDraft = components["schemas"]["NewClientDraft"];
type ProblemDetails = components["schemas"]["ProblemDetails"];
type Api = Client<paths>;

const { BASE: baseUrl = "", ISSUER: issuer = "", CONTROLS: controls = "" } = process.env;
const API_KEY = "sandbox-edi";
const [OWN, MESSAGES, FILES] = ["nhn:selvbetjening/client", "nhn:msh/api", "nhn:deft/api"] as const;
const PATIENCE_MS = 60_000;

async function journey(): Promise<void> {
  const key = await newKey();
  const { clientId, onboardingToken } = await askForClient(key);
  const wizard = createClient<paths>({
    baseUrl,
    headers: { Authorization: `Bearer ${onboardingToken}` },
  });
  const path = { client_id: clientId };
  const onboarding = async () =>
    answered(await wizard.GET("/v1/onboardings/{client_id}", { params: { path } }));
  assert.equal((await onboarding()).state, "waitingForConfirmation");
  await control(`clients/${clientId}/decision`, { decision: "approve" });

  const credentials: Credentials = { key, accessToken: await token(clientId, key) };
  const api = createClient<paths>({ baseUrl });
  api.use(withProof(credentials));
  await readStatus(api, credentials, clientId);
  await waitUntilReady(wizard, clientId);
  await changeClient(api);
  await renewKey(api, credentials, clientId);
  console.log("TypeScript: the whole journey.");
}

async function askForClient(key: Key): Promise<ClientDraftCreated> {
  const api = createClient<paths>({ baseUrl, headers: { "api-key": API_KEY } });
  const draft: NewClientDraft = {
    organizationNumber: "310000019",
    publicJwk: JSON.stringify(key.publicJwk),
    apiScopes: [OWN, MESSAGES],
    audienceSpecificClientClaims: [{ key: "herid", value: "0" }],
    postClientConfirmationRedirectUri: "http://localhost:1337/callback",
  };

  const mistyped = { ...draft, organizationNumber: "310000018" };
  const problem = refused(await api.POST("/v1/client-drafts", { body: mistyped }), 400);
  assert.deepEqual(problem.errors?.map((error) => error.pointer), ["#/organizationNumber"]);

  const created = answered(await api.POST("/v1/client-drafts", { body: draft }));
  console.log(`Client ${created.clientId}; a person confirms it at ${created.confirmUrl}`);
  return created;
}

async function readStatus(api: Api, credentials: Credentials, clientId: string): Promise<void> {
  const status = async () => statusOf(answered(await api.GET("/v1/client")), MESSAGES);
  assert.equal(await status(), "pending");
  await control("approvals", { clientId, scope: MESSAGES, decision: "approve" });
  await eventually(async () => (await status()) === "ok");

  const good = credentials.accessToken;
  credentials.accessToken = "not a token";
  const problem = refused(await api.GET("/v1/client"), 401);
  assert.match(problem.type, /\/problems\/access-token-rejected$/);
  credentials.accessToken = good;
}

/** Each request is held until there is something new, or answered 304 after 25 seconds. */
async function waitUntilReady(wizard: Api, client_id: string): Promise<void> {
  for (let etag: string | undefined; ; ) {
    const header = { "If-None-Match": etag, Prefer: "wait=25" };
    const answer = await wizard.GET("/v1/onboardings/{client_id}", {
      params: { path: { client_id }, header },
    });
    if (answer.response.status === 304) continue;
    const { outcome } = answered(answer);
    if (outcome === "ready") return;
    assert.equal(outcome, "pending");
    etag = answer.response.headers.get("ETag") ?? undefined;
  }
}

/** A change replaces all: what was read goes back, with one scope more. */
async function changeClient(api: Api): Promise<void> {
  const client = answered(await api.GET("/v1/client"));
  const apiScopes = [...client.apiScopes.map(({ scope }) => scope), FILES];
  const audienceSpecificClientClaims = client.audienceSpecificClientClaims.flatMap(
    ({ claimType: key, activeClaimValue: value }) => (value === null ? [] : [{ key, value }]),
  );
  const { response } = await api.PUT("/v1/client", {
    body: { apiScopes, audienceSpecificClientClaims },
  });
  assert.equal(response.status, 204);
  await eventually(
    async () => statusOf(answered(await api.GET("/v1/client")), FILES) === "ok",
  );
}

async function renewKey(api: Api, credentials: Credentials, clientId: string): Promise<void> {
  const [old, renewed] = [credentials.key, await newKey()];
  const added = answered(await api.POST("/v1/client-secret", { body: renewed.publicJwk }));
  assert.equal(added.jwkThumbprint, renewed.publicJwk.kid);

  credentials.accessToken = await token(clientId, renewed);
  credentials.key = renewed;
  const { response } = await retire(api, old, 0);
  assert.equal(response.status, 204);
  const left = answered(await api.GET("/v1/client-secret"));
  assert.deepEqual(left.map((key) => key.jwkThumbprint), [renewed.publicJwk.kid]);
  await assert.rejects(accessToken(issuer, clientId, old), TokenRefused);

  const problem = refused(await retire(api, renewed), 409);
  assert.match(problem.type, /\/problems\/last-usable-key$/);
}

const retire = (api: Api, key: Key, graceSeconds?: number) =>
  api.DELETE("/v1/client-secret/{thumbprint}", {
    params: { path: { thumbprint: key.publicJwk.kid }, query: { graceSeconds } },
  });

const statusOf = (client: CurrentClient, scope: string) =>
  client.apiScopes.find((each) => each.scope === scope)?.status;

function answered<T>({ data, error }: { data?: T; error?: ProblemDetails }): T {
  if (data === undefined) throw new Error(error?.detail ?? "No answer.");
  return data;
}

/** What the service says when it refuses, in the generated client's own type. */
function refused({ error }: { error?: ProblemDetails }, status: number): ProblemDetails {
  assert.equal(error?.status, status);
  return error;
}

/** A new key may reach the token issuer a little later than it was answered here. */
async function token(clientId: string, key: Key): Promise<string> {
  for (const until = Date.now() + PATIENCE_MS; ; await setTimeout(1000)) {
    try {
      return await accessToken(issuer, clientId, key);
    } catch (error) {
      if (!(error instanceof TokenRefused) || Date.now() > until) throw error;
    }
  }
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (const until = Date.now() + PATIENCE_MS; !(await holds()); await setTimeout(1000)) {
    assert.ok(Date.now() < until, "It did not come about.");
  }
}

/** What people do outside an installer. Only a sandbox has it. */
async function control(path: string, body: Record<string, string>): Promise<void> {
  const headers = { "Content-Type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  const answer = await fetch(`${controls}/${path}`, init);
  assert.ok(answer.ok, await answer.text());
}

await journey();
