"""The trace, the caller's address and the log line of every request."""

import asyncio
import json
import re
from typing import Any, cast

import pytest
from litestar.types import ASGIApp, Receive, Scope, Send

from app.web.frame import Frame, network_of
from tests.databases import execute
from tests.installers.keys import ec_key
from tests.serving import FJORD, Service, a_draft, serving

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


async def test_a_trace_is_taken_up_and_answered(service: Service) -> None:
    answer = await service.http.get("/v1/nothing", headers={"traceparent": f"00-{TRACE}-{SPAN}-01"})
    assert answer.json()["traceId"] == TRACE
    version, trace, span, flags = answer.headers["traceparent"].split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert re.fullmatch("[0-9a-f]{16}", span)
    assert span != SPAN


MALFORMED = [
    "",
    f"00-{TRACE}-{SPAN}",
    f"00-{TRACE.upper()}-{SPAN}-01",
    f"00-{'0' * 32}-{SPAN}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"00-{TRACE}-{SPAN}-01-more",
    "\xe6",
]


async def test_a_malformed_trace_is_replaced(service: Service) -> None:
    for sent in MALFORMED:
        headers = {"traceparent": sent.encode("latin-1")}
        answer = await service.http.get("/v1/nothing", headers=cast(Any, headers))
        trace = answer.json()["traceId"]
        assert re.fullmatch("[0-9a-f]{32}", trace), sent
        assert trace not in (TRACE, "0" * 32), sent


async def test_json_names_its_charset(service: Service) -> None:
    answer = await service.http.get("/health/live")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def address(peer: str, *forwarded: bytes, proxies: list[str]) -> str:
    """What `Frame` takes for the caller's address."""
    scope = {
        "type": "http",
        "client": (peer, 1),
        "headers": [(b"x-forwarded-for", value) for value in forwarded],
    }
    frame = Frame(cast(ASGIApp, None), trusted_proxies=proxies, headers={})
    return frame._address(cast(Scope, scope))


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "caller"),
    [
        ("192.0.2.1", [b"198.51.100.7"], [], "192.0.2.1"),
        ("192.0.2.1", [b"198.51.100.7"], ["192.0.2.9"], "192.0.2.1"),
        ("10.0.0.1", [b"198.51.100.7"], ["10.0.0.1"], "198.51.100.7"),
        ("10.0.0.1", [b"6.6.6.6, 198.51.100.7"], ["10.0.0.1"], "198.51.100.7"),
        ("10.0.0.1", [b"6.6.6.6", b"198.51.100.7"], ["10.0.0.1"], "198.51.100.7"),
        (
            "10.0.0.1",
            [b"6.6.6.6, 198.51.100.7, 10.0.0.2"],
            ["10.0.0.1", "10.0.0.2"],
            "198.51.100.7",
        ),
        ("10.0.0.1", [b"2001:db8::7"], ["10.0.0.1"], "2001:db8::7"),
        ("10.0.0.1", [], ["10.0.0.1"], "10.0.0.1"),
        ("10.0.0.1", [b"198.51.100.7, unknown"], ["10.0.0.1"], "10.0.0.1"),
        ("10.0.0.1", [b"\xff" * 9000], ["10.0.0.1"], "10.0.0.1"),
        ("10.1.2.3", [b"198.51.100.7, 10.9.9.9"], ["10.0.0.0/8"], "198.51.100.7"),
        ("11.1.2.3", [b"198.51.100.7"], ["10.0.0.0/8", "fd00::/8"], "11.1.2.3"),
        ("::ffff:10.1.2.3", [b"198.51.100.7"], ["10.0.0.0/8"], "198.51.100.7"),
        ("fd00::1", [b"198.51.100.7"], ["10.0.0.0/8", "fd00::/8"], "198.51.100.7"),
        ("", [b"198.51.100.7"], ["10.0.0.0/8"], ""),
    ],
)
def test_only_a_proxy_of_ours_is_believed_about_the_caller(
    peer: str, forwarded: list[bytes], proxies: list[str], caller: str
) -> None:
    assert address(peer, *forwarded, proxies=proxies) == caller


@pytest.mark.parametrize(
    ("one", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("not an address", "not an address"),
    ],
)
def test_limits_go_by_what_one_household_has(one: str, network: str) -> None:
    assert network_of(one) == network


async def test_the_log_holds_no_header_no_query_and_no_body(
    seeded_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(seeded_url) as service:
        key = ec_key(kid="a-kid-of-the-body")
        await service.draft(a_draft(key), path="/v1", **{"X-Secret": "a-header", "api-key": FJORD})
        client = await service.client()
        capsys.readouterr()
        answer = await client.get("/v1/client-secret?more=a-query")
        await client.post_key(client.key.private())
        await service.http.get(f"/confirm-client/{client.client_id}?redirectPort=4711")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line[0] == "{"]
    assert [line["route"] for line in lines] == [
        "/v1/client-secret",
        "/v1/client-secret",
        "/confirm-client/{client_id}",
    ]
    assert lines[0]["status"] == answer.status_code
    assert lines[0]["caller"] == f"client:{client.client_id}"
    assert lines[0]["trace_id"] in answer.headers["traceparent"]
    members = {"route", "method", "status", "ms", "caller", "trace_id", "event", "level"}
    assert all(line.keys() == members | {"timestamp"} for line in lines)
    said = json.dumps(lines)
    for secret in ("a-query", "4711", client.key.private()["d"], client.key.thumbprint):
        assert secret not in said


async def test_a_platforms_probes_are_no_news_until_they_fail(
    seeded_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(seeded_url) as service:
        assert (await service.http.get("/health/ready")).status_code == 200
        assert "/health/ready" not in capsys.readouterr().err
        await asyncio.to_thread(
            execute, seeded_url, "UPDATE alembic_version SET version_num = '0000'"
        )
        assert (await service.http.get("/health/ready")).status_code == 503
        assert '"/health/ready"' in capsys.readouterr().err


async def test_what_is_no_request_passes_unframed() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    frame = Frame(cast(ASGIApp, app), trusted_proxies=[], headers={})
    await frame(cast(Scope, {"type": "lifespan"}), cast(Receive, None), cast(Send, None))
    assert seen == ["lifespan"]


Event = dict[str, Any]


async def received(headers: list[tuple[bytes, bytes]], *chunks: bytes) -> list[Event]:
    """What an application is given that asks for the body until it is told that it has all."""
    server = iter([{"type": "http.request", "body": one, "more_body": True} for one in chunks])
    events: list[Event] = []

    async def receive() -> Event:
        return next(server, {"type": "http.request", "body": b"", "more_body": False})

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while not events or events[-1].get("more_body"):
            events.append(cast(Event, await receive()))

    scope = {"type": "http", "method": "POST", "client": ("192.0.2.1", 1), "headers": headers}
    frame = Frame(cast(ASGIApp, app), trusted_proxies=[], headers={})
    await frame(cast(Scope, scope), cast(Receive, receive), cast(Send, None))
    return events


async def test_a_body_that_is_as_long_as_announced_is_complete() -> None:
    events = await received([(b"content-length", b"4")], b"ab", b"cd")
    assert [(event["body"], event["more_body"]) for event in events] == [
        (b"ab", True),
        (b"cd", False),
    ]


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"content-length", b"")],
        [(b"content-length", b"2"), (b"transfer-encoding", b"chunked")],
    ],
)
async def test_a_body_of_unknown_length_ends_when_the_server_says_so(
    headers: list[tuple[bytes, bytes]],
) -> None:
    events = await received(headers, b"ab", b"cd")
    assert [event["body"] for event in events] == [b"ab", b"cd", b""]
