"""Logging in at the stand-in issuer, and what we make of an issuer that behaves badly."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import msgspec
import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey
from msgspec.structs import replace

from app.access.login import code_challenge, new_secret
from app.access.login_issuer import (
    IssuedCode,
    LoginRefused,
    LoginRequest,
    LoginUnavailable,
)
from app.access.person_numbers import PersonNumber
from app.adapters.discovery import Discovery
from app.adapters.http import CircuitBreaker, Neighbour
from app.adapters.issuer_keys import IssuerJwks
from app.adapters.login import IssuerLogin, LoginKey
from app.sandbox.neighbours import Neighbours
from app.sandbox.people import KARI
from tests.raw_server import Asked, answer, raw_server
from tests.sandbox.installer import NEIGHBOURS
from tests.sandbox.processes import running

CLIENT = "the-service"
REDIRECT = "http://127.0.0.1:8080/login/callback"
EC = ECKey.generate_key("P-256", auto_kid=True)
RSA = RSAKey.generate_key(2048, auto_kid=True)
REQUEST = LoginRequest(
    state="the-state",
    nonce="the-nonce",
    code_challenge=code_challenge("v" * 43),
    redirect_uri=REDIRECT,
    language="nn",
)
CODE = IssuedCode(code="c", code_verifier="v" * 43, redirect_uri=REDIRECT, nonce="the-nonce")


def key_of(key: ECKey | RSAKey) -> LoginKey:
    return LoginKey(msgspec.json.encode(key.as_dict(private=True)).decode())


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    login_client = {
        "client_id": CLIENT,
        "jwks": {"keys": [key.as_dict(private=False) for key in (EC, RSA)]},
        "redirect_uris": [REDIRECT],
    }
    told = replace(NEIGHBOURS, login_client=login_client)
    with running(told, tmp_path_factory.mktemp("login")) as here:
        yield here


@asynccontextmanager
async def connected(
    url: str, key: ECKey | RSAKey = EC, *, with_person_number: bool = False
) -> AsyncIterator[IssuerLogin]:
    async with Neighbour(
        url, contact="x", within=2.0, breaker=CircuitBreaker(after=10_000)
    ) as neighbour:
        discovery = Discovery(neighbour, url)
        keys = IssuerJwks(neighbour, discovery)
        yield IssuerLogin(
            neighbour,
            discovery,
            keys,
            client_id=CLIENT,
            key=key_of(key),
            with_person_number=with_person_number,
        )


async def pressed(address: str, person: str = "kari") -> dict[str, str]:
    """What the browser brings back when this person has pressed."""
    parts = urlsplit(address)
    async with httpx2.AsyncClient(trust_env=False) as browser:
        came = await browser.post(
            f"{parts.scheme}://{parts.netloc}{parts.path}",
            data={"request_uri": parse_qs(parts.query)["request_uri"][0], "person": person},
        )
    return dict(parse_qsl(urlsplit(came.headers["location"]).query))


@pytest.mark.parametrize("key", [EC, RSA])
async def test_a_person_who_logs_in_is_known_afterwards(
    issuer: Neighbours, key: ECKey | RSAKey
) -> None:
    verifier, nonce = new_secret(), new_secret()
    request = replace(REQUEST, nonce=nonce, code_challenge=code_challenge(verifier))
    async with connected(issuer.issuer_url, key) as login:
        address = await login.begin(request)
        assert set(parse_qs(urlsplit(address).query)) == {"client_id", "request_uri"}
        back = await pressed(address)
        assert (back["state"], back["iss"]) == ("the-state", issuer.issuer_url)
        identity = await login.finish(
            replace(CODE, code=back["code"], code_verifier=verifier, nonce=nonce)
        )
    assert identity.name == "Kari Nordmann"
    assert identity.security_level == 4
    assert abs(datetime.now(UTC) - identity.auth_time) < timedelta(minutes=1)


@pytest.mark.parametrize("asked_for", [True, False])
async def test_the_persons_number_comes_when_it_is_asked_for(
    issuer: Neighbours, asked_for: bool
) -> None:
    verifier, nonce = new_secret(), new_secret()
    request = replace(REQUEST, nonce=nonce, code_challenge=code_challenge(verifier))
    async with connected(issuer.issuer_url, with_person_number=asked_for) as login:
        back = await pressed(await login.begin(request))
        identity = await login.finish(
            replace(CODE, code=back["code"], code_verifier=verifier, nonce=nonce)
        )
    assert identity.person == (PersonNumber(KARI.pid) if asked_for else None)
    assert KARI.pid not in repr(identity)


@pytest.mark.parametrize(
    "change",
    [
        {"code": "another"},
        {"code_verifier": "w" * 43},
        {"nonce": "another"},
        {"redirect_uri": "http://127.0.0.1:8080/elsewhere"},
    ],
)
async def test_a_code_that_is_not_for_this_attempt_is_refused(
    issuer: Neighbours, change: dict[str, str]
) -> None:
    async with connected(issuer.issuer_url) as login:
        back = await pressed(await login.begin(REQUEST))
        with pytest.raises(LoginRefused):
            await login.finish(replace(replace(CODE, code=back["code"]), **change))


async def test_a_code_is_good_once(issuer: Neighbours) -> None:
    async with connected(issuer.issuer_url) as login:
        back = await pressed(await login.begin(REQUEST))
        code = replace(CODE, code=back["code"])
        await login.finish(code)
        with pytest.raises(LoginRefused):
            await login.finish(code)


class BadIssuer:
    """Answers as a test tells it, and remembers the forms it was sent."""

    def __init__(self, **answers: bytes) -> None:
        self.answers = answers
        self.forms: list[dict[str, str]] = []

    async def __call__(self, asked: Asked) -> bytes:
        origin = f"http://{asked.headers['host']}"
        if "well-known" in asked.path:
            names = {
                "pushed_authorization_request_endpoint": "par",
                "authorization_endpoint": "authorize?x=y",
                "token_endpoint": "token",
                "jwks_uri": "jwks",
            }
            endpoints = {name: f"{origin}/{path}" for name, path in names.items()}
            return answer(200, {"issuer": origin, **endpoints})
        self.forms.append(dict(parse_qsl(asked.body.decode())))
        return self.answers[asked.path.removeprefix("/")]


async def test_a_login_is_asked_for_as_the_security_profile_wants() -> None:
    bad = BadIssuer(par=answer(201, {"request_uri": "urn:x"}))
    async with raw_server(bad) as server, connected(server.url) as login:
        address = await login.begin(REQUEST)
        await login.begin(REQUEST)
    assert address == f"{server.url}/authorize?x=y&client_id=the-service&request_uri=urn%3Ax"
    form, second = bad.forms
    asked = {
        "response_type": "code",
        "state": "the-state",
        "nonce": "the-nonce",
        "code_challenge": code_challenge("v" * 43),
        "code_challenge_method": "S256",
        "prompt": "login",
        "max_age": "600",
        "ui_locales": "nn",
        "redirect_uri": REDIRECT,
    }
    assert asked.items() <= form.items()
    assert "openid" in form["scope"].split()
    assert "helseid://scopes/identity/security_level" in form["scope"].split()
    assert "client_secret" not in form
    assert form["client_assertion"] != second["client_assertion"]


@pytest.mark.parametrize(
    "par",
    [
        answer(500),
        answer(503),
        answer(400, {"error": "invalid_client"}),
        answer(302, headers={"Location": "http://evil.example"}),
        answer(201, b"{"),
        answer(201, {"request_uri": 7}),
        b"nonsense\r\n\r\n",
    ],
)
async def test_without_a_usable_answer_no_login_begins(par: bytes) -> None:
    async with raw_server(BadIssuer(par=par)) as server, connected(server.url) as login:
        with pytest.raises(LoginUnavailable):
            await login.begin(REQUEST)


async def test_an_issuer_that_is_gone_is_unavailable() -> None:
    async with connected("http://127.0.0.1:9") as login:
        with pytest.raises(LoginUnavailable):
            await login.begin(REQUEST)
        with pytest.raises(LoginUnavailable):
            await login.finish(CODE)


async def test_a_silent_begin_is_tried_again_with_a_new_assertion() -> None:
    bad = BadIssuer(par=answer(503))
    async with raw_server(bad) as server, connected(server.url) as login:
        with pytest.raises(LoginUnavailable):
            await login.begin(REQUEST)
    assert len({form["client_assertion"] for form in bad.forms}) == 2


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (answer(400, {"error": "invalid_grant"}), LoginRefused),
        (answer(401, {"error": "invalid_client"}), LoginRefused),
        (answer(200, {"id_token": "a.b.c"}), LoginRefused),
        (answer(429), LoginUnavailable),
        (answer(503), LoginUnavailable),
        (answer(200, {"access_token": "x"}), LoginUnavailable),
        (answer(200, b"<html>"), LoginUnavailable),
    ],
)
async def test_a_code_is_exchanged_once_whatever_comes_of_it(
    told: bytes, expected: type[Exception]
) -> None:
    bad = BadIssuer(token=told, jwks=answer(200, {"keys": []}))
    async with raw_server(bad) as server, connected(server.url) as login:
        with pytest.raises(expected):
            await login.finish(CODE)
    assert sum("code_verifier" in form for form in bad.forms) == 1


async def test_no_token_or_code_stands_in_what_is_logged() -> None:
    secret = "eyJhbGciOiJub25lIn0.secret.secret"
    bad = BadIssuer(token=answer(200, {"id_token": secret}), jwks=answer(200, {"keys": []}))
    async with raw_server(bad) as server, connected(server.url) as login:
        with pytest.raises(LoginRefused) as refused:
            await login.finish(replace(CODE, code="secret-code"))
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("key", [OctKey.generate_key(256), ECKey.generate_key("P-256")])
def test_the_login_key_must_be_private_and_asymmetric(key: OctKey | ECKey) -> None:
    public_or_shared = key.as_dict() if isinstance(key, OctKey) else key.as_dict(private=False)
    with pytest.raises(ValueError, match="private RSA or EC key"):
        LoginKey(msgspec.json.encode(public_or_shared).decode())
