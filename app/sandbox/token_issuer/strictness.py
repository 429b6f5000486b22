"""The strictest of issuers: now and then a good nonce is refused, and a newer one wanted.

RFC 9449 section 8 lets an issuer do so at any time. No nonce that was given that way is refused
again, so that a client which asks once more gets its token.
"""

from collections import deque
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from app.sandbox.token_issuer.issuer import Issuer
from app.sandbox.token_issuer.jose import NotAToken, read_unverified
from app.sandbox.token_issuer.proofs import make_nonce

SHARE = 1 / 3
LATE = timedelta(seconds=3)
"""How long the issuer takes to learn of any new client."""
REFUSAL = msgspec.json.encode(
    {"error": "use_dpop_nonce", "error_description": "repeat the request with this newer nonce"}
)
REMEMBERED = 1_000


class StrictNonces:
    """Stands before the issuer. The seed decides which of its requests are refused."""

    def __init__(self, app: ASGIApp, issuer: Issuer, seed: int) -> None:
        self._app = app
        self._issuer = issuer
        self._random = Random(seed)  # noqa: S311  to be repeated, not to be secret
        self._given: deque[str] = deque(maxlen=REMEMBERED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._is_refused(scope):
            await self._app(scope, receive, send)
            return
        nonce = make_nonce(self._issuer.nonce_key, datetime.now(UTC))
        self._given.append(nonce)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(REFUSAL)).encode()),
            (b"cache-control", b"no-store"),
            (b"dpop-nonce", nonce.encode()),
        ]
        await send({"type": "http.response.start", "status": 400, "headers": headers})
        await send({"type": "http.response.body", "body": REFUSAL, "more_body": False})

    def _is_refused(self, scope: Scope) -> bool:
        if scope["type"] != ScopeType.HTTP or not scope["path"].endswith("/connect/token"):
            return False
        proofs = [value for name, value in scope["headers"] if name == b"dpop"]
        nonce = _nonce_of(proofs[0].decode("latin-1")) if proofs else None
        if nonce is None or nonce in self._given:
            return False
        return self._random.random() < SHARE


def _nonce_of(proof: str) -> str | None:
    try:
        nonce = read_unverified(proof).claims.get("nonce")
    except NotAToken:
        return None
    return nonce if isinstance(nonce, str) else None
