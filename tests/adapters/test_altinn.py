"""Altinn over HTTP: the real adapter against the simulator, and against one that misbehaves."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx2
import msgspec
import pytest

from app.adapters import altinn_calls
from app.adapters.altinn import AltinnScopes, HttpAltinn
from app.adapters.altinn_calls import AltinnCalls
from app.adapters.http import CircuitBreaker, Neighbour
from app.adapters.maskinporten import AltinnTokens, MaskinportenKey
from app.apis.catalogue import Right, RightKind, Texts
from app.delegations.altinn import AltinnBusy, AltinnUnavailable, Question, RequestsOff
from app.delegations.answers import Found, RequestStatus, Source
from app.sandbox.neighbours import Neighbours
from tests.adapters.test_maskinporten import token_that_ends
from tests.raw_server import Asked, RawServer, answer, raw_server
from tests.sandbox.processes import running
from tests.sandbox.service_owner import GENERIC, KEY, PROCESSOR, SCOPE, SUBSCRIPTION, WORLD

CUSTOMER, SUPPLIER = "310000019", "310700029"
NOTHING, DOWN, CONTRADICTING = "310000183", "310000213", "310000221"
TITLE = Texts(nb="Retten", nn="Retten", en="The right")
SCHEMA = Right(
    name="processor",
    title=TITLE,
    kind=RightKind.MASKINPORTEN_SCHEMA,
    resource_id=PROCESSOR,
    maskinporten_scope=SCOPE,
)
ACCESS = Right(name="access", title=TITLE, kind=RightKind.GENERIC_ACCESS, resource_id=GENERIC)
SCOPES = AltinnScopes(
    maskinporten="altinn:maskinporten/delegations",
    parties="altinn:accessmanagement/authorizedparties.resourceowner",
    pdp="altinn:authorization/authorize",
    requests=(
        "altinn:serviceowner/delegationrequests.read altinn:serviceowner/delegationrequests.write"
    ),
)
SOURCES = [Source.MASKINPORTEN, Source.PDP, Source.AUTHORIZED_PARTIES]


class Bucket:
    """A budget of so many calls."""

    def __init__(self, calls: float = float("inf")) -> None:
        self.calls = calls
        self.taken: list[tuple[str, bool]] = []

    async def take(self, product: str, *, urgent: bool) -> float:
        if self.calls <= 0:
            return 7.0
        self.calls -= 1
        self.taken.append((product, urgent))
        return 0.0


@asynccontextmanager
async def altinn_at(
    altinn_url: str,
    maskinporten_url: str,
    *,
    pages_url: str,
    budget: Bucket | None = None,
    breaker: CircuitBreaker | None = None,
    within: float = altinn_calls.WITHIN,
) -> AsyncIterator[HttpAltinn]:
    never = CircuitBreaker(after=10_000)
    key = MaskinportenKey(msgspec.json.encode(KEY.as_dict(private=True)).decode())
    async with (
        Neighbour(altinn_url, contact="x", within=within, breaker=never) as platform,
        Neighbour(maskinporten_url, contact="x", within=3, breaker=never) as maskinporten,
    ):
        tokens = AltinnTokens(maskinporten, platform, client_id="our-client", key=key)
        calls = AltinnCalls(
            platform, tokens, budget or Bucket(), subscription_key=SUBSCRIPTION, breaker=breaker
        )
        yield HttpAltinn(calls, SCOPES, pages_url=pages_url)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with running(WORLD, tmp_path_factory.mktemp("altinn")) as here:
        yield here


@pytest.fixture
async def controls(world: Neighbours) -> AsyncIterator[httpx2.AsyncClient]:
    url = f"{world.neighbours_url}/_sandbox"
    async with httpx2.AsyncClient(base_url=url, trust_env=False) as client:
        yield client
        await client.delete("/faults")
        await client.put("/altinn/settings", json={})


@pytest.fixture
async def altinn(world: Neighbours) -> AsyncIterator[HttpAltinn]:
    async with altinn_at(
        world.altinn_url, world.maskinporten_url, pages_url=world.altinn_pages_url
    ) as altinn:
        yield altinn


def question(right: Right = SCHEMA, giver: str = CUSTOMER) -> Question:
    return Question(right=right, giver=giver, receiver=SUPPLIER)


def right_for(source: Source) -> Right:
    return ACCESS if source == Source.PDP else SCHEMA


async def press(
    controls: httpx2.AsyncClient, giver: str, right: Right, action: str = "grant"
) -> None:
    body = {"from": giver, "to": SUPPLIER, "right": right.resource_id, "action": action}
    assert (await controls.post("/delegations", json=body)).is_success


@pytest.mark.parametrize(
    ("source", "right"),
    [
        (Source.MASKINPORTEN, SCHEMA),
        (Source.PDP, ACCESS),
        (Source.AUTHORIZED_PARTIES, SCHEMA),
        (Source.AUTHORIZED_PARTIES, ACCESS),
    ],
)
async def test_what_is_given_is_found_by_every_call(
    altinn: HttpAltinn, controls: httpx2.AsyncClient, source: Source, right: Right
) -> None:
    await press(controls, NOTHING, right, "revoke")
    before = await altinn.look_up(question(right, NOTHING), source)
    assert (before.found, before.source) == (Found.NOT_GIVEN, source)
    await press(controls, NOTHING, right)
    after = await altinn.look_up(question(right, NOTHING), source)
    assert after.found == Found.GIVEN
    assert after.request_ref
    assert after.decision


async def test_the_calls_contradict_each_other_about_221(altinn: HttpAltinn) -> None:
    answers = [
        (await altinn.look_up(question(giver=CONTRADICTING), source)).found
        for source in (Source.MASKINPORTEN, Source.AUTHORIZED_PARTIES)
    ]
    assert sorted(answers) == [Found.GIVEN, Found.NOT_GIVEN]


async def test_a_number_that_altinn_does_not_know_is_told_from_a_missing_right(
    altinn: HttpAltinn,
) -> None:
    found = await altinn.look_up(question(giver="310000124"), Source.MASKINPORTEN)
    assert found.found == Found.NO_SUCH_PARTY


async def test_a_supplier_that_altinn_does_not_know_is_no_answer(altinn: HttpAltinn) -> None:
    asked = Question(right=SCHEMA, giver=CUSTOMER, receiver="310000124")
    with pytest.raises(AltinnUnavailable):
        await altinn.look_up(asked, Source.MASKINPORTEN)


async def test_a_scope_that_is_not_ours_is_no_answer(altinn: HttpAltinn) -> None:
    foreign = msgspec.structs.replace(SCHEMA, maskinporten_scope="skd:something")
    with pytest.raises(AltinnUnavailable):
        await altinn.look_up(question(foreign), Source.MASKINPORTEN)


async def test_a_resource_that_altinn_does_not_know_is_no_answer(altinn: HttpAltinn) -> None:
    """`Indeterminate`, with 200."""
    unknown = msgspec.structs.replace(ACCESS, resource_id="nhn-nothing")
    with pytest.raises(AltinnUnavailable, match="Indeterminate"):
        await altinn.look_up(question(unknown), Source.PDP)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503},
        {"status": 403},
        {"status": 404},
        {"malformed": True},
        {"drop": True},
        {"loseAnswer": True},
        {"special": "problem"},
    ],
)
async def test_a_fault_is_no_answer(
    altinn: HttpAltinn, controls: httpx2.AsyncClient, source: Source, fault: dict[str, Any]
) -> None:
    await controls.put("/faults", json=[{"target": "altinn", **fault}])
    with pytest.raises(AltinnUnavailable):
        await altinn.look_up(question(right_for(source)), source)


@pytest.mark.parametrize("special", ["indeterminate", "wrongCount"])
async def test_a_decision_that_is_none_is_no_answer(
    altinn: HttpAltinn, controls: httpx2.AsyncClient, special: str
) -> None:
    await controls.put("/faults", json=[{"target": "altinn", "special": special}])
    with pytest.raises(AltinnUnavailable):
        await altinn.look_up(question(ACCESS), Source.PDP)


async def test_a_hidden_failure_looks_like_a_no(
    altinn: HttpAltinn, controls: httpx2.AsyncClient
) -> None:
    """Which is why one no takes nothing away."""
    await press(controls, CUSTOMER, ACCESS)
    await controls.put("/faults", json=[{"target": "altinn", "special": "swallowedException"}])
    found = await altinn.look_up(question(ACCESS), Source.PDP)
    assert (found.found, found.decision) == (Found.NOT_GIVEN, "NotApplicable")


async def test_an_access_list_is_a_no(altinn: HttpAltinn, controls: httpx2.AsyncClient) -> None:
    await press(controls, CUSTOMER, ACCESS)
    await controls.put("/altinn/settings", json={"accessList": True})
    found = await altinn.look_up(question(ACCESS), Source.PDP)
    assert (found.found, found.decision) == (Found.NOT_GIVEN, "Deny")


async def test_a_failure_that_passes_is_not_noticed(
    altinn: HttpAltinn, controls: httpx2.AsyncClient
) -> None:
    # Of the look-up alone: the token's exchange is a call of its own.
    fault = {"target": "altinn", "path": "/accessmanagement/*", "status": 503, "times": 2}
    await controls.put("/faults", json=[fault])
    found = await altinn.look_up(question(), Source.MASKINPORTEN)
    assert found.found == Found.GIVEN


async def test_213_is_out_of_order_for_every_call(altinn: HttpAltinn) -> None:
    for source in SOURCES:
        with pytest.raises(AltinnUnavailable):
            await altinn.look_up(question(right_for(source), DOWN), source)


async def test_too_many_calls_leave_the_product_alone_for_as_long_as_it_says(
    altinn: HttpAltinn, controls: httpx2.AsyncClient
) -> None:
    path = "/accessmanagement/*"
    fault = {"target": "altinn", "path": path, "status": 429, "retryAfter": 30, "times": 1}
    await controls.put("/faults", json=[fault])
    with pytest.raises(AltinnBusy) as busy:
        await altinn.look_up(question(), Source.MASKINPORTEN)
    assert busy.value.seconds == 30
    with pytest.raises(AltinnBusy) as still:
        await altinn.look_up(question(), Source.MASKINPORTEN)
    assert 29 < still.value.seconds <= 30
    assert (await altinn.look_up(question(), Source.AUTHORIZED_PARTIES)).found == Found.GIVEN


async def test_too_many_calls_may_be_said_with_a_date(
    altinn: HttpAltinn, controls: httpx2.AsyncClient
) -> None:
    fault = {"target": "altinn", "special": "tooManyRequestsDate", "path": "/accessmanagement/*"}
    await controls.put("/faults", json=[{**fault, "retryAfter": 60}])
    with pytest.raises(AltinnBusy) as busy:
        await altinn.look_up(question(), Source.MASKINPORTEN)
    assert 50 < busy.value.seconds <= 61


async def test_a_request_goes_from_draft_to_the_right(
    altinn: HttpAltinn, controls: httpx2.AsyncClient, world: Neighbours
) -> None:
    giver = "310900060"
    await press(controls, giver, ACCESS, "revoke")
    made = await altinn.make_request(question(ACCESS, giver))
    assert made.status == RequestStatus.DRAFT
    assert made.link.startswith(world.altinn_pages_url)
    assert made.id in made.link
    # The same draft again, as long as it is one.
    assert (await altinn.make_request(question(ACCESS, giver))).id == made.id
    for step, status in (("confirm", RequestStatus.PENDING), ("approve", RequestStatus.APPROVED)):
        pressed = await controls.post(f"/altinn/requests/{made.id}/{step}")
        assert pressed.is_success, pressed.text
        assert await altinn.request_status(made.id, urgent=True) == status
    assert (await altinn.look_up(question(ACCESS, giver), Source.PDP)).found == Found.GIVEN
    await altinn.withdraw_request(made.id)  # it is decided, and stays so
    assert await altinn.request_status(made.id, urgent=True) == RequestStatus.APPROVED


async def test_a_request_can_be_withdrawn(altinn: HttpAltinn) -> None:
    made = await altinn.make_request(question(ACCESS, "310000051"))
    await altinn.withdraw_request(made.id)
    assert await altinn.request_status(made.id, urgent=False) == RequestStatus.WITHDRAWN
    await altinn.withdraw_request(made.id)
    await altinn.withdraw_request("9b6f6d55-6b0a-4ef5-9d8e-3a3ed1c0f7aa")


async def test_a_bundle_of_scopes_cannot_be_requested(altinn: HttpAltinn) -> None:
    with pytest.raises(RequestsOff):
        await altinn.make_request(question(SCHEMA))


async def test_where_requests_are_switched_off_that_is_said(
    altinn: HttpAltinn, controls: httpx2.AsyncClient
) -> None:
    made = await altinn.make_request(question(ACCESS, "310000078"))
    await controls.put("/altinn/settings", json={"featureOff": True})
    with pytest.raises(RequestsOff):
        await altinn.make_request(question(ACCESS))
    with pytest.raises(AltinnUnavailable):
        await altinn.request_status(made.id, urgent=False)
    await altinn.withdraw_request(made.id)  # nothing is there that could be withdrawn


async def test_a_request_that_failed_is_not_repeated(
    altinn: HttpAltinn, controls: httpx2.AsyncClient
) -> None:
    await controls.delete("/altinn/calls")
    fault = {"target": "altinn", "path": "/accessmanagement/*", "status": 503}
    await controls.put("/faults", json=[fault])
    with pytest.raises(AltinnUnavailable):
        await altinn.make_request(question(ACCESS))
    calls = (await controls.get("/altinn/calls")).json()
    assert calls["delegationRequests"] == 1


async def test_every_try_is_paid_for(world: Neighbours, controls: httpx2.AsyncClient) -> None:
    budget = Bucket(4)
    async with altinn_at(
        world.altinn_url, world.maskinporten_url, pages_url="https://a", budget=budget
    ) as altinn:
        await altinn.look_up(question(), Source.MASKINPORTEN)
        await controls.delete("/altinn/calls")
        fault = {"target": "altinn", "path": "/accessmanagement/*", "status": 503}
        await controls.put("/faults", json=[fault])
        with pytest.raises(AltinnUnavailable):
            await altinn.look_up(question(), Source.MASKINPORTEN)
        with pytest.raises(AltinnBusy) as busy:
            await altinn.look_up(question(), Source.MASKINPORTEN)
    assert busy.value.seconds == 7
    assert (await controls.get("/altinn/calls")).json()["maskinportenDelegations"] == 3
    assert budget.taken == [(Source.MASKINPORTEN, False)] * 4


# What follows is said by no Altinn that is well.


class Odd:
    """Gives a token, and then says exactly what it is told to."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)

    async def __call__(self, asked: Asked) -> bytes:
        if asked.path == "/token":
            return answer(200, {"access_token": "m"})
        if asked.path.startswith("/authentication"):
            token = token_that_ends(time.time() + 1800)
            return answer(200, token.encode(), media_type="text/plain")
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@asynccontextmanager
async def odd_altinn(
    handler: Callable[[Asked], Awaitable[bytes]],
    breaker: CircuitBreaker | None = None,
    within: float = 2,
) -> AsyncIterator[tuple[HttpAltinn, RawServer]]:
    async with (
        raw_server(handler) as server,
        altinn_at(
            server.url,
            server.url,
            pages_url="https://am.ui.altinn.no/accessmanagement/ui",
            breaker=breaker,
            within=within,
        ) as altinn,
    ):
        yield altinn, server


