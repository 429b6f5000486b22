"""Keys for tests, each made once."""

from functools import cache
from typing import Any

from joserfc.jwk import ECKey, RSAKey

PrivateKey = RSAKey | ECKey


@cache
def rsa_key(bits: int = 2048) -> RSAKey:
    return RSAKey.generate_key(bits)


@cache
def ec_key(curve: str = "P-256") -> ECKey:
    return ECKey.generate_key(curve)


def public(key: PrivateKey) -> dict[str, Any]:
    return dict(key.as_dict(private=False))


def private(key: PrivateKey) -> dict[str, Any]:
    return dict(key.as_dict(private=True))
