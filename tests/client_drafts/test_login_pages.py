"""From the link to the draft by way of the issuer, and every way in which that goes wrong."""

import time
from collections.abc import AsyncIterator, Iterator
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from uuid import UUID, uuid4

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from msgspec.structs import replace
from sqlalchemy import func, select

from app.access.id_tokens import SECURITY_LEVEL
from app.access.models import LoginAttempt, LoginSession
from app.client_drafts.rules import LastVisit
from app.sandbox.neighbours import Neighbours
from tests.client_drafts.visiting import SAME_ORIGIN, a_draft, serving_pages, stored_draft
from tests.raw_server import Asked, answer, raw_server
from tests.sandbox.installer import NEIGHBOURS
from tests.sandbox.processes import running
from tests.serving import BASE, LOGIN_KEY, Service

LOCALHOST = "http://localhost:8080"


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    login_client = {
        "client_id": "the-service",
        "jwks": {"keys": [LOGIN_KEY.as_dict(private=False)]},
        "redirect_uris": [f"{base}/login/callback" for base in (BASE, LOCALHOST)],
    }
    folder = tmp_path_factory.mktemp("login-pages")
    with running(replace(NEIGHBOURS, login_client=login_client), folder) as here:
        yield here


@pytest.fixture
async def service(database_url: str, issuer: Neighbours) -> AsyncIterator[Service]:
    async with serving_pages(database_url, issuer=issuer.issuer_url) as service:
        yield service


@pytest.fixture
async def client_id(service: Service) -> UUID:
    draft = a_draft(post_client_confirmation_redirect_uri=None)
    await service.add(draft)
    return draft.client_id


async def begun(browser: httpx2.AsyncClient, client_id: UUID, **more: str) -> httpx2.Response:
    fields = {"clientId": str(client_id), "lang": "nn", **more}
    return await browser.post("/login", data=fields, headers=SAME_ORIGIN)


async def pressed(address: str, person: str = "kari") -> dict[str, str]:
    parts = urlsplit(address)
    async with httpx2.AsyncClient(trust_env=False) as elsewhere:
        came = await elsewhere.post(
            f"{parts.scheme}://{parts.netloc}{parts.path}",
            data={"request_uri": parse_qs(parts.query)["request_uri"][0], "person": person},
        )
    return dict(parse_qsl(urlsplit(came.headers["location"]).query))


async def brought_back(browser: httpx2.AsyncClient, answer: dict[str, str]) -> httpx2.Response:
    return await browser.get(f"/login/callback?{urlencode(answer)}")


async def sessions(service: Service) -> int:
    async with service.database.sessions() as db:
        return await db.scalar(select(func.count()).select_from(LoginSession)) or 0


async def test_a_login_leads_to_the_draft_in_the_persons_language(
    service: Service, client_id: UUID
) -> None:
    async with service.browser() as browser:
        began = await begun(browser, client_id, redirectPort="8765", redirectPath="callback")
        assert began.status_code == 303
        assert began.headers["location"].startswith(f"{service.settings.issuer}/connect/authorize")
        cookie = began.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "Max-Age=600" in cookie
        back = await brought_back(browser, await pressed(began.headers["location"]))
        assert back.status_code == 303
        assert back.headers["location"] == f"/confirm-client/{client_id}?lang=nn"
        assert "login" not in browser.cookies
        page = await browser.get(back.headers["location"])
    assert "Kari Nordmann" in page.text
    assert "Stadfest oppsett av HelseID" in page.text
    assert "http://localhost:8765/callback" in page.text


async def test_nothing_secret_goes_through_the_browser(service: Service, client_id: UUID) -> None:
    async with service.browser() as browser:
        began = await begun(browser, client_id)
    async with service.database.sessions() as db:
        attempt = (await db.scalars(select(LoginAttempt))).one()
    said = began.headers["location"] + began.headers["set-cookie"]
    assert attempt.nonce not in said
    assert attempt.code_verifier not in said


