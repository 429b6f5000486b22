"""A short JWT by which somebody shows that he holds a client's private key.

Three calls read one: the activation of a draft, the check of a registered key, and the `proof`
that goes with a new one. `aud` is the address of the call, so that a proof made for one is no
good for another; `typ` keeps it apart from client assertions and DPoP proofs (RFC 8725).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.access.compact_jwt import Unreadable, UnverifiedJwt, is_signed_by, unverified_jwt
from app.access.dpop import LONGEST_JTI, OLDEST, is_fresh, is_jti
from app.access.public_jwk import ALGORITHMS, PublicKey
from app.access.replay import first_use
from app.access.request_url import same_url
from app.database import Connection
from app.problems import FieldError, InvalidRequest

TYP = "key-proof+jwt"
LEEWAY = timedelta(seconds=5)


class KeyProofRefused(InvalidRequest):
    slug = "key-proof-refused"
    title = "The JWT does not show that the key is held"

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__([FieldError(pointer, "key_proof", detail)])


def verified_key_proof(
    proof: str,
    key: PublicKey,
    *,
    client_id: UUID,
    urls: Sequence[str],
    pointer: str,
    now: datetime,
    remembered_since: int | None = None,
) -> dict[str, Any]:
    """The claims of `proof`, which `key` has signed; or `KeyProofRefused` with all that is wrong.

    `urls` is the call's address under each public base, `pointer` is where the JWT stands in the
    body. `now` is real time, never the domain's clock. One that may be used once has a `jti`, and
    is refused when it was issued before `remembered_since` (epoch seconds): it may have been used.
    """
    try:
        token = unverified_jwt(proof)
    except Unreadable as error:
        raise KeyProofRefused(pointer, f"The JWT cannot be read: {error}.") from None
    claims, wrong = token.claims, _wrong_signature(token, key)
    for name in ("iss", "sub"):
        if claims.get(name) != str(client_id):
            wrong[name] = f"the client's id, {client_id}"
    if not _is_for(claims.get("aud"), urls):
        wrong["aud"] = " or ".join(urls)
    wrong |= _wrong_times(claims, now.timestamp(), remembered_since or 0)
    if remembered_since is not None and not is_jti(claims.get("jti")):
        wrong["jti"] = f"text of 1 to {LONGEST_JTI} characters"
    if wrong:
        expected = "; ".join(f"{name}: {value}" for name, value in wrong.items())
        raise KeyProofRefused(
            pointer, f"Wrong in the JWT: {', '.join(wrong)}. Expected: {expected}."
        )
    return claims


async def spend_key_proof(
    connection: Connection, key: PublicKey, claims: Mapping[str, Any], *, pointer: str
) -> None:
    """Use a proof that may be used once, or refuse one that was. It stays used whatever follows."""
    usable_until = datetime.fromtimestamp(claims["iat"], UTC) + OLDEST
    if not await first_use(connection, key.thumbprint, claims["jti"], usable_until):
        raise KeyProofRefused(
            pointer, "This JWT has been used before: make a new one for each request."
        )


def _wrong_signature(token: UnverifiedJwt, key: PublicKey) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if token.header.get("typ") != TYP:
        wrong["typ"] = TYP
    fitting, alg = ALGORITHMS[key.kind], token.header.get("alg")
    if alg not in fitting:
        wrong["alg"] = f"one of {', '.join(fitting)} for this key"
    elif not is_signed_by(key, token, alg=alg):
        wrong["signature"] = "by the client's key, over this header and these claims"
    return wrong


def _wrong_times(claims: Mapping[str, Any], now: float, since: int) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if not is_fresh(claims.get("iat"), now, since):
        wrong["iat"] = f"about {int(now)}, the time here"
    if "exp" in claims and not _is_to_come(claims["exp"], now):
        wrong["exp"] = "a time to come, or left out"
    return wrong


def _is_for(aud: object, urls: Sequence[str]) -> bool:
    return isinstance(aud, str) and any(same_url(aud, url) for url in urls)


def _is_to_come(exp: object, now: float) -> bool:
    return isinstance(exp, (int, float)) and exp > now - LEEWAY.total_seconds()
