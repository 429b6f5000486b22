"""What a public key must be, wherever it comes from: a registration, or the header of a proof.

joserfc takes what we must not: symmetric and private keys, short moduli, keys for encryption.
So the members are judged here, and joserfc is given the key that has been decoded once.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from http import HTTPStatus

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurve,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from joserfc.jwk import ECKey, RSAKey
from msgspec import Struct

from app.problems import FieldError, InvalidRequest

RSA_ALGORITHMS = ("PS256", "PS384", "PS512", "RS256", "RS384", "RS512")
ALGORITHMS = {
    "RSA": RSA_ALGORITHMS,
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
}
CURVES: dict[str, tuple[EllipticCurve, int]] = {
    "P-256": (SECP256R1(), 32),
    "P-384": (SECP384R1(), 48),
    "P-521": (SECP521R1(), 66),
}
RSA_BITS = range(2048, 4096 + 1)
RSA_EXPONENT = b"\x01\x00\x01"
# RFC 7518: the private members of RSA and EC keys (also of OKP), and the key of a symmetric one.
PRIVATE_MEMBERS = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
LONGEST_KID = 256

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_ABSENT: tuple[object, ...] = (None, "", [], {})


class KeyRefused(InvalidRequest):
    """The key cannot be used. No value of it ever stands in the errors: it may be private."""

    slug = "key-refused"
    title = "The public key is not acceptable"
    status = HTTPStatus.BAD_REQUEST
    whole_body_is = "publicJwk"

    def __init__(
        self,
        errors: list[FieldError],
        *,
        leaked: bool = False,
        leaked_thumbprint: str | None = None,
    ) -> None:
        super().__init__(errors)
        self.leaked = leaked
        """A secret was sent: nothing of the request may be stored or logged."""
        self.leaked_thumbprint = leaked_thumbprint
        """Of the public key that the secret is proven to belong to; None when it is not proven."""


class PublicKey(Struct, frozen=True):
    """A key that keeps every rule which holds for all keys."""

    thumbprint: str
    """By RFC 7638, computed here."""
    kid: str
    """The caller's own, or the thumbprint."""
    alg: str | None
    parameters: dict[str, str]
    """The members that are stored and published, as they were given."""
    warnings: tuple[str, ...]
    key: RSAKey | ECKey
    """For joserfc; made from the same decoding."""

    @property
    def kind(self) -> str:
        """What decides which algorithms fit: `RSA`, or the curve."""
        return self.parameters.get("crv", "RSA")


class _Findings:
    """Everything that is wrong with one key."""

    def __init__(self, pointer: str) -> None:
        self.pointer = pointer
        self.errors: list[FieldError] = []

    def add(self, member: str, code: str, detail: str) -> None:
        self.errors.append(FieldError(f"{self.pointer}/{member}", code, detail))


def acceptable_jwk(value: Mapping[str, object], *, pointer: str) -> PublicKey:
    """The public key in `value`, or `KeyRefused` with everything that is wrong with it.

    `pointer` is where the key stands in the request; what it holds that is no use is dropped.
    """
    members = {name: member for name, member in value.items() if member not in _ABSENT}
    found = _Findings(pointer)
    leaked = _check_private(members, found)
    key, required = _key(members, found)
    _check_purpose(members, found)
    alg = _alg(members, ALGORITHMS.get(required.get("crv", required.get("kty", ""))), found)
    kid = _kid(members, found)
    if found.errors or key is None:
        raise KeyRefused(found.errors, leaked=leaked)

    thumbprint = _thumbprint(required)
    parameters = required | {
        name: text for name in ("use", "alg", "kid") if isinstance(text := members.get(name), str)
    }
    return PublicKey(
        thumbprint=thumbprint,
        kid=kid or thumbprint,
        alg=alg,
        parameters=parameters,
        warnings=_warnings(alg),
        key=key,
    )


def private_members(value: Mapping[str, object]) -> list[str]:
    """The names of the members that belong to a private or a symmetric key."""
    return [name for name in PRIVATE_MEMBERS if value.get(name) not in _ABSENT]


def base64url_octets(text: str) -> bytes | None:
    """The octets, or None when `text` is not base64url in its one canonical, unpadded form."""
    try:
        octets = text.encode("ascii")
        decoded = binascii.a2b_base64(
            octets.translate(_TO_STANDARD) + b"=" * (-len(octets) % 4), strict_mode=True
        )
    except (ValueError, UnicodeEncodeError):
        return None
    # What is left: the standard alphabet, padding in the text, and bits set beyond the last octet.
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != octets:
        return None
    return decoded


def _check_private(members: Mapping[str, object], found: _Findings) -> bool:
    names = private_members(members)
    if names:
        found.add(
            names[0],
            "private_key",
            f"This holds a secret ({', '.join(names)}): it is a private or symmetric key, and must"
            " now be considered leaked. Make a new key and send only its public part.",
        )
    return bool(names)


def _key(
    members: Mapping[str, object], found: _Findings
) -> tuple[RSAKey | ECKey | None, dict[str, str]]:
    """The key, and the members which define it; without errors there is a key."""
    kty = members.get("kty")
    if kty == "RSA":
        return _rsa_key(members, found)
    if kty == "EC":
        return _ec_key(members, found)
    if kty is None:
        found.add("kty", "missing", "`kty` is missing: `RSA` or `EC`.")
    else:
        found.add("kty", "not_supported", "`kty` must be `RSA` or `EC`.")
    return None, {}