@pytest.mark.parametrize("base", [BASE, LOCALHOST])
async def test_the_browser_comes_back_to_the_host_that_has_its_cookie(
    service: Service, client_id: UUID, base: str
) -> None:
    async with service.browser() as browser:
        browser.base_url = base
        began = await begun(browser, client_id)
        parts = urlsplit(began.headers["location"])
        async with httpx2.AsyncClient(trust_env=False) as elsewhere:
            came = await elsewhere.post(
                f"{parts.scheme}://{parts.netloc}{parts.path}",
                data={
                    "request_uri": parse_qs(parts.query)["request_uri"][0],
                    "person": "kari",
                },
            )
        assert came.headers["location"].startswith(f"{base}/login/callback?")


async def test_a_host_that_is_not_ours_gets_no_say(service: Service, client_id: UUID) -> None:
    async with service.browser() as browser:
        answer = await browser.post(
            "/login",
            data={"clientId": str(client_id)},
            headers={**SAME_ORIGIN, "Host": "evil.example"},
        )
    assert answer.status_code == 303  # back to the first of our own addresses


@pytest.mark.parametrize(
    "change",
    [
        {"state": "another"},
        {"state": ""},
        {"iss": "https://evil.example"},
        {"iss": ""},
        {"code": "another"},
        {"code": ""},
        {"error": "server_error"},
    ],
)
async def test_an_answer_that_was_tampered_with_opens_nothing(
    service: Service, client_id: UUID, change: dict[str, str]
) -> None:
    async with service.browser() as browser:
        began = await begun(browser, client_id)
        answer = await pressed(began.headers["location"]) | change
        back = await brought_back(browser, answer)
        assert back.status_code == 400
        assert "session" not in browser.cookies
        assert "login" not in browser.cookies
    assert await sessions(service) == 0


async def test_an_answer_in_another_browser_opens_nothing(
    service: Service, client_id: UUID
) -> None:
    async with service.browser() as mine, service.browser() as other:
        began = await begun(mine, client_id)
        answer = await pressed(began.headers["location"])
        assert (await brought_back(other, answer)).status_code == 400
        await begun(other, client_id)
        assert (await brought_back(other, answer)).status_code == 400
    assert await sessions(service) == 0


async def test_an_answer_is_taken_once(service: Service, client_id: UUID) -> None:
    async with service.browser() as browser:
        began = await begun(browser, client_id)
        cookie = browser.cookies["login"]
        answer = await pressed(began.headers["location"])
        assert (await brought_back(browser, answer)).status_code == 303
        browser.cookies.set("login", cookie)
        assert (await brought_back(browser, answer)).status_code == 400
    assert await sessions(service) == 1


async def test_a_new_login_ends_the_session_before_it(service: Service, client_id: UUID) -> None:
    async with service.browser() as browser:
        secrets = []
        for _ in range(2):
            began = await begun(browser, client_id)
            await brought_back(browser, await pressed(began.headers["location"]))
            secrets.append(browser.cookies["session"])
    assert secrets[0] != secrets[1]
    assert await sessions(service) == 1


async def test_turning_back_at_the_issuer_leads_to_the_button_again(
    service: Service, client_id: UUID
) -> None:
    async with service.browser() as browser:
        began = await begun(browser, client_id, redirectPort="8765", redirectPath="/a")
        back = await brought_back(browser, await pressed(began.headers["location"], "cancel"))
    assert back.status_code == 200
    assert "Innlogginga vart avbroten" in back.text
    assert 'name="redirectPort" value="8765"' in back.text
    assert (await stored_draft(service, client_id)).last_visit is LastVisit.LOGIN_FAILED


async def test_an_issuer_that_is_away_is_told_of_with_a_time_to_try_again(
    database_url: str,
) -> None:
    async with serving_pages(database_url) as service, service.browser() as browser:
        draft = a_draft()
        await service.add(draft)
        answer = await begun(browser, draft.client_id)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "Vi får ikkje kontakt med innloggingstenesta" in answer.text
    assert f'href="/confirm-client/{draft.client_id}?lang=nn"' in answer.text


