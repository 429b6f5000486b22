"""The issuer's own key. It is made at start, so tokens of an earlier sandbox are worth nothing."""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha1
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

ALGORITHM = "RS256"
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Sandbox token issuer")])


class SigningKey:
    def __init__(self, now: datetime) -> None:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        certificate = _certificate(private, now).public_bytes(Encoding.DER)
        # As the real server names its keys: by the certificate's SHA-1.
        digest = sha1(certificate, usedforsecurity=False).digest()
        self.kid = digest.hex().upper()
        self._key = RSAKey.import_key(private)
        self.public_jwk = {
            **self._key.as_dict(private=False),
            "use": "sig",
            "alg": ALGORITHM,
            "kid": self.kid,
            "x5t": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "x5c": [base64.b64encode(certificate).decode()],
        }

    def sign(self, claims: Mapping[str, Any], *, typ: str) -> str:
        header = {"alg": ALGORITHM, "kid": self.kid, "typ": typ}
        return jwt.encode(header, dict(claims), self._key, algorithms=[ALGORITHM])

    def claims_of(self, token: str, *, typ: str) -> Mapping[str, Any] | None:
        """What this issuer once signed as `typ`, or None. Whether it has ended is not looked at."""
        try:
            read = jwt.decode(token, self._key, algorithms=[ALGORITHM])
        except (JoseError, ValueError):
            return None
        return read.claims if read.header.get("typ") == typ else None

    def live_claims_of(self, token: str, *, typ: str, now: datetime) -> Mapping[str, Any] | None:
        """The same, of what has not ended."""
        claims = self.claims_of(token, typ=typ)
        return claims if claims and claims["exp"] > now.timestamp() else None


def _certificate(private: rsa.RSAPrivateKey, now: datetime) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(private, SHA256())
    )