def _rsa_key(
    members: Mapping[str, object], found: _Findings
) -> tuple[RSAKey | None, dict[str, str]]:
    n = _octets(members, "n", found)
    e = _octets(members, "e", found)
    if n is not None:
        _check_modulus(n, found)
    if e is not None and e != RSA_EXPONENT:
        found.add("e", "wrong_exponent", "`e` must be `AQAB` (65537, without leading zeros).")
    if n is None or e is None or found.errors:
        return None, {"kty": "RSA"}
    required = {"e": "AQAB", "kty": "RSA", "n": str(members["n"])}
    try:
        native = RSAPublicNumbers(65537, int.from_bytes(n, "big")).public_key()
    except ValueError:
        found.add("n", "not_a_key", "`n` is not the modulus of an RSA key.")
        return None, {"kty": "RSA"}
    return RSAKey(native, required), required


def _check_modulus(n: bytes, found: _Findings) -> None:
    if n[0] == 0:
        found.add("n", "leading_zero", "`n` starts with a zero octet: encode it without.")
    elif len(n) * 8 - 8 + n[0].bit_length() not in RSA_BITS:
        sizes = f"{RSA_BITS[0]} to {RSA_BITS[-1]}"
        found.add("n", "wrong_size", f"The modulus must have {sizes} bits.")


def _ec_key(members: Mapping[str, object], found: _Findings) -> tuple[ECKey | None, dict[str, str]]:
    crv = members.get("crv")
    if not isinstance(crv, str) or crv not in CURVES:
        code = "missing" if crv is None else "not_supported"
        found.add("crv", code, f"`crv` must be one of {', '.join(CURVES)}.")
        return None, {"kty": "EC"}
    curve, size = CURVES[crv]
    x, y = (_coordinate(members, name, size, found) for name in ("x", "y"))
    if x is None or y is None:
        return None, {"crv": crv, "kty": "EC"}
    required = {"crv": crv, "kty": "EC", "x": str(members["x"]), "y": str(members["y"])}
    try:
        native = EllipticCurvePublicNumbers(x, y, curve).public_key()
    except ValueError:
        found.add("x", "not_on_curve", f"`x` and `y` are not a point on {crv}.")
        return None, {"crv": crv, "kty": "EC"}
    return ECKey(native, required), required


def _coordinate(
    members: Mapping[str, object], name: str, size: int, found: _Findings
) -> int | None:
    octets = _octets(members, name, found)
    if octets is None:
        return None
    if len(octets) != size:
        found.add(
            name,
            "wrong_length",
            f"`{name}` must be exactly {size} octets for this curve (leading zeros kept).",
        )
        return None
    return int.from_bytes(octets, "big")


def _octets(members: Mapping[str, object], name: str, found: _Findings) -> bytes | None:
    text = members.get(name)
    if text is None:
        found.add(name, "missing", f"`{name}` is missing.")
    elif not isinstance(text, str):
        found.add(name, "wrong_type", f"`{name}` must be a string.")
    elif (octets := base64url_octets(text)) is None:
        found.add(
            name,
            "not_base64url",
            f"`{name}` must be base64url without padding, in its canonical form.",
        )
    else:
        return octets
    return None


def _check_purpose(members: Mapping[str, object], found: _Findings) -> None:
    if members.get("use", "sig") != "sig":
        found.add("use", "wrong_use", "`use` must be `sig`, or left out.")
    if members.get("key_ops", ["verify"]) != ["verify"]:
        found.add("key_ops", "wrong_key_ops", '`key_ops` must be `["verify"]`, or left out.')


def _alg(
    members: Mapping[str, object], fitting: tuple[str, ...] | None, found: _Findings
) -> str | None:
    """`fitting` is None when the kind of the key is not known; then no algorithm fits or not."""
    alg = members.get("alg")
    known = fitting or tuple(name for names in ALGORITHMS.values() for name in names)
    if isinstance(alg, str) and alg in known:
        return alg
    if alg is not None:
        found.add("alg", "wrong_alg", f"`alg` must be one of {', '.join(known)}, or left out.")
    return None


def _kid(members: Mapping[str, object], found: _Findings) -> str | None:
    kid = members.get("kid")
    if kid is None:
        return None
    if isinstance(kid, str) and len(kid) <= LONGEST_KID and kid.isprintable():
        return kid
    found.add("kid", "wrong_kid", f"`kid` must be text of 1 to {LONGEST_KID} printable characters.")
    return None


def _thumbprint(required: Mapping[str, str]) -> str:
    """`required` holds exactly RFC 7638's members, in their order; none needs JSON's escapes."""
    canonical = ",".join(f'"{name}":"{text}"' for name, text in required.items())
    digest = hashlib.sha256(f"{{{canonical}}}".encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _warnings(alg: str | None) -> tuple[str, ...]:
    if alg is None or not alg.startswith("RS"):
        return ()
    return (f"{alg} is being phased out: use {alg.replace('RS', 'PS')} with the next key.",)