@pytest.mark.parametrize("fields", [{}, {"clientId": ""}, {"clientId": "x"}])
async def test_a_login_for_nothing_is_refused_by_a_page(
    service: Service, fields: dict[str, str]
) -> None:
    async with service.browser() as browser:
        answer = await browser.post("/login", data={"a": "b", **fields}, headers=SAME_ORIGIN)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("port", "path"), [("<port>", "<path>"), ("80", "/a"), ("8765", "@evil.example/")]
)
async def test_a_forged_field_is_as_little_believed_as_a_forged_link(
    service: Service, client_id: UUID, port: str, path: str
) -> None:
    async with service.browser() as browser:
        await begun(browser, client_id, redirectPort=port, redirectPath=path)
    async with service.database.sessions() as db:
        attempt = (await db.scalars(select(LoginAttempt))).one()
    assert (attempt.redirect_port, attempt.redirect_path) == (None, None)


class OtherIssuer:
    """An issuer that says of a person what a test wants it to say."""

    def __init__(self, **claims: object) -> None:
        self.claims = claims
        self.key = ECKey.generate_key("P-256", {"kid": "k", "alg": "ES256", "use": "sig"})
        self.nonce = ""

    async def __call__(self, asked: Asked) -> bytes:
        origin = f"http://{asked.headers['host']}"
        form = dict(parse_qsl(asked.body.decode()))
        if "well-known" in asked.path:
            endpoints = {
                "pushed_authorization_request_endpoint": f"{origin}/par",
                "authorization_endpoint": f"{origin}/authorize",
                "token_endpoint": f"{origin}/token",
                "jwks_uri": f"{origin}/jwks",
            }
            return answer(200, {"issuer": origin, **endpoints})
        if asked.path == "/jwks":
            return answer(200, {"keys": [self.key.as_dict(private=False)]})
        if asked.path == "/par":
            self.nonce = form["nonce"]
            return answer(201, {"request_uri": "urn:x"})
        return answer(200, {"id_token": self.id_token(origin)})

    def id_token(self, origin: str) -> str:
        now = int(time.time())
        claims = {
            "iss": origin,
            "aud": "the-service",
            "sub": "kari",
            "nonce": self.nonce,
            "iat": now,
            "exp": now + 60,
            "auth_time": now,
            SECURITY_LEVEL: "4",
        }
        header = {"alg": "ES256", "kid": "k"}
        return jwt.encode(header, claims | self.claims, self.key, algorithms=["ES256"])


@pytest.mark.parametrize(
    ("claims", "status", "notice"),
    [
        ({}, 303, ""),
        ({SECURITY_LEVEL: "3"}, 403, "høgare tryggleiksnivå"),
        ({SECURITY_LEVEL: None}, 403, "høgare tryggleiksnivå"),
        ({"auth_time": int(time.time()) - 700}, 400, "Innlogginga lukkast ikkje"),
        ({"nonce": "another"}, 400, "Innlogginga lukkast ikkje"),
    ],
)
async def test_only_a_new_login_at_the_level_that_is_asked_for_opens_a_session(
    database_url: str, claims: dict[str, object], status: int, notice: str
) -> None:
    async with raw_server(OtherIssuer(**claims)) as server:
        serving = serving_pages(database_url, issuer=server.url)
        async with serving as service, service.browser() as browser:
            await begun(browser, UUID(int=7))
            state = browser.cookies["login"]
            back = await brought_back(browser, {"code": "c", "state": state, "iss": server.url})
            assert back.status_code == status
            assert notice in back.text
            assert await sessions(service) == (status == 303)
            assert ("session" in browser.cookies) is (status == 303)


@pytest.mark.usefixtures("early_in_the_minute")
async def test_logins_from_one_address_have_a_limit(database_url: str, issuer: Neighbours) -> None:
    serving = serving_pages(
        database_url,
        issuer=issuer.issuer_url,
        logins_per_minute_and_address=2,
        trusted_proxies=["127.0.0.1"],
    )
    async with serving as service, service.browser() as browser:

        async def begins(address: str) -> httpx2.Response:
            browser.headers["X-Forwarded-For"] = address
            return await begun(browser, uuid4())  # anybody can name a draft

        found = [(await begins("192.0.2.1")).status_code for _ in range(4)]
        assert found == [303, 303, 429, 429]
        assert (await begins("192.0.2.2")).status_code == 303
        refused = await begins("192.0.2.1")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert refused.headers["content-type"].startswith("text/html")
        assert "for mange innlogginger" in refused.text
        async with service.database.sessions() as db:
            assert await db.scalar(select(func.count()).select_from(LoginAttempt)) == 3
