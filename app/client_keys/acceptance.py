"""Which keys may be registered: the rules for every key, and those for keys that will be trusted.

Two forms are read, because the real clients send both: the JWK as an object, and the text of
the JWK in a JSON string, as it stood in a file. A third is ours: either of them as `jwk`, with
the `proof` that the key is held.
"""

import re
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ec import derive_private_key
from msgspec import Struct

from app.access.public_jwk import (
    CURVES,
    KeyRefused,
    PublicKey,
    acceptable_jwk,
    base64url_octets,
    private_members,
)
from app.client_keys.moduli import is_private_exponent, weakness
from app.client_keys.published_keys import PUBLISHED_KEYS
from app.problems import FieldError, InvalidRequest
from app.web.json_text import read_json

# Text that is no JSON may still hold a secret: PEM, or a JWK with a slip in it.
_SECRET_IN_TEXT = re.compile(r'PRIVATE KEY|"(?:d|p|q|dp|dq|qi|oth|k)"\s*:\s*"')
_RS = {"RS256": "PS256", "RS384": "PS384", "RS512": "PS512"}
_LEAKED = "must now be considered leaked. Make a new key and send only its public part."


class OfferedKey(Struct, frozen=True):
    """A key that may be registered, and a JWT that has yet to show that it is held."""

    key: PublicKey
    unverified_proof: str | None


def offered_key(raw: bytes, *, refuse_rs: bool) -> OfferedKey:
    """What a client sends to have a key added."""
    try:
        value = read_json(raw)
    except InvalidRequest as refused:
        raise unreadable_key(raw, refused) from None
    # A JWK has `kty`, and what else it has is ignored: only without it this is the third form.
    if not isinstance(value, Mapping) or "jwk" not in value or "kty" in value:
        return OfferedKey(registrable_key(value, pointer="#", refuse_rs=refuse_rs), None)
    proof, errors = value.get("proof"), []
    if proof is not None and not isinstance(proof, str):
        errors.append(FieldError("#/proof", "wrong_type", "`proof` must be a string."))
    try:
        key = registrable_key(value["jwk"], pointer="#/jwk", refuse_rs=refuse_rs)
    except KeyRefused as refused:
        raise KeyRefused(
            [*refused.errors, *errors],
            leaked=refused.leaked,
            leaked_thumbprint=refused.leaked_thumbprint,
        ) from None
    if errors:
        raise InvalidRequest(errors)
    return OfferedKey(key, proof)


def registrable_key(value: object, *, pointer: str, refuse_rs: bool) -> PublicKey:
    """The key in `value`, or `KeyRefused` with everything that keeps it from being registered.

    `pointer` is where `value` stands in the body; the members of a JWK in a string have the
    same pointers as those of an object.
    """
    members = _members(value, pointer)
    try:
        key = acceptable_jwk(members, pointer=pointer)
    except KeyRefused as refused:
        raise KeyRefused(
            [*refused.errors, *_rs_errors(members.get("alg"), pointer, refuse_rs)],
            leaked=refused.leaked,
            leaked_thumbprint=_proven_thumbprint(members) if refused.leaked else None,
        ) from None
    errors = _rs_errors(key.alg, pointer, refuse_rs) + _errors(key, pointer)
    if errors:
        raise KeyRefused(errors)
    return key


def unreadable_key(raw: bytes, refused: InvalidRequest) -> KeyRefused:
    """For a body that is no JSON; what looks like a secret in it is one that was sent."""
    if _SECRET_IN_TEXT.search(raw.decode("utf-8", "replace")) is None:
        return KeyRefused(list(refused.errors))
    return KeyRefused([_secret_sent("#"), *refused.errors], leaked=True)


def _members(value: object, pointer: str) -> Mapping[str, object]:
    if isinstance(value, str):
        value = _parsed(value, pointer)
    if not isinstance(value, Mapping):
        raise _not_a_jwk(pointer, "A JWK is a JSON object, or a string that holds one.")
    if isinstance(keys := value.get("keys"), list):
        secret = any(isinstance(key, Mapping) and private_members(key) for key in keys)
        raise _not_a_jwk(pointer, "This is a key set: send one key.", leaked=secret)
    return value


def _parsed(text: str, pointer: str) -> object:
    try:
        return read_json(text.encode("utf-8", "surrogatepass"))
    except InvalidRequest as refused:
        raise _not_a_jwk(
            pointer,
            f"The text in the string is not a JWK. {refused.detail}",
            leaked=_SECRET_IN_TEXT.search(text) is not None,
        ) from None


def _not_a_jwk(pointer: str, detail: str, *, leaked: bool = False) -> KeyRefused:
    errors = [FieldError(pointer, "not_a_jwk", detail)]
    if leaked:
        errors.insert(0, _secret_sent(pointer))
    return KeyRefused(errors, leaked=leaked)


def _secret_sent(pointer: str) -> FieldError:
    return FieldError(pointer, "private_key", f"This holds a private key, which {_LEAKED}")


def _rs_errors(alg: object, pointer: str, refuse_rs: bool) -> list[FieldError]:
    if not refuse_rs or not isinstance(alg, str) or alg not in _RS:
        return []
    return [FieldError(f"{pointer}/alg", "wrong_alg", f"{alg} is not accepted: use {_RS[alg]}.")]


def _errors(key: PublicKey, pointer: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if published := PUBLISHED_KEYS.get(key.thumbprint):
        errors.append(
            FieldError(
                pointer,
                "published_key",
                f"The private part of this key is public ({published}). Make a key of your own.",
            )
        )
    if "n" in key.parameters and (flaw := weakness(_integer(key.parameters["n"]) or 0)):
        errors.append(
            FieldError(f"{pointer}/n", "weak_key", f"{flaw}: make a new key with another tool.")
        )
    return errors


def _proven_thumbprint(members: Mapping[str, object]) -> str | None:
    """The thumbprint of the key whose secret was sent, where the secret truly belongs to it.

    Without proof anybody could have the key of another declared leaked.
    """
    public = {name: members[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in members}
    try:
        key = acceptable_jwk(public, pointer="")
    except KeyRefused:
        return None
    secrets = {name: _integer(members.get(name)) for name in ("d", "p", "q")}
    fits = _fits_rsa if "n" in key.parameters else _fits_ec
    return key.thumbprint if fits(key.parameters, secrets) else None


def _fits_ec(public: Mapping[str, str], secrets: Mapping[str, int | None]) -> bool:
    curve, _ = CURVES[public["crv"]]
    d = secrets["d"] or 0
    if not 0 < d < curve.group_order:
        return False
    point = derive_private_key(d, curve).public_key().public_numbers()
    return (point.x, point.y) == (_integer(public["x"]), _integer(public["y"]))


def _fits_rsa(public: Mapping[str, str], secrets: Mapping[str, int | None]) -> bool:
    n = _integer(public["n"]) or 0
    factors = [secret for name in ("p", "q") if (secret := secrets[name]) is not None]
    if factors:
        return any(1 < factor < n and n % factor == 0 for factor in factors)
    d = secrets["d"]
    return d is not None and 1 < d < n and is_private_exponent(d, n)


def _integer(text: object) -> int | None:
    octets = base64url_octets(text) if isinstance(text, str) else None
    return None if octets is None else int.from_bytes(octets, "big")
