"""The one form of every refusal."""

import asyncio
import json
from typing import Any

import httpx2
import pytest
from asyncpg import DataError, InterfaceError
from asyncpg.exceptions import (
    AdminShutdownError,
    CannotConnectNowError,
    ConnectionDoesNotExistError,
    LockNotAvailableError,
    TooManyConnectionsError,
    UndefinedTableError,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.client_keys.rules import TooManyKeys
from app.connections import NoConnection
from app.log_lines import JsonLines
from app.problems import FieldError, InvalidRequest, Problem
from app.state_machine import WrongState
from app.web.problem_details import is_outage, problem_details
from tests.serving import BASE, FJORD, Client, Service, a_draft, pointers, problem_of, serving
from tests.severed import way_to


def details(problem: Problem) -> Any:
    return problem_details(problem, base_url=BASE, path="/v1/client", trace_id="trace")


def test_the_first_error_is_repeated_for_clients_that_read_no_list() -> None:
    errors = [
        FieldError("#/redirectUris/0", "not_loopback", "The first."),
        FieldError("#/apiScopes", "empty", "The second."),
    ]
    body = details(InvalidRequest(errors))
    assert (body.property, body.message) == ("redirectUris", "The first.")
    assert body.detail == "The first."
    assert body.errors == errors


@pytest.mark.parametrize(
    ("pointer", "member"),
    [("#/apiScopes/1", "apiScopes"), ("#/publicJwk/d", "publicJwk"), ("#", ""), ("", "")],
)
def test_property_is_the_member_at_the_top(pointer: str, member: str) -> None:
    assert details(InvalidRequest([FieldError(pointer, "x", "y")])).property == member


def test_a_body_that_is_the_key_is_called_so() -> None:
    assert details(TooManyKeys()).property == "publicJwk"


def test_beside_400_property_is_empty_and_message_the_detail() -> None:
    body = details(WrongState("Cannot do that."))
    assert (body.status, body.property, body.message) == (409, "", "Cannot do that.")
    assert (body.type, body.instance) == (f"{BASE}/problems/wrong-state", "/v1/client")


async def test_every_refusal_leads_to_a_page_that_explains_it(service: Service) -> None:
    answer = await service.http.get("/v1/nothing")
    page = await service.http.get(problem_of(answer)["type"], headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert problem_of(answer)["title"] in page.text


async def test_what_is_not_there(service: Service) -> None:
    for path in (
        "/v1/nothing",
        "/v2/client",
        "/v1/client/x",
        "/%ED%A0%80/%00",
        "/v1/client-secret/",
    ):
        answer = await service.http.post(path, content=b"x" * 100)
        assert answer.status_code in (404, 405, 401), path
        problem_of(answer)
    answer = await service.http.get("/v1/nothing?secret=x")
    assert answer.status_code == 404
    assert problem_of(answer)["instance"] == "/v1/nothing"


async def test_other_methods_are_told_which_there_are(service: Service) -> None:
    allowed = {
        "/v1/client": {"GET", "PUT"},
        "/v1/client-drafts": {"POST"},
        "/v1/client-secret": {"GET", "POST"},
        "/v1/client-secret/x": {"DELETE"},
        "/v0.1/client-status": {"GET"},
    }
    for path, methods in allowed.items():
        for method in ("PATCH", "TRACE", "PROPFIND"):
            answer = await service.http.request(method, path)
            assert answer.status_code == 405
            problem_of(answer)
            assert set(answer.headers["allow"].split(", ")) == methods | {"OPTIONS"}
        options = await service.http.options(path)
        assert (options.status_code, options.content) == (204, b"")
        assert set(options.headers["allow"].split(", ")) == methods | {"OPTIONS"}
        head = await service.http.head(path)
        assert (head.status_code, head.headers["content-type"]) == (
            405,
            "application/problem+json",
        )


async def test_a_body_over_the_limit_is_refused_however_it_comes(service: Service) -> None:
    headers = {"api-key": FJORD, "Content-Type": "application/json"}

    async def endless() -> Any:
        for _ in range(1000):
            yield b" " * 1000

    bodies: list[Any] = [b" " * 65_537, endless()]
    for content in bodies:
        answer = await service.http.post("/v1/client-drafts", content=content, headers=headers)
        assert answer.status_code == 413
        problem_of(answer)
    fits = await service.draft(json.dumps(a_draft()).encode().ljust(65_536))
    assert fits.status_code == 201


async def test_what_is_not_json_in_utf_8(service: Service) -> None:
    for content_type in ("", "text/plain", "application/json; charset=latin-1", "application/xml"):
        answer = await service.draft(a_draft(), **{"Content-Type": content_type})
        assert answer.status_code == 415, content_type
        problem_of(answer)


async def test_a_bug_tells_nothing_but_its_trace_id(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.app.state.draft_maker = "no draft maker"
    answer = await service.draft(a_draft())
    body = problem_of(answer)
    assert answer.status_code == 500
    assert body["traceId"] in answer.headers["traceparent"]
    assert body["detail"] == f"Tell the operator of this service the trace id {body['traceId']}."
    assert "draft maker" not in answer.text
    assert "errors" not in body
    [told] = [record for record in caplog.records if record.name == "app.web.problem_details"]
    line = json.loads(JsonLines().format(told))
    assert (line["event"], line["trace_id"]) == ("unexpected exception", body["traceId"])
    assert "AttributeError" in line["exception"]


async def test_a_database_that_is_away_is_a_503_and_comes_back(seeded_url: str) -> None:
    async with way_to(seeded_url) as way, serving(way.url) as service:
        client = await service.client()
        await way.cut()
        for answer in await everything(service, client):
            assert answer.status_code == 503, (answer.request.url, answer.text)
            assert int(answer.headers["retry-after"]) > 0
            assert problem_of(answer)["type"].endswith("/service-unavailable")
        await way.mend()
        assert (await client.get()).status_code == 200
        assert (await service.draft(a_draft())).status_code == 201


async def everything(service: Service, client: Client) -> list[httpx2.Response]:
    return [
        await service.draft(a_draft()),
        await client.get(),
        await client.get("/v1/client-secret"),
        await client.get("/v1/multi-tenant-delegations"),
        await client.put({"apiScopes": ["nhn:selvbetjening/client"], "redirectUris": []}),
        await client.post_key(client.key.members),
        await client.call("DELETE", "/v1/client-secret/x"),
    ]


@pytest.mark.parametrize(
    "outage",
    [
        NoConnection(),
        InterfaceError("connection is closed"),
        ConnectionDoesNotExistError(),
        CannotConnectNowError(),
        AdminShutdownError(),
        TooManyConnectionsError(),
        LockNotAvailableError(),
        PoolTimeout(),
        DBAPIError("SELECT 1", {}, AdminShutdownError()),
    ],
)
def test_what_passes_is_an_outage(outage: Exception) -> None:
    assert is_outage(outage)


@pytest.mark.parametrize(
    "bug",
    [
        KeyError("x"),
        FileNotFoundError(),
        ConnectionResetError(),
        TimeoutError(),
        UndefinedTableError(),
        DataError("invalid input for query argument"),
        DBAPIError("SELECT 1", {}, UndefinedTableError()),
    ],
)
def test_what_does_not_pass_is_a_bug(bug: Exception) -> None:
    assert not is_outage(bug)


HOSTILE: list[tuple[str, bytes]] = [
    ("accept-language", b"\xff\x00;q=1"),
    ("accept-language", b"nb;q=" + b"9" * 9000),
    ("if-none-match", b"\xff" * 10_000),
    ("if-match", b'W/"' + b"9" * 10_000),
    ("prefer", b"return=" + b"x" * 10_000),
    ("content-type", b"application/json; charset=\xff"),
    ("content-type", b"application/json;" * 600),
    ("traceparent", b"\xff" * 10_000),
    ("x-forwarded-for", b"\xff" * 10_000),
    ("authorization", b"DPoP " + b"\xff" * 8000),
    ("authorization", b"DPoP " + b"." * 8000),
    ("dpop", b"\xff.\xff.\xff"),
    ("dpop", b"." * 10_000),
    ("api-key", b"\xed\xa0\x80"),
    ("api-key", b"x" * 10_000),
    ("cookie", b"\xff=\xff;;=" * 1000),
]


async def test_no_header_however_hostile_is_a_500(seeded_url: str) -> None:
    async with serving(seeded_url, trusted_proxies=["127.0.0.1"]) as service:
        client = await service.client()
        for name, value in HOSTILE:
            for method, path in (("GET", "/v1/client"), ("PUT", "/v1/client")):
                given = {**client.headers(method, path), "Content-Type": "application/json"}
                headers = [
                    *((key.lower().encode(), text.encode()) for key, text in given.items()),
                    (name.encode(), value),
                ]
                kept = [each for each in headers[:-1] if each[0] != name.encode()]
                sent: Any = [*kept, headers[-1]]
                answer = await service.http.request(method, path, headers=sent, content=b"{}")
                assert answer.status_code < 500, (name, value[:20], answer.text)
            sent = [(b"api-key", FJORD.encode()), (name.encode(), value)]
            answer = await service.http.post("/v1/client-drafts", headers=sent, content=b"{}")
            assert answer.status_code < 500, (name, value[:20], answer.text)


async def test_no_body_however_hostile_is_a_500(service: Service) -> None:
    client = await service.client()
    bodies = [
        b'{"apiScopes":["\\ud800"],"publicJwk":"\\u0000"}',
        b'{"\\ud800":1}',
        b'{"organizationNumber":1e999}',
        b'{"organizationNumber":' + b"9" * 5000 + b"}",
        b'{"publicJwk":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"publicJwk":"' + b'{\\"a\\":' * 5000 + b'"}',
        b'{"publicJwk":{"kty":"RSA","n":"' + b"A" * 60_000 + b'","e":"AQAB"}}',
        b'"' + b"\\\\" * 30_000 + b'"',
        b"\xef\xbb\xbf{}",
        b"nul\0",
    ]
    for body in bodies:
        answers = await asyncio.gather(service.draft(body), client.put(body), client.post_key(body))
        for answer in answers:
            assert answer.status_code == 400, (body[:40], answer.text)
            assert pointers(answer)
