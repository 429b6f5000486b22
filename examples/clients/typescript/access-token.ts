// A token from the token issuer: private_key_jwt, bound to the key by DPoP, with the nonce.

import { type Key, proof, signed } from "./dpop.js";

const CLIENT_SCOPE = "nhn:selvbetjening/client";
const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

interface Answer {
  access_token?: string;
  error?: string;
  error_description?: string;
}

/** The issuer's own words: `error` and `error_description`. */
export class TokenRefused extends Error {}

/** The first answer is the issuer's nonce; a proof that holds it gets the token. */
export async function accessToken(
  issuer: string,
  clientId: string,
  key: Key,
  scope = CLIENT_SCOPE,
): Promise<string> {
  const url = `${issuer}/connect/token`;
  let nonce: string | undefined;
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(url, {
      method: "POST",
      headers: { DPoP: await proof(key, "POST", url, { nonce }) },
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: clientId,
        scope,
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: await assertion(issuer, clientId, key),
      }),
    });
    const answer: Answer = await response.json();
    if (answer.access_token !== undefined) return answer.access_token;
    nonce = response.headers.get("DPoP-Nonce") ?? undefined;
    if (answer.error !== "use_dpop_nonce" || nonce === undefined || attempt === 5) {
      throw new TokenRefused(`${answer.error}: ${answer.error_description}`);
    }
  }
}

/** Says who asks. The issuer takes it once, and for a few seconds. */
function assertion(issuer: string, clientId: string, key: Key): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return signed(key, { typ: "client-authentication+jwt", kid: key.publicJwk.kid }, {
    iss: clientId,
    sub: clientId,
    aud: issuer,
    jti: crypto.randomUUID(),
    iat: now,
    nbf: now,
    exp: now + 10,
  });
}
