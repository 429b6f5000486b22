"""The service in this process on the sandbox's catalogue, and clients that call it.

The token issuer is the test's own: it signs tokens, and knows at once what it is told. Every
organization has been looked up before, unless a test asks for one that has not.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx2
import msgspec
from joserfc.jwk import ECKey
from litestar import Litestar
from msgspec import Struct, field

from app.access.access_tokens import TokenPolicy, VerifiedTokens
from app.access.callers import EndUser, Origin
from app.access.public_jwk import PublicKey, acceptable_jwk
from app.client_drafts.use_cases import Decided, confirm_client_draft
from app.database import Database
from app.organizations.models import Organization
from app.organizations.register import Verdict
from app.sandbox_service.seed import seed
from app.settings import Environment, Settings
from app.web.frame import Frame
from tests.applications import living_application
from tests.databases import new_database
from tests.examples import NOW, ORGANIZATION
from tests.installers.keys import InstallersKey, ec_key, proof, sign

BASE = "http://127.0.0.1:8080"
CLIENT_SCOPE = "nhn:selvbetjening/client"
# Of the catalogue: the first has redirect addresses of each client, the second shares them.
FJORD, EDI, REVOKED = "sandbox-epj", "sandbox-edi", "sandbox-revoked"
LOOKED_UP = (ORGANIZATION, "310000043", "310000051", "310000086", "310000094", "310000027")
LOGIN_KEY = ECKey.generate_key("P-256", auto_kid=True)
ISSUER_KEY = ECKey.generate_key("P-256")


class OwnIssuer:
    """Publishes one key, and signs whatever a test wants signed."""

    key_of_kid = {"issuer": acceptable_jwk(dict(ISSUER_KEY.as_dict(private=False)), pointer="#")}

    async def key(self, kid: str) -> PublicKey | None:
        return self.key_of_kid.get(kid)


def settings_for(database_url: str, **more: Any) -> Settings:
    given: dict[str, Any] = {
        "database_url": database_url,
        "public_base_urls": [BASE, "http://localhost:8080"],
        "environment": Environment.TEST,
        "secret_key": "the-secret-key-of-these-tests-0123456789",
        "issuer": "http://127.0.0.1:9/sts",
        "enhetsregisteret_url": "http://127.0.0.1:9/brreg",
        "registration_token": "the-registration-token-of-these-tests",
        "login_client_id": "the-service",
        "login_key": msgspec.json.encode(LOGIN_KEY.as_dict(private=True)).decode(),
        "allow_bearer": True,
        "key_life_days": 90,
    }
    return Settings(**(given | more))


@contextmanager
def seeded_template(server_url: str, template: str) -> Iterator[str]:
    """The name of a migrated database that holds what the sandbox begins with."""
    with new_database(server_url, template) as url:
        asyncio.run(_seed(url))
        yield urlsplit(url).path.removeprefix("/")


async def _seed(url: str) -> None:
    await seed(settings_for(url))
    database = Database(url)
    async with database.sessions.begin() as db:
        db.add_all(an_organization(number) for number in LOOKED_UP)
    await database.engine.dispose()


def an_organization(number: str, verdict: Verdict = Verdict.MAIN_UNIT) -> Organization:
    return Organization(
        organization_number=number, verdict=verdict, name=f"ENHET {number}", checked_at=NOW
    )


class Service(Struct):
    settings: Settings
    app: Litestar
    framed: Frame
    http: httpx2.AsyncClient
    told: list[tuple[UUID, int]] = field(default_factory=list)
    """What the issuer had to know before a request was answered."""
    issuer_answers: bool = True
    now: datetime = NOW

    @property
    def database(self) -> Database:
        database: Database = self.app.state.database
        return database

    def browser(self) -> httpx2.AsyncClient:
        """A caller of its own, which keeps its cookies."""
        return calling(self.framed)

    async def add(self, *rows: Any) -> None:
        async with self.database.sessions.begin() as db:
            db.add_all(rows)

    async def ask(self, statement: Any) -> list[Any]:
        """The first column of what `statement` finds."""
        async with self.database.sessions() as db:
            return list(await db.scalars(statement))

    async def draft(
        self, body: Any = None, *, api_key: str | None = FJORD, path: str = "/v1", **headers: str
    ) -> httpx2.Response:
        """`body` is sent as it is where it is bytes."""
        given = {"Content-Type": "application/json"} | ({"api-key": api_key} if api_key else {})
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self.http.post(
            f"{path}/client-drafts", content=content, headers=given | headers
        )

    async def confirm(self, client_id: UUID) -> Decided:
        async with self.database.sessions() as db:
            return await confirm_client_draft(
                db,
                KARI,
                client_id,
                catalogue=await self.app.state.catalogues.in_force(),
                settings=self.settings,
                contact_email=None,
                now=self.now,
            )

    async def client(self, api_key: str = FJORD, **members: Any) -> "Client":
        """A client whose draft has been confirmed."""
        key = ec_key()
        answer = await self.draft(a_draft(key, **members), api_key=api_key)
        assert answer.status_code == 201, answer.text
        client_id = UUID(answer.json()["clientId"])
        await self.confirm(client_id)
        return Client(self, client_id, key)


def a_draft(key: InstallersKey | None = None, **members: Any) -> dict[str, Any]:
    """A draft that is fine, less what `members` change."""
    jwk = msgspec.json.encode((key or ec_key()).members).decode()
    return {"organizationNumber": ORGANIZATION, "publicJwk": jwk} | members


KARI = EndUser(
    pseudonym="kari",
    name="Kari Nordmann",
    security_level=4,
    auth_time=NOW,
    origin=Origin("192.0.2.1", "request"),
)


class Client(Struct):
    """A confirmed client, which makes a token and a proof for each call."""

    service: Service
    client_id: UUID
    key: InstallersKey

    def token(self, **claims: Any) -> str:
        now = int(time.time())
        said = {
            "iss": self.service.settings.issuer,
            "aud": self.service.settings.audience,
            "exp": now + 600,
            "nbf": now,
            "client_id": str(self.client_id),
            "scope": [CLIENT_SCOPE],
            "cnf": {"jkt": self.key.thumbprint},
        }
        left = {name: value for name, value in (said | claims).items() if value is not None}
        return sign({"alg": "ES256", "typ": "at+jwt", "kid": "issuer"}, left, ISSUER_KEY)

    def headers(self, method: str, path: str, token: str | None = None) -> dict[str, str]:
        token = token or self.token()
        made = proof(self.key, method, BASE + path.partition("?")[0], token=token)
        return {"Authorization": f"DPoP {token}", "DPoP": made}

    async def call(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx2.Response:
        given = self.headers(method, path)
        if body is not None:
            given["Content-Type"] = "application/json"
        content = body if isinstance(body, bytes) or body is None else msgspec.json.encode(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.service.http.request(method, path, content=content, headers=given | named)

    async def get(self, path: str = "/v1/client", **headers: str) -> httpx2.Response:
        return await self.call("GET", path, **headers)

    async def put(self, body: Any, **headers: str) -> httpx2.Response:
        return await self.call("PUT", "/v1/client", body, **headers)

    async def post_key(self, jwk: Any, **headers: str) -> httpx2.Response:
        return await self.call("POST", "/v1/client-secret", jwk, **headers)


def calling(framed: Frame) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=framed)  # type: ignore[arg-type]  # Litestar's own types
    return httpx2.AsyncClient(transport=transport, base_url=BASE)


@asynccontextmanager
async def serving(
    database_url: str, *, clock: Callable[[], datetime] | None = None, **settings: Any
) -> AsyncIterator[Service]:
    given = settings_for(database_url, **settings)
    async with (
        living_application(given, lambda: clock() if clock else service.now) as (framed, app),
        calling(framed) as http,
    ):
        service = Service(given, app, framed, http)

        async def published(client_id: UUID, version: int) -> bool:
            service.told.append((client_id, version))
            return service.issuer_answers

        policy = TokenPolicy(
            issuer=given.issuer, audience=given.audience, allow_bearer=given.allow_bearer
        )
        app.state.update({"published": published, "tokens": VerifiedTokens(OwnIssuer(), policy)})
        yield service


def problem_of(answer: httpx2.Response) -> dict[str, Any]:
    """The body of a refusal, which has the one form of all refusals."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"].startswith(f"{BASE}/problems/")
    texts = ("type", "title", "detail", "instance", "traceId", "property", "message")
    assert all(isinstance(body[name], str) for name in texts)
    assert all(body[name] for name in texts if name != "property")
    if answer.status_code != 400:
        assert body["property"] == ""
        assert body["message"] == body["detail"]
    return body


def pointers(answer: httpx2.Response) -> list[tuple[str, str]]:
    """Where the errors are, and their codes."""
    body = problem_of(answer)
    first = body["errors"][0]
    assert body["message"] == first["detail"]
    return [(error["pointer"], error["code"]) for error in body["errors"]]
