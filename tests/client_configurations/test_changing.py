"""Changing a client over HTTP: the rules, and what is published."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx2
import msgspec
import pytest
from sqlalchemy import func, select

from app.apis.models import CatalogueVersion
from app.apis.queries import newest_catalogue
from app.approvals.models import ClaimValue
from app.audit.models import AuditEvent
from app.audit.trail import Happened
from app.organizations.register import Verdict
from app.publications.models import Publication
from tests.client_configurations.changing import FULL, LISTS, LOOPBACK, MSH, decide, statuses
from tests.examples import NOW, ORGANIZATION
from tests.installers.keys import ec_key
from tests.installers.workshop import client_update
from tests.serving import CLIENT_SCOPE, EDI, Client, Service, an_organization, pointers, problem_of


@pytest.fixture
async def client(service: Service) -> Client:
    return await service.client(**FULL)


async def wanted(client: Client) -> int:
    statement = select(Publication.wanted).where(Publication.client_id == client.client_id)
    return int((await client.service.ask(statement))[0])


async def change_catalogue(service: Service, change: Callable[[Any], Any]) -> None:
    """A new version without the checks that an operator's would have to pass."""
    async with service.database.sessions.begin() as db:
        newest = await newest_catalogue(db)
        assert newest is not None
        content = msgspec.to_builtins(newest.content)
        change(content)
        catalogue = msgspec.convert(content, type(newest.content))
        db.add(CatalogueVersion(content=catalogue, applied_at=NOW))


def claims(answer: httpx2.Response) -> list[tuple[Any, ...]]:
    names = ("claimType", "activeClaimValue", "pendingClaimValue", "status")
    return [
        tuple(claim[name] for name in names)
        for claim in answer.json()["audienceSpecificClientClaims"]
    ]


@pytest.mark.parametrize("language", ["nb", "en"])
async def test_putting_back_what_was_read_changes_and_publishes_nothing(
    client: Client, language: str
) -> None:
    before = await client.get(Accept_Language=language)
    told, version = list(client.service.told), await wanted(client)
    body = client_update(before.json())
    for sent in (body, body | {"other": {"unknown": [1]}}):
        answer = await client.put(sent)
        assert (answer.status_code, answer.content) == (204, b"")
    after = await client.get(Accept_Language=language)
    assert after.json() == before.json()
    assert after.headers["etag"] == before.headers["etag"]
    assert (client.service.told, await wanted(client)) == (told, version)
    changed = select(func.count()).where(AuditEvent.happened == Happened.CLIENT_CHANGED)
    assert await client.service.ask(changed) == [0]


async def test_putting_back_a_client_that_waits_for_everything(service: Service) -> None:
    client = await service.client(
        organizationNumber="310000051", apiScopes=[CLIENT_SCOPE, MSH, "nhn:pit/api.read"]
    )
    before = await client.get()
    assert (await client.put(client_update(before.json()))).status_code == 204
    assert (await client.get()).json() == before.json()


async def test_a_change_is_published_before_it_is_answered(client: Client) -> None:
    version = await wanted(client)
    answer = await client.put(FULL | {"redirectUris": []})
    assert (answer.status_code, answer.content) == (204, b"")
    assert client.service.told == [(client.client_id, version + 1)]
    read = (await client.get()).json()
    assert read["redirectUris"] == []
    assert read["postLogoutRedirectUris"] == FULL["postLogoutRedirectUris"]
    events = select(AuditEvent).where(AuditEvent.happened == Happened.CLIENT_CHANGED)
    assert [event.actor for event in await client.service.ask(events)] == [
        f"client:{client.client_id}"
    ]


async def test_a_change_that_the_issuer_has_not_heard_of_is_made_all_the_same(
    client: Client,
) -> None:
    client.service.issuer_answers = False
    assert (await client.put(FULL | {"redirectUris": []})).status_code == 204
    assert (await client.get()).json()["redirectUris"] == []


async def test_what_is_left_out_is_given_up_and_null_is_the_same(client: Client) -> None:
    least = {"apiScopes": [CLIENT_SCOPE, MSH], "redirectUris": []}
    nulls = dict.fromkeys(LISTS - least.keys())
    for body in (least, least | nulls):
        await client.put(FULL)
        assert (await client.put(body)).status_code == 204
        read = (await client.get()).json()
        assert {read[name] == [] for name in LISTS - {"apiScopes"}} == {True}


@pytest.mark.parametrize("preference", ["return=representation", "Return=Representation; x"])
async def test_a_caller_who_prefers_it_gets_the_client_as_it_is_now(
    client: Client, preference: str
) -> None:
    answer = await client.put(FULL | {"redirectUris": LOOPBACK}, Prefer=preference)
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "return=representation"
    read = await client.get()
    assert answer.json() == read.json()
    assert answer.headers["etag"] == read.headers["etag"]
    assert (await client.put(FULL, Prefer="return=minimal")).status_code == 204


