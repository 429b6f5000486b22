"""Reading a client over HTTP: its members, in whichever state its parts are."""

from typing import Any

import pytest

from tests.client_configurations.changing import FULL, LISTS, MSH, decide, statuses
from tests.serving import CLIENT_SCOPE, EDI, Client, Service


@pytest.fixture
async def client(service: Service) -> Client:
    return await service.client(**FULL)


async def test_every_required_member_is_there_also_when_null(client: Client) -> None:
    read = (await client.get()).json()
    assert read.keys() == LISTS
    for scope in read["apiScopes"]:
        assert scope.keys() == {"scope", "status", "statusReason", "statusReasonCode"}
    assert read["audienceSpecificClientClaims"] == [
        {
            "claimType": "herid",
            "activeClaimValue": "0",
            "pendingClaimValue": None,
            "status": "ok",
            "statusReason": None,
            "statusReasonCode": None,
        }
    ]
    assert read["apiScopes"][0] == {
        "scope": CLIENT_SCOPE,
        "status": "ok",
        "statusReason": None,
        "statusReasonCode": None,
    }
    assert {name: read[name] for name in ("redirectUris", "postLogoutRedirectUris")} == {
        name: FULL[name] for name in ("redirectUris", "postLogoutRedirectUris")
    }


async def test_lists_that_are_empty_are_there(service: Service) -> None:
    client = await service.client(EDI, apiScopes=[CLIENT_SCOPE])
    read = (await client.get()).json()
    assert read.pop("apiScopes")[0]["scope"] == CLIENT_SCOPE
    assert read == {name: [] for name in LISTS - {"apiScopes"}}


@pytest.mark.parametrize(
    ("accepted", "reason", "tag"),
    [
        (None, "venter på", "nb"),
        ("no", "venter på", "nb"),
        ("nn-NO, nb;q=0.5", "ventar på", "nn"),
        ("de, en-GB;q=0.8", "waits for", "en"),
    ],
)
async def test_reasons_come_in_the_callers_language(
    client: Client, accepted: str | None, reason: str, tag: str
) -> None:
    headers = {"Accept-Language": accepted} if accepted else {}
    answer = await client.get(**headers)
    waiting = answer.json()["apiScopes"][1]
    assert reason in waiting["statusReason"]
    assert waiting["statusReasonCode"] == "apiAccessPending"
    assert answer.headers["vary"] == "Accept-Language"
    assert answer.headers["etag"].endswith(f'-{tag}"')


async def test_what_an_owner_decides_is_told_in_both_forms(client: Client) -> None:
    async def both() -> tuple[Any, Any, Any]:
        read = statuses(await client.get())[MSH]
        legacy = (await client.get("/v0.1/client-status")).json()
        return read, legacy["status"], legacy["details"]["apiScopeAccessStatuses"][1]

    assert await both() == (
        ("pending", "apiAccessPending"),
        "Limited",
        {"granted": False, "scope": MSH, "reason": "ApiAccessPending"},
    )
    await decide(client, "approve", scope=MSH)
    granted = {"granted": True, "scope": MSH, "reason": None}
    assert await both() == (("ok", None), "Active", granted)
    await decide(client, "refuse", scope=MSH, reason="Avtalen er sagt opp.")
    read, status, legacy = await both()
    assert (read[0], status, legacy["granted"]) == ("pending", "Limited", False)
    assert legacy["reason"] == "ApiScopeAccessRevoked"
    assert "Avtalen er sagt opp." in (await client.get()).json()["apiScopes"][1]["statusReason"]


async def test_the_old_status_has_its_members(client: Client) -> None:
    answer = (await client.get("/v1/client-status")).json()
    assert answer.keys() == {"status", "details"}
    assert answer["details"].keys() == {"clientStatus", "apiScopeAccessStatuses"}
    assert answer["details"]["clientStatus"] == {"active": True, "reason": None}


async def test_an_unchanged_client_is_not_sent_again(client: Client) -> None:
    first = await client.get()
    tag = first.headers["etag"]
    again = await client.get(If_None_Match=f'W/"0-nb", {tag}')
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag
    assert again.headers["vary"] == "Accept-Language"
    assert (await client.get(If_None_Match=tag, Accept_Language="en")).status_code == 200
    await decide(client, "approve", scope=MSH)
    changed = await client.get(If_None_Match=tag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


async def test_a_single_tenant_client_has_no_delegations(client: Client) -> None:
    answer = await client.get("/v1/multi-tenant-delegations")
    assert (answer.status_code, answer.json()) == (200, [])
