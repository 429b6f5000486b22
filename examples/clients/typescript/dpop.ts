// What a generated client lacks: a DPoP proof (RFC 9449) with every request. Copy it as it is.

import type { Middleware } from "openapi-fetch";

/** A key of WebCrypto for ES256, with its public part as the service wants it. */
export interface Key {
  readonly privateKey: CryptoKey;
  readonly publicJwk: PublicJwk;
}

export interface PublicJwk {
  readonly kty: "EC";
  readonly crv: "P-256";
  readonly x: string;
  readonly y: string;
  readonly alg: "ES256";
  /** The thumbprint, by which the service names the key. */
  readonly kid: string;
}

/** What the requests of a client are signed with. Change it when a key or a token is renewed. */
export interface Credentials {
  key: Key;
  accessToken: string;
}

/** For `client.use(...)`: says with each request that the client holds the token's key. */
export function withProof(credentials: Credentials): Middleware {
  return {
    async onRequest({ request }) {
      const { key, accessToken } = credentials;
      request.headers.set("Authorization", `DPoP ${accessToken}`);
      request.headers.set("DPoP", await proof(key, request.method, request.url, { accessToken }));
      return request;
    },
  };
}

/** For one request only: its `jti` may not be used again. */
export async function proof(
  key: Key,
  method: string,
  url: string,
  more: { accessToken?: string; nonce?: string } = {},
): Promise<string> {
  const { kty, crv, x, y } = key.publicJwk;
  return signed(key, { typ: "dpop+jwt", jwk: { kty, crv, x, y } }, {
    jti: crypto.randomUUID(),
    htm: method,
    htu: url.split("?", 1)[0],
    iat: Math.floor(Date.now() / 1000),
    ath: more.accessToken && (await sha256(more.accessToken)),
    nonce: more.nonce,
  });
}

/** The private part never leaves the machine: keep it where only the installation reads it. */
export async function newKey(): Promise<Key> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const { x = "", y = "" } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const kid = await sha256(JSON.stringify({ crv: "P-256", kty: "EC", x, y }));
  const publicJwk: PublicJwk = { kty: "EC", crv: "P-256", x, y, alg: "ES256", kid };
  return { privateKey: pair.privateKey, publicJwk };
}

export async function signed(key: Key, header: object, claims: object): Promise<string> {
  const text = `${encoded({ ...header, alg: "ES256" })}.${encoded(claims)}`;
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const bytes = new TextEncoder().encode(text);
  return `${text}.${base64url(await crypto.subtle.sign(algorithm, key.privateKey, bytes))}`;
}

const encoded = (part: object): string => base64url(new TextEncoder().encode(JSON.stringify(part)));

async function sha256(text: string): Promise<string> {
  return base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

function base64url(bytes: ArrayBuffer | Uint8Array): string {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