async def test_a_change_of_what_the_caller_has_not_seen_is_refused(client: Client) -> None:
    seen = (await client.get(Accept_Language="en")).headers["etag"]
    await decide(client, "approve", scope=MSH)
    answer = await client.put(FULL | {"redirectUris": []}, If_Match=seen)
    assert answer.status_code == 412
    assert problem_of(answer)["type"].endswith("/precondition-failed")
    assert (await client.get()).json()["redirectUris"] == FULL["redirectUris"]
    current = (await client.get()).headers["etag"]
    for fine in (f'W/"0-nb", {current}', "*"):
        assert (await client.put(FULL, If_Match=fine)).status_code == 204


@pytest.mark.parametrize("absent", [{}, {"redirectUris": None}], ids=["absent", "null"])
async def test_redirect_addresses_of_each_client_have_to_be_sent(
    client: Client, absent: dict[str, None]
) -> None:
    body = {name: value for name, value in FULL.items() if name != "redirectUris"}
    answer = await client.put(body | absent)
    assert answer.status_code == 400
    assert pointers(answer) == [("#/redirectUris", "missing")]
    assert answer.json()["property"] == "redirectUris"


async def test_shared_redirect_addresses_are_nobodys_own(service: Service) -> None:
    client = await service.client(EDI, apiScopes=[CLIENT_SCOPE])
    body: dict[str, Any] = {"apiScopes": [CLIENT_SCOPE]}
    fine: list[dict[str, Any]] = [{}, {"redirectUris": None}, {"redirectUris": []}]
    for each in fine:
        assert (await client.put(body | each)).status_code == 204
    answer = await client.put(body | {"redirectUris": LOOPBACK})
    assert pointers(answer) == [("#/redirectUris", "redirect_uris_are_shared")]


WRONG: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"apiScopes": None}, [("#/apiScopes", "empty")]),
    ({"apiScopes": []}, [("#/apiScopes", "empty")]),
    ({"apiScopes": [MSH]}, [("#/apiScopes", "client_scope_dropped")]),
    ({"apiScopes": "x"}, [("#/apiScopes", "wrong_type")]),
    (
        {"apiScopes": [CLIENT_SCOPE, MSH, "nhn:cppa/access"]},
        [("#/apiScopes/2", "scope_not_in_client_system")],
    ),
    ({"redirectUris": "x"}, [("#/redirectUris", "wrong_type")]),
    ({"redirectUris": ["http://evil.example"]}, [("#/redirectUris/0", "not_loopback")]),
    (
        {"apiScopes": [CLIENT_SCOPE]},
        [("#/audienceSpecificClientClaims/0/key", "claim_without_scope")],
    ),
    (
        {"audienceSpecificClientClaims": [{"claimType": "herid"}]},
        [
            ("#/audienceSpecificClientClaims/0/key", "missing"),
            ("#/audienceSpecificClientClaims/0/value", "missing"),
        ],
    ),
    (
        {"childOrganizationNumbers": ["310000018"]},
        [("#/childOrganizationNumbers/0", "wrong_check_digit")],
    ),
]


async def test_a_change_that_breaks_a_rule_changes_nothing(client: Client) -> None:
    before = await client.get()
    for members, errors in WRONG:
        answer = await client.put(FULL | members)
        assert answer.status_code == 400, members
        assert pointers(answer) == errors, members
    for raw in (b"", b"[]", b"null", b"{"):
        assert len(pointers(await client.put(raw))) == 1
    assert (await client.put(FULL, Content_Type="text/plain")).status_code == 415
    after = await client.get()
    assert (after.json(), after.headers["etag"]) == (before.json(), before.headers["etag"])


async def test_every_error_of_a_change_is_told_at_once(client: Client) -> None:
    answer = await client.put({"apiScopes": [7], "childOrganizationNumbers": ["310000018"]})
    assert pointers(answer) == [
        ("#/apiScopes/0", "wrong_type"),
        ("#/redirectUris", "missing"),
        ("#/childOrganizationNumbers/0", "wrong_check_digit"),
    ]


async def test_a_dropped_scope_loses_its_approval_and_is_asked_for_anew(client: Client) -> None:
    await decide(client, "approve", scope=MSH)
    without = {"apiScopes": [CLIENT_SCOPE], "redirectUris": []}
    await client.put(without)
    assert statuses(await client.get()) == {CLIENT_SCOPE: ("ok", None)}
    await client.put(FULL)
    assert statuses(await client.get())[MSH][0] == "pending"


