"""What is asked of the service. Proofs are good for a minute: sign shortly before sending."""

import base64
import json
from collections.abc import Iterator
from itertools import combinations, cycle, islice
from uuid import uuid4

import httpx2
from joserfc.jwk import RSAKey

from app.organizations.rules import has_check_digit
from tests.bench.load import Prepared, prepared
from tests.installers.keys import InstallersKey, ec_key
from tests.installers.plain import EPJ, PlainInstaller
from tests.sandboxes import Ready

KEYS_OF_ONE_CLIENT = 9  # and the one it begins with make ten, which is the most
PAIRS_OF_PRIMES = 45  # for four thousand keys
JSON = {"content-type": "application/json; charset=utf-8"}
SCOPES = ["nhn:selvbetjening/client", "nhn:pit/api.read"]


class Customers:
    """Makes what each of many installations would ask for."""

    def __init__(self, ready: Ready, http: httpx2.Client) -> None:
        self.ready = ready
        self.http = http
        self.organizations = cycle(islice(organizations(), 40))
        self.rsa_keys = public_rsa_keys(PAIRS_OF_PRIMES)

    def installer(self, key: InstallersKey | None = None) -> PlainInstaller:
        """One that holds a token."""
        organization = next(self.organizations)
        return PlainInstaller(self.ready, self.http, key, organization=organization).set_up()

    def drafts(self, count: int, *, rsa: bool) -> list[Prepared]:
        return [self._draft(self._public_key(rsa=rsa)) for _ in range(count)]

    def _draft(self, jwk: dict[str, str]) -> Prepared:
        body = {
            "organizationNumber": next(self.organizations),
            "publicJwk": json.dumps(jwk),
            "apiScopes": SCOPES,
            "postClientConfirmationRedirectUri": "http://localhost:1337/callback",
        }
        url = f"{self.ready.base_url}/v1/client-drafts"
        return prepared("POST", url, JSON | {"api-key": EPJ}, json.dumps(body).encode(), status=201)

    def new_keys(self, clients: int, *, rsa: bool) -> list[Prepared]:
        """Nine for each client, in turns, so that few wait for each other."""
        installers = [self.installer() for _ in range(clients)]
        return [
            call(installer, "POST", "client-secret", json.dumps(self._public_key(rsa=rsa)).encode())
            for _ in range(KEYS_OF_ONE_CLIENT)
            for installer in installers
        ]

    def _public_key(self, *, rsa: bool) -> dict[str, str]:
        return next(self.rsa_keys) if rsa else dict(ec_key().members)


def reads(installer: PlainInstaller, count: int) -> list[Prepared]:
    return [call(installer, "GET", "client") for _ in range(count)]


def call(installer: PlainInstaller, method: str, path: str, body: bytes = b"") -> Prepared:
    headers = installer.authorization(method, path) | (JSON if body else {})
    return prepared(method, installer.url(path), headers, body)


def public_rsa_keys(pairs: int) -> Iterator[dict[str, str]]:
    """One key for each two of a few primes: making primes takes long, and nobody signs with it."""
    made = [RSAKey.generate_key(2048) for _ in range(pairs)]
    numbers = [key.private_key.private_numbers() for key in made if key.private_key]
    primes = [prime for number in numbers for prime in (number.p, number.q)]
    yield from (_rsa_members(p * q) for p, q in combinations(primes, 2))


def _rsa_members(modulus: int) -> dict[str, str]:
    n = base64.urlsafe_b64encode(modulus.to_bytes(256, "big")).rstrip(b"=").decode()
    return {"alg": "PS256", "e": "AQAB", "kid": str(uuid4()), "kty": "RSA", "n": n, "use": "sig"}


def organizations() -> Iterator[str]:
    """Numbers for which all is well: those with a story of their own are lower."""
    return (
        str(number) for number in range(310_001_000, 310_999_999) if has_check_digit(str(number))
    )
