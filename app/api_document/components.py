"""What operations share besides bodies and refusals: parameters, headers, ways to authenticate."""

from collections.abc import Mapping
from typing import Any

PARAMETERS: Mapping[str, Any] = {
    "ifNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "An `ETag` of an earlier answer: 304 until there is something new.",
        "schema": {"type": "string"},
        "example": 'W/"7-3-en"',
    },
    "idempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": (
            "Of your choice, new for each request, such as a UUID: 1 to 255 visible characters, in "
            "double quotes or without. The same key with the same body gets the first answer "
            "again for 24 hours, and nothing is done twice. Only answers of 2xx are kept."
        ),
        "schema": {
            "type": "string",
            "maxLength": 512,
            "pattern": r'^([!#-~][!-~]{0,254}|"([!#-\[\]-~]|\\["\\]){1,255}")$',
        },
        "example": "7f4d1c1e-6f0a-4a53-9a39-0b8f6a4f3a52",
    },
    "acceptLanguage": {
        "name": "Accept-Language",
        "in": "header",
        "description": "The language of texts for people: `nb` (also when silent), `nn` or `en`.",
        "schema": {"type": "string"},
        "example": "en",
    },
    "ifMatch": {
        "name": "If-Match",
        "in": "header",
        "description": (
            "The `ETag` of what the change is based on, from any read of the client, its keys, its "
            "delegations or its onboarding: 412 when something of it has changed since."
        ),
        "schema": {"type": "string"},
        "example": 'W/"7-3-en"',
    },
    "preferWait": {
        "name": "Prefer",
        "in": "header",
        "description": (
            "`wait=25`: together with `If-None-Match`, hold the answer until there is something "
            "new, so many seconds at most; 25 is the longest. Without `If-None-Match` nothing is "
            "held."
        ),
        "schema": {"type": "string"},
        "example": "wait=25",
    },
    "preferRepresentation": {
        "name": "Prefer",
        "in": "header",
        "description": "`return=representation`: answer with the client as it is after the change.",
        "schema": {"type": "string"},
        "example": "return=representation",
    },
}

HEADERS: Mapping[str, Any] = {
    "Idempotency-Replayed": {
        "description": (
            "`true`: this is the answer that the request with the same `Idempotency-Key` got "
            "before. Left out otherwise."
        ),
        "schema": {"type": "string"},
        "example": "true",
    },
    "RateLimit": {
        "description": (
            "A hint: for each limit that counts the request, how many are left (`r`) and in how "
            "many seconds counting begins anew (`t`)."
        ),
        "schema": {"type": "string"},
        "example": '"address";r=29;t=42, "organization";r=9;t=1842',
    },
    "RateLimit-Policy": {
        "description": (
            "A hint: for each limit that counts the request, how many are taken (`q`) in how many "
            "seconds (`w`). The limits may change."
        ),
        "schema": {"type": "string"},
        "example": '"address";q=30;w=60, "organization";q=10;w=3600',
    },
    "Cache-Control": {
        "description": (
            "How long the answer may be taken for the newest; `no-store` where it holds a token."
        ),
        "schema": {"type": "string"},
        "example": "public, max-age=60",
    },
    "ETag": {
        "description": "The version of the answer, for `If-None-Match` and `If-Match`.",
        "schema": {"type": "string"},
        "example": 'W/"7-3-en"',
    },
    "Location": {
        "description": "Where to go next: the onboarding, as `onboardingUrl`.",
        "schema": {"type": "string", "format": "uri"},
        "example": "https://onboarding.example/v1/onboardings/37a08838-db82-4de0-bfe1-bed876e7086e",
    },
    "Preference-Applied": {
        "description": "The part of `Prefer` that was followed.",
        "schema": {"type": "string"},
        "example": "return=representation",
    },
    "Retry-After": {
        "description": "Ask again after so many seconds.",
        "schema": {"type": "integer", "format": "int32", "minimum": 0},
        "example": 12,
    },
    "Vary": {
        "description": "The request headers that the answer depends on.",
        "schema": {"type": "string"},
        "example": "Accept-Language",
    },
    "WWW-Authenticate": {
        "description": (
            "How to authenticate, and what was wrong with what was sent. It comes with every 401, "
            "and with `insufficient-scope`."
        ),
        "schema": {"type": "string"},
        "example": 'DPoP error="invalid_token", algs="PS256 ES256"',
    },
    "traceparent": {
        "description": "The trace that this request belongs to (W3C Trace Context).",
        "schema": {"type": "string"},
        "example": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    },
}

SECURITY_SCHEMES: Mapping[str, Any] = {
    "onboardingToken": {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "The `onboardingToken` that came with the draft. It reads this one onboarding and "
            "lengthens its draft, until 30 days after the onboarding ended."
        ),
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "api-key",
        "description": "The API key of the client system. It opens `POST /v1/client-drafts` only.",
    },
    "dpop": {
        "type": "http",
        "scheme": "DPoP",
        "description": (
            "The client's access token with the scope `nhn:selvbetjening/client`, as "
            "`Authorization: DPoP <token>`, and in the header `DPoP` a proof that is made for this "
            "request with the key that the token is bound to (RFC 9449): `htm`, `htu` without "
            "query, `iat` at most 60 seconds ago, a new `jti`, and `ath`. No nonce is asked for."
        ),
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": (
            "The client's access token, not bound to a key. Only where the operator allows it; "
            "the sandbox does."
        ),
    },
}
