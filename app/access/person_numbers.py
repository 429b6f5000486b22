"""National identity numbers: in memory they show themselves to nobody, at rest they are sealed."""

import hmac
import re
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

_NUMBER = re.compile(r"[0-9]{11}", re.ASCII)
NONCE = 12


class PersonNumber(Struct, frozen=True):
    """For Altinn alone. No log, page or trail gets it, a traceback's `repr` included."""

    digits: str

    def __repr__(self) -> str:
        return "PersonNumber(…)"


def person_number(value: object) -> PersonNumber | None:
    """What an issuer says, if it can be one."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return PersonNumber(value)
    return None


def sealed(number: PersonNumber, *, secret_key: str, bound_to: bytes) -> bytes:
    """To be kept in the row that `bound_to` names, and of no use in another."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + _cipher(secret_key).encrypt(nonce, number.digits.encode(), bound_to)


def unsealed(kept: bytes, *, secret_key: str, bound_to: bytes) -> PersonNumber | None:
    """None where it was sealed for another row, or with a secret key that is gone."""
    try:
        digits = _cipher(secret_key).decrypt(kept[:NONCE], kept[NONCE:], bound_to)
    except InvalidTag:
        return None
    return PersonNumber(digits.decode())


def _cipher(secret_key: str) -> AESGCM:
    return AESGCM(hmac.digest(secret_key.encode(), b"person number\0", "sha256"))
