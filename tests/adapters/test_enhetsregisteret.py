"""Every answer of Enhetsregisteret, and everything that is no answer."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2
import pytest

from app.adapters.enhetsregisteret import ANSWERS_WITHIN, TRIES, WITHIN, Enhetsregisteret
from app.adapters.http import CircuitBreaker, Neighbour
from app.organizations.register import RegisterEntry, RegisterUnavailable, Verdict
from app.sandbox.neighbours import Neighbours
from tests.raw_server import Asked, RawServer, answer, raw_server

NUMBER = "310000019"
UNIT = {"organisasjonsnummer": NUMBER, "respons_klasse": "Enhet", "navn": "Legekontoret AS"}


def register_at(url: str, breaker: CircuitBreaker | None = None) -> Enhetsregisteret:
    neighbour = Neighbour(
        url, contact="test@example.org", within=ANSWERS_WITHIN, tries=TRIES, breaker=breaker
    )
    return Enhetsregisteret(neighbour)


@pytest.fixture
async def register(stand_ins: Neighbours) -> AsyncIterator[Enhetsregisteret]:
    register = register_at(stand_ins.enhetsregisteret_url)
    yield register
    await register._neighbour.close()


@pytest.mark.parametrize(
    ("number", "verdict", "main_unit"),
    [
        (NUMBER, Verdict.MAIN_UNIT, None),
        ("310000124", Verdict.UNKNOWN_NUMBER, None),
        ("310000132", Verdict.DELETED, None),
        ("310000175", Verdict.SUB_UNIT, "310000019"),
        ("310900028", Verdict.REMOVED, None),
        ("310900036", Verdict.REMOVED, None),
        ("310900044", Verdict.BANKRUPT, None),
        ("310900052", Verdict.MAIN_UNIT, None),
        ("310900079", Verdict.ORGANIZATIONAL_PART, "310900060"),
        ("310900087", Verdict.SUB_UNIT, "310900079"),
    ],
)
async def test_each_number_has_its_verdict(
    register: Enhetsregisteret, number: str, verdict: Verdict, main_unit: str | None
) -> None:
    entry = await register.look_up(number, known=None)
    assert (entry.verdict, entry.main_unit) == (verdict, main_unit)


async def test_winding_up_is_told_and_does_not_block(register: Enhetsregisteret) -> None:
    assert (await register.look_up("310900052", known=None)).winding_up
    assert not (await register.look_up(NUMBER, known=None)).winding_up


async def test_what_has_not_changed_is_not_sent_again(
    register: Enhetsregisteret,
) -> None:
    known = await register.look_up(NUMBER, known=None)
    assert known.etag is not None
    assert await register.look_up(NUMBER, known=known) is known


async def test_two_failures_are_borne(
    register: Enhetsregisteret, controls: httpx2.AsyncClient
) -> None:
    await controls.put("/_sandbox/faults", json=[{"target": "brreg", "status": 503, "times": 2}])
    assert (await register.look_up(NUMBER, known=None)).verdict == Verdict.MAIN_UNIT


@pytest.mark.parametrize(
    "fault",
    [{"status": 503}, {"drop": True}, {"malformed": True}, {"delayMs": 5000}, {"status": 429}],
    ids=str,
)
async def test_failing_is_no_verdict(
    register: Enhetsregisteret, controls: httpx2.AsyncClient, fault: dict[str, object]
) -> None:
    await controls.put("/_sandbox/faults", json=[{"target": "brreg", **fault}])
    began = time.monotonic()
    with pytest.raises(RegisterUnavailable):
        await register.look_up(NUMBER, known=None)
    assert time.monotonic() - began < WITHIN + 0.5


async def test_a_register_that_hangs_is_spared(
    stand_ins: Neighbours, controls: httpx2.AsyncClient
) -> None:
    await controls.put("/_sandbox/faults", json=[{"target": "brreg", "delayMs": 5000}])
    register = register_at(stand_ins.enhetsregisteret_url, CircuitBreaker(after=1))
    for why in ("no answer within", "failed too often"):
        with pytest.raises(RegisterUnavailable, match=why):
            await register.look_up(NUMBER, known=None)
    await register._neighbour.close()


Says = Callable[[bytes], Awaitable[tuple[RawServer, Enhetsregisteret]]]


@pytest.fixture
async def says() -> AsyncIterator[Says]:
    """A register that always gives the same answer."""
    servers = []

    async def make(content: bytes) -> tuple[RawServer, Enhetsregisteret]:
        async def handler(_: Asked) -> bytes:
            return content

        server = raw_server(handler)
        servers.append(server)
        here = await server.__aenter__()
        register = register_at(here.url)
        closing.append(register)
        return here, register

    closing: list[Enhetsregisteret] = []
    yield make
    for register in closing:
        await register._neighbour.close()
    for server in servers:
        await server.__aexit__(None, None, None)


@pytest.mark.parametrize(
    "content",
    [
        answer(200, b"<html>Vedlikehold</html>", media_type="text/html"),
        answer(404, b"<html>nginx</html>", media_type="text/html"),
        answer(410, b"<html>nginx</html>", media_type="text/html"),
        answer(301, headers={"Location": "http://127.0.0.1:1/"}),
        answer(304),
        answer(204),
        answer(200, b""),
        answer(200, b"[]"),
        answer(200, b"\xff\xfe"),
        answer(200, b"[" * 100_000),
        answer(200, b'{"mer": ' + b"[" * 100_000),
        answer(200, {**UNIT, "organisasjonsnummer": "310000027"}),
        answer(200, {**UNIT, "organisasjonsnummer": 310000019}),
        answer(200, {**UNIT, "respons_klasse": "Noe"}),
        answer(200, {**UNIT, "respons_klasse": None}),
        answer(200, {**UNIT, "navn": ["A"]}),
        answer(200, {**UNIT, "navn": "A\x00B"}),
        answer(200, {**UNIT, "navn": "A" * 2_000_000}),
        answer(200, {**UNIT, "konkurs": "nei"}),
        answer(200, {**UNIT, "overordnetEnhet": "../../admin"}),
        answer(200, gzip.compress(b" " * 50_000_000), headers={"Content-Encoding": "gzip"}),
        b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n{",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
    ids=lambda content: repr(content[:60]),
)
async def test_nonsense_is_no_verdict(says: Says, content: bytes) -> None:
    _, register = await says(content)
    with pytest.raises(RegisterUnavailable):
        await register.look_up(NUMBER, known=None)


async def test_an_etag_that_cannot_be_sent_back_is_dropped(says: Says) -> None:
    _, register = await says(answer(200, UNIT, headers={"ETag": '"' + "x" * 300 + '"'}))
    assert (await register.look_up(NUMBER, known=None)).etag is None


async def test_unchanged_without_having_asked_for_it_is_no_verdict(says: Says) -> None:
    _, register = await says(answer(304))
    with pytest.raises(RegisterUnavailable):
        await register.look_up(NUMBER, known=RegisterEntry(Verdict.SUB_UNIT))


async def test_those_who_ask_at_once_ask_once(says: Says) -> None:
    server, register = await says(answer(200, UNIT))
    asking = [asyncio.create_task(register.look_up(NUMBER, known=None)) for _ in range(20)]
    await asyncio.sleep(0)
    asking[0].cancel()
    entries = await asyncio.gather(*asking[1:])
    assert {entry.verdict for entry in entries} == {Verdict.MAIN_UNIT}
    assert len(server.asked) == 1
    await register.look_up(NUMBER, known=None)
    assert len(server.asked) == 2


async def test_a_register_that_fails_is_spared(says: Says) -> None:
    server, register = await says(answer(500))
    for _ in range(5):
        with pytest.raises(RegisterUnavailable):
            await register.look_up(NUMBER, known=None)
    assert len(server.asked) == 5 * TRIES
    with pytest.raises(RegisterUnavailable, match="not asked"):
        await register.look_up(NUMBER, known=None)
    assert len(server.asked) == 5 * TRIES


async def test_it_says_who_asks_and_which_version_it_understands(says: Says) -> None:
    server, register = await says(answer(404))
    await register.look_up(NUMBER, known=None)
    main, sub = server.asked
    assert (main.path, sub.path) == (f"/enheter/{NUMBER}", f"/underenheter/{NUMBER}")
    assert main.headers["accept"] == "application/vnd.brreg.enhetsregisteret.enhet.v2+json"
    assert sub.headers["accept"] == "application/vnd.brreg.enhetsregisteret.underenhet.v2+json"
    assert "test@example.org" in main.headers["user-agent"]