def row(**members: object) -> dict[str, object]:
    good: dict[str, object] = {
        "consumer_org": CUSTOMER,
        "supplier_org": SUPPLIER,
        "delegation_scheme_Id": None,
        "scopes": [SCOPE],
    }
    return good | members


@pytest.mark.parametrize(
    "body",
    [
        {"not": "a list"},
        [row(scopes=None)],
        [row(consumer_org="310000051")],
        [row(supplier_org="310700037")],
        [row(), row(consumer_org="310000051")],
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
async def test_an_answer_about_something_else_is_none(body: object) -> None:
    async with odd_altinn(Odd(answer(200, body))) as (altinn, _):
        with pytest.raises(AltinnUnavailable):
            await altinn.look_up(question(), Source.MASKINPORTEN)


async def test_another_scope_of_the_same_parties_is_a_no() -> None:
    async with odd_altinn(Odd(answer(200, [row(scopes=["nhn:other"])]))) as (altinn, _):
        found = await altinn.look_up(question(), Source.MASKINPORTEN)
    assert found.found == Found.NOT_GIVEN


@pytest.mark.parametrize(
    "party",
    [
        {"onlyHierarchyElementWithNoAccess": True},
        {"authorizedResources": []},
        {"organizationNumber": "310000051"},
    ],
)
async def test_a_heading_is_no_access(party: dict[str, object]) -> None:
    good = {"organizationNumber": CUSTOMER, "authorizedResources": [PROCESSOR]}
    async with odd_altinn(Odd(answer(200, [good | party]), answer(200, [good]))) as (altinn, _):
        found = await altinn.look_up(question(), Source.AUTHORIZED_PARTIES)
        assert found.found == Found.NOT_GIVEN
        found = await altinn.look_up(question(), Source.AUTHORIZED_PARTIES)
        assert found.found == Found.GIVEN


@pytest.mark.parametrize(
    "decisions",
    [[], [{"Decision": "Permit"}] * 2, [{"Decision": "permit"}], [{}], [{"Decision": "Maybe"}]],
)
async def test_decisions_are_counted_and_read_to_the_letter(decisions: list[object]) -> None:
    async with odd_altinn(Odd(answer(200, {"Response": decisions}))) as (altinn, _):
        with pytest.raises(AltinnUnavailable):
            await altinn.look_up(question(ACCESS), Source.PDP)


@pytest.mark.parametrize(
    "link", ["", "https://evil.example/requests", "javascript:alert(1)", "https://am.ui.altinn.no"]
)
async def test_people_are_sent_to_altinns_own_pages_only(link: str) -> None:
    body = {"id": "r", "status": "Draft", "links": {"detailsLink": link}}
    async with odd_altinn(Odd(answer(202, body))) as (altinn, _):
        made = await altinn.make_request(question(ACCESS))
    assert made.link.startswith("https://am.ui.altinn.no")


async def test_a_token_that_is_refused_is_renewed_once() -> None:
    good = answer(200, [row()])
    async with odd_altinn(Odd(answer(401), good)) as (altinn, server):
        found = await altinn.look_up(question(), Source.MASKINPORTEN)
    assert found.found == Found.GIVEN
    assert server.paths().count("POST /token") == 2
    async with odd_altinn(Odd(answer(401))) as (altinn, server):
        with pytest.raises(AltinnUnavailable, match="does not take our token"):
            await altinn.look_up(question(), Source.MASKINPORTEN)


async def test_a_call_that_hangs_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(altinn_calls, "FIRST_PAUSE", 0.01)

    class Hanging(Odd):
        async def __call__(self, asked: Asked) -> bytes:
            if asked.path.startswith("/accessmanagement"):
                await asyncio.sleep(30)
            return await super().__call__(asked)

    async with odd_altinn(Hanging(answer()), within=0.2) as (altinn, server):
        began = time.monotonic()
        with pytest.raises(AltinnUnavailable):
            await altinn.look_up(question(), Source.MASKINPORTEN)
        assert time.monotonic() - began < 3
    assert sum(asked.path.startswith("/accessmanagement") for asked in server.asked) == 3


async def test_an_altinn_that_fails_on_is_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(altinn_calls, "FIRST_PAUSE", 0.001)
    now = 0.0
    breaker = CircuitBreaker(after=2, rest=3, clock=lambda: now)
    async with odd_altinn(Odd(answer(503)), breaker) as (altinn, server):
        for _ in range(2):
            with pytest.raises(AltinnUnavailable):
                await altinn.look_up(question(), Source.MASKINPORTEN)
        calls = len(server.asked)
        with pytest.raises(AltinnBusy):
            await altinn.look_up(question(), Source.MASKINPORTEN)
        assert len(server.asked) == calls
        now = 4.0
        with pytest.raises(AltinnUnavailable):
            await altinn.look_up(question(), Source.MASKINPORTEN)
        assert len(server.asked) > calls


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        ("12", 12, 12),
        (timedelta(seconds=600), 500, 600),
        (format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True), 0, 0),
        ("999999999", 3600, 3600),
        ("soon", 2, 60),
        (None, 2, 60),
        ("-5", 2, 60),
    ],
)
async def test_how_long_to_wait_may_be_said_in_many_ways(
    said: str | timedelta | None, least: float, most: float
) -> None:
    if isinstance(said, timedelta):
        said = format_datetime(datetime.now(UTC) + said, usegmt=True)
    headers = {"Retry-After": said} if said else {}
    async with odd_altinn(Odd(answer(429, headers=headers))) as (altinn, _):
        with pytest.raises(AltinnBusy) as busy:
            await altinn.look_up(question(), Source.MASKINPORTEN)
    assert least <= busy.value.seconds <= most
