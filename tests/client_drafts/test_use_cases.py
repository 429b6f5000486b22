"""What becomes of a draft: confirmed or declined, once."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import func, select, update

from app.apis.models import CatalogueVersion
from app.apis.queries import newest_catalogue
from app.approvals.models import ClaimValue, ScopeAccess
from app.approvals.rules import AccessState
from app.audit.models import AuditEvent
from app.changes.models import ClientChanges
from app.client_drafts.models import ClientDraft
from app.client_drafts.rules import (
    DeclineReason,
    DraftExpired,
    DraftNotFound,
    DraftOutdated,
    DraftStatus,
)
from app.client_drafts.use_cases import Decided, decline_client_draft, open_client_draft
from app.client_keys.models import ClientKey
from app.client_keys.rules import KeyOrigin, KeyState, KeyTaken
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.organizations.models import Organization
from app.organizations.register import Verdict
from app.publications.models import Publication
from app.state_machine import WrongState
from tests.examples import NOW, ORGANIZATION
from tests.installers.keys import InstallersKey, ec_key
from tests.serving import CLIENT_SCOPE, KARI, Service, a_draft


async def new_draft(service: Service, key: InstallersKey | None = None, **members: Any) -> UUID:
    answer = await service.draft(a_draft(key, **members))
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["clientId"])


async def decline(service: Service, client_id: UUID) -> Decided:
    async with service.database.sessions() as db:
        return await decline_client_draft(
            db, KARI, client_id, reason=DeclineReason.UNSURE, now=service.now
        )


async def count(service: Service, table: Any, client_id: UUID) -> int:
    statement = select(func.count()).where(table.client_id == client_id)
    found: int = (await service.ask(statement))[0]
    return found


async def test_confirming_makes_the_client_that_was_asked_for(service: Service) -> None:
    key = ec_key("P-384", kid="installation 7")
    client_id = await new_draft(
        service,
        key,
        apiScopes=[CLIENT_SCOPE, "nhn:msh/api"],
        audienceSpecificClientClaims=[{"key": "herid", "value": "0"}],
        redirectUris=["http://localhost:1337/callback"],
        postLogoutRedirectUris=["http://localhost:1337/after"],
        externalRef="maskin 7",
    )
    decided = await service.confirm(client_id)
    assert decided.draft.status == DraftStatus.CONFIRMED
    assert (decided.draft.decided_at, decided.draft.decided_by) == (NOW, "kari")

    client = (await service.ask(of(ClientConfiguration, client_id)))[0]
    assert client.status == ClientStatus.ACTIVE
    assert client.tenancy == "single-tenant"
    assert client.client_system_id == "fjord-epj"
    assert client.organization_number == ORGANIZATION
    assert client.organization_name == f"ENHET {ORGANIZATION}"
    assert client.redirect_uris == ["http://localhost:1337/callback"]
    assert client.post_logout_redirect_uris == ["http://localhost:1337/after"]
    assert client.external_ref == "maskin 7"

    scopes = await service.ask(of(ScopeAccess, client_id).order_by(ScopeAccess.position))
    assert [(scope.scope, scope.state) for scope in scopes] == [
        (CLIENT_SCOPE, AccessState.GRANTED),
        ("nhn:msh/api", AccessState.PENDING),
    ]
    claim = (await service.ask(of(ClaimValue, client_id)))[0]
    assert (claim.claim_type, claim.active_value) == ("herid", "0")


def of(table: Any, client_id: UUID) -> Any:
    return select(table).where(table.client_id == client_id)


async def test_the_first_keys_life_runs_from_the_confirmation_to_a_midnight(
    service: Service,
) -> None:
    key = ec_key(kid="installation 7")
    client_id = await new_draft(service, key)
    service.now = NOW + timedelta(hours=23)
    await service.confirm(client_id)
    stored = (await service.ask(of(ClientKey, client_id)))[0]
    assert (stored.thumbprint, stored.kid) == (key.thumbprint, "installation 7")
    assert (stored.origin, stored.state) == (KeyOrigin.API, KeyState.ACTIVATING)
    assert stored.created_at == NOW + timedelta(hours=23)
    assert stored.expires_at.isoformat() == "2027-02-21T00:00:00+00:00"


async def test_confirming_leaves_a_trail_and_something_to_publish(service: Service) -> None:
    client_id = await new_draft(service)
    decided = await service.confirm(client_id)
    assert decided.published_version == 1
    publication = (await service.ask(of(Publication, client_id)))[0]
    assert (publication.wanted, publication.published) == (1, 0)
    counter = (await service.ask(of(ClientChanges, client_id)))[0]
    assert counter.counter == 1
    trail = await service.ask(
        select(AuditEvent).where(AuditEvent.subject == str(client_id)).order_by(AuditEvent.id)
    )
    assert [(event.happened, event.actor) for event in trail] == [
        ("clientDraft.created", "api-key:sandbox-epj"),
        ("clientDraft.confirmed", "person:kari"),
    ]
    assert trail[1].source == "192.0.2.1"


async def test_declining_makes_no_client_and_keeps_the_reason(service: Service) -> None:
    client_id = await new_draft(service)
    decided = await decline(service, client_id)
    assert decided.draft.status == DraftStatus.DECLINED
    assert decided.draft.decline_reason == DeclineReason.UNSURE
    assert decided.published_version is None
    for table in (ClientConfiguration, ClientKey, Publication):
        assert await count(service, table, client_id) == 0
    trail = select(AuditEvent.details).where(AuditEvent.happened == "clientDraft.declined")
    assert await service.ask(trail) == [{"reason": "unsure"}]


async def test_a_decided_draft_stays_as_it_is(service: Service) -> None:
    confirmed, declined = await new_draft(service), await new_draft(service)
    await service.confirm(confirmed)
    await decline(service, declined)
    for client_id in (confirmed, declined):
        with pytest.raises(WrongState):
            await service.confirm(client_id)
        with pytest.raises(WrongState):
            await decline(service, client_id)
    assert await count(service, ClientConfiguration, confirmed) == 1
    assert await count(service, ClientConfiguration, declined) == 0


async def test_a_draft_that_nobody_made(service: Service) -> None:
    with pytest.raises(DraftNotFound):
        await service.confirm(uuid4())
    with pytest.raises(DraftNotFound):
        await decline(service, uuid4())
    async with service.database.sessions() as db:
        opened = await open_client_draft(
            db, KARI, uuid4(), redirect_port=None, redirect_path=None, now=NOW
        )
    assert opened is None


async def test_a_draft_expires_at_its_moment_and_not_before(service: Service) -> None:
    early, late = await new_draft(service), await new_draft(service)
    service.now = NOW + timedelta(hours=24) - timedelta(microseconds=1)
    await service.confirm(early)
    service.now = NOW + timedelta(hours=24)
    for decide in (service.confirm, lambda client_id: decline(service, client_id)):
        with pytest.raises(DraftExpired, match="2026-11-23 12:00 UTC"):
            await decide(late)
    assert await count(service, ClientConfiguration, late) == 0


async def test_a_draft_without_a_life_is_expired_when_it_is_made(service: Service) -> None:
    client_id = await new_draft(service, organizationNumber="310000043")
    with pytest.raises(DraftExpired):
        await service.confirm(client_id)


@pytest.mark.parametrize(
    "gone",
    [
        lambda c: c["clientSystems"].pop(0),
        lambda c: c["apis"].pop(1),
        lambda c: c["apis"][1]["claims"].clear(),
    ],
    ids=["system", "scope", "claim"],
)
async def test_what_has_left_the_catalogue_cannot_be_confirmed(service: Service, gone: Any) -> None:
    client_id = await new_draft(
        service,
        apiScopes=[CLIENT_SCOPE, "nhn:msh/api"],
        audienceSpecificClientClaims=[{"key": "herid", "value": "0"}],
    )
    async with service.database.sessions.begin() as db:
        newest = await newest_catalogue(db)
        assert newest is not None
        content = msgspec.to_builtins(newest.content)
        gone(content)
        db.add(
            CatalogueVersion(content=msgspec.convert(content, type(newest.content)), applied_at=NOW)
        )
    with pytest.raises(DraftOutdated, match="no longer in the catalogue") as refused:
        await service.confirm(client_id)
    assert not refused.value.organization_refused
    assert await statuses(service) == [DraftStatus.PENDING]
    await decline(service, client_id)


async def statuses(service: Service) -> list[DraftStatus]:
    return await service.ask(select(ClientDraft.status))


async def test_what_the_register_has_learnt_meanwhile_stands_against_it(
    service: Service,
) -> None:
    client_id = await new_draft(service)
    async with service.database.sessions.begin() as db:
        await db.execute(update(Organization).values(verdict=Verdict.BANKRUPT))
    with pytest.raises(DraftOutdated, match="is bankrupt") as refused:
        await service.confirm(client_id)
    assert refused.value.organization_refused


async def test_a_name_that_nobody_could_look_up_is_the_number(service: Service) -> None:
    client_id = await new_draft(service, organizationNumber="310000108")
    await service.confirm(client_id)
    names = select(ClientConfiguration.organization_name).where(
        ClientConfiguration.client_id == client_id
    )
    assert await service.ask(names) == ["310000108"]


async def test_a_key_that_another_client_has_got_meanwhile(service: Service) -> None:
    key = ec_key()
    first, second = await new_draft(service, key), await new_draft(service, key)
    await service.confirm(first)
    with pytest.raises(KeyTaken):
        await service.confirm(second)
    assert await count(service, ClientConfiguration, second) == 0
    assert set(await statuses(service)) == {DraftStatus.CONFIRMED, DraftStatus.PENDING}


async def test_opening_keeps_the_first_old_redirect_and_nothing_else(service: Service) -> None:
    bare = await new_draft(service)
    given = await new_draft(service, postClientConfirmationRedirectUri="http://localhost:1/x")
    for client_id, port in ((bare, 4711), (bare, 4712), (given, 4711)):
        async with service.database.sessions() as db:
            await open_client_draft(
                db, KARI, client_id, redirect_port=port, redirect_path="/y", now=service.now
            )
        service.now += timedelta(minutes=1)
    drafts = {draft.client_id: draft for draft in await service.ask(select(ClientDraft))}
    assert (drafts[bare].redirect_port, drafts[bare].redirect_path) == (4711, "/y")
    assert drafts[bare].opened_at == NOW
    assert (drafts[given].redirect_port, drafts[given].redirect_path) == (None, None)
    assert {draft.status for draft in drafts.values()} == {DraftStatus.PENDING}


async def outcomes(*deciding: Any) -> Counter[type]:
    decided = await asyncio.gather(*deciding, return_exceptions=True)
    return Counter(type(outcome) for outcome in decided)


@pytest.mark.race
async def test_of_eight_confirmations_one_makes_the_client(service: Service) -> None:
    client_id = await new_draft(service)
    found = await outcomes(*(service.confirm(client_id) for _ in range(8)))
    assert found == {Decided: 1, WrongState: 7}
    assert await count(service, ClientConfiguration, client_id) == 1
    confirmed = select(func.count()).where(AuditEvent.happened == "clientDraft.confirmed")
    assert await service.ask(confirmed) == [1]


@pytest.mark.race
async def test_confirming_and_declining_at_once_decide_once(service: Service) -> None:
    client_id = await new_draft(service)
    both = [(service.confirm, client_id), (lambda id_: decline(service, id_), client_id)] * 4
    found = await outcomes(*(decide(id_) for decide, id_ in both))
    assert found == {Decided: 1, WrongState: 7}
    status = (await statuses(service))[0]
    made = await count(service, ClientConfiguration, client_id)
    assert made == (1 if status == DraftStatus.CONFIRMED else 0)


@pytest.mark.race
async def test_of_eight_drafts_with_one_key_one_is_confirmed(service: Service) -> None:
    key = ec_key()
    drafts = [await new_draft(service, key) for _ in range(8)]
    found = await outcomes(*(service.confirm(client_id) for client_id in drafts))
    assert found == {Decided: 1, KeyTaken: 7}
    owners = select(ClientKey.client_id).where(ClientKey.thumbprint == key.thumbprint)
    assert len(await service.ask(owners)) == 1
    assert Counter(await statuses(service)) == {
        DraftStatus.CONFIRMED: 1,
        DraftStatus.PENDING: 7,
    }