async def test_an_owners_no_stands_when_the_scope_is_added_again(client: Client) -> None:
    await decide(client, "refuse", scope=MSH, reason="Ikke avtale.")
    refused = (await client.get()).json()["apiScopes"][1]
    assert (await client.put({"apiScopes": [CLIENT_SCOPE], "redirectUris": []})).is_success
    assert len((await client.get()).json()["apiScopes"]) == 1
    await client.put(FULL)
    assert (await client.get()).json()["apiScopes"][1] == refused


async def test_a_scope_that_the_system_has_lost_is_kept_but_not_added_again(
    client: Client,
) -> None:
    await decide(client, "approve", scope=MSH)
    await change_catalogue(
        client.service,
        lambda c: c["clientSystems"][0].update(
            scopes=[s for s in c["clientSystems"][0]["scopes"] if s["scope"] != MSH]
        ),
    )
    assert (await client.put(FULL | {"redirectUris": []})).status_code == 204
    assert statuses(await client.get())[MSH] == ("ok", None)
    await client.put({"apiScopes": [CLIENT_SCOPE], "redirectUris": []})
    answer = await client.put(FULL)
    assert pointers(answer) == [("#/apiScopes/1", "scope_not_in_client_system")]


async def test_a_client_whose_system_is_gone_is_read_and_says_so_when_changed(
    client: Client,
) -> None:
    await change_catalogue(client.service, lambda c: c["clientSystems"].pop(0))
    assert (await client.get()).status_code == 200
    assert pointers(await client.put(FULL)) == [("#", "no_client_system")]


async def test_a_client_that_never_had_the_client_scope_need_not_take_it(
    service: Service,
) -> None:
    client = await service.client(apiScopes=[MSH])
    assert (await client.put({"apiScopes": [MSH], "redirectUris": LOOPBACK})).status_code == 204


async def test_a_changed_claim_keeps_the_old_value_until_it_is_approved(
    service: Service,
) -> None:
    client = await service.client(organizationNumber="310000094", **FULL)

    async def put(value: str) -> list[tuple[Any, ...]]:
        body = FULL | {"audienceSpecificClientClaims": [{"key": "herid", "value": value}]}
        assert (await client.put(body)).status_code == 204
        return claims(await client.get())

    assert claims(await client.get()) == [("herid", "0", None, "ok")]
    assert await put("1") == [("herid", "0", "1", "updatePending")]
    version = await wanted(client)
    assert await put("1") == [("herid", "0", "1", "updatePending")]
    assert await wanted(client) == version
    assert await put("0") == [("herid", "0", None, "ok")]
    await put("2")
    before = await client.get()
    assert (await client.put(client_update(before.json()))).status_code == 204
    assert (await client.get()).json() == before.json()
    await decide(client, "approve", claim_type="herid")
    assert claims(await client.get()) == [("herid", "2", None, "ok")]
    await client.put(FULL | {"audienceSpecificClientClaims": None})
    assert claims(await client.get()) == []
    rows = select(ClaimValue).where(ClaimValue.client_id == client.client_id)
    assert await service.ask(rows) == []


async def test_a_new_sub_unit_stands_below_the_organization(client: Client) -> None:
    own, foreign = (an_organization(number, Verdict.SUB_UNIT) for number in CHILDREN)
    own.main_unit, foreign.main_unit = ORGANIZATION, "310000051"
    await client.service.add(own, foreign)
    refused = await client.put(FULL | {"childOrganizationNumbers": list(CHILDREN)})
    assert pointers(refused) == [("#/childOrganizationNumbers/1", "not_below_organization")]
    assert (await client.put(FULL | {"childOrganizationNumbers": [CHILDREN[0]]})).is_success
    assert (await client.get()).json()["childOrganizationNumbers"] == [CHILDREN[0]]


CHILDREN = ("310000175", "310000108")


@pytest.mark.race
async def test_changes_of_what_was_seen_go_one_after_the_other(client: Client) -> None:
    seen = (await client.get()).headers["etag"]

    async def change(number: int) -> int:
        body = FULL | {"redirectUris": [f"http://localhost:{4000 + number}/"]}
        return (await client.put(body, If_Match=seen)).status_code

    found = Counter(await asyncio.gather(*(change(number) for number in range(8))))
    assert found == {204: 1, 412: 7}


@pytest.mark.race
async def test_changes_keys_and_decisions_at_once_never_stop_each_other(client: Client) -> None:
    async def decisions() -> None:
        for decision in ("approve", "refuse") * 4:
            await decide(client, decision, scope=MSH)

    async def changes() -> list[int]:
        return [
            (await client.put(FULL | {"redirectUris": [f"http://localhost:{n}/"]})).status_code
            for n in range(4000, 4006)
        ]

    async def keys() -> list[int]:
        return [(await client.post_key(ec_key().members)).status_code for _ in range(6)]

    _, changed, added = await asyncio.gather(decisions(), changes(), keys())
    assert changed == [204] * 6
    assert added == [200] * 6
