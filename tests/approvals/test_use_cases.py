from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.models import ApiAccess, ClaimValue, ScopeAccess
from app.approvals.rules import AccessState
from app.settings import Environment
from tests.approvals.examples import CLIENT_SCOPE, LATER, REFUSED, WAITING, ask, new_client
from tests.examples import NOW

PENDING, GRANTED, REJECTED = AccessState.PENDING, AccessState.GRANTED, AccessState.REJECTED


async def scopes(db: AsyncSession) -> list[tuple[str, AccessState]]:
    rows = await db.execute(
        select(ScopeAccess.scope, ScopeAccess.state)
        .where(ScopeAccess.position.is_not(None))
        .order_by(ScopeAccess.position)
    )
    return [(row.scope, row.state) for row in rows]


async def apis(db: AsyncSession) -> dict[str, AccessState]:
    rows = await db.execute(select(ApiAccess.audience, ApiAccess.state))
    return {row.audience: row.state for row in rows}


async def claim(db: AsyncSession) -> tuple[str | None, str | None, bool] | None:
    columns = ClaimValue.active_value, ClaimValue.pending_value, ClaimValue.pending_refused
    row = (await db.execute(select(*columns))).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


async def test_automatic_scopes_are_granted_and_the_others_wait(db: AsyncSession) -> None:
    client = await new_client(db)
    assert await ask(db, client, ["nhn:msh/api", CLIENT_SCOPE, "nhn:msh/open", "nhn:pit/read"])
    assert await scopes(db) == [
        ("nhn:msh/api", PENDING),
        (CLIENT_SCOPE, GRANTED),
        ("nhn:msh/open", GRANTED),
        ("nhn:pit/read", PENDING),
    ]
    assert await apis(db) == {"nhn:selvbetjening": GRANTED, "nhn:msh": GRANTED, "nhn:pit": PENDING}


async def test_what_is_automatic_in_test_waits_in_production(db: AsyncSession) -> None:
    client = await new_client(db)
    await ask(db, client, ["nhn:msh/open"], environment=Environment.PRODUCTION)
    assert await scopes(db) == [("nhn:msh/open", PENDING)]


async def test_a_rule_for_an_organization_goes_before_the_policy(db: AsyncSession) -> None:
    client = await new_client(db)
    await ask(db, client, [CLIENT_SCOPE, "nhn:msh/open"], organization_number=WAITING)
    assert await scopes(db) == [(CLIENT_SCOPE, GRANTED), ("nhn:msh/open", PENDING)]


async def test_the_last_scope_but_never_the_client_scope_is_refused(db: AsyncSession) -> None:
    client = await new_client(db)
    asked = ["nhn:msh/open", "nhn:pit/read", CLIENT_SCOPE]
    await ask(db, client, asked, organization_number=REFUSED)
    assert await scopes(db) == [
        ("nhn:msh/open", GRANTED),
        ("nhn:pit/read", REJECTED),
        (CLIENT_SCOPE, GRANTED),
    ]


async def test_a_decision_of_later_has_its_time(db: AsyncSession) -> None:
    client = await new_client(db)
    await ask(db, client, [CLIENT_SCOPE, "nhn:msh/open"], organization_number=LATER)
    row = await db.get_one(ScopeAccess, (client, "nhn:msh/open"))
    assert row.state == PENDING
    assert row.decide_at is not None
    assert (row.decide_at - NOW).total_seconds() == 60


async def test_asking_for_the_same_again_changes_nothing(db: AsyncSession) -> None:
    client = await new_client(db)
    asked = [CLIENT_SCOPE, "nhn:msh/api"], [("herid", "0")]
    assert await ask(db, client, *asked)
    assert not await ask(db, client, *asked)


async def test_another_order_is_kept_and_is_a_change(db: AsyncSession) -> None:
    client = await new_client(db)
    await ask(db, client, [CLIENT_SCOPE, "nhn:msh/api"])
    assert await ask(db, client, ["nhn:msh/api", CLIENT_SCOPE])
    assert [scope for scope, _ in await scopes(db)] == ["nhn:msh/api", CLIENT_SCOPE]


async def test_a_dropped_scope_loses_its_approval(db: AsyncSession) -> None:
    client = await new_client(db)
    await ask(db, client, [CLIENT_SCOPE, "nhn:pit/read"])
    await db.execute(update(ScopeAccess).values(state=GRANTED))
    await db.execute(update(ApiAccess).values(state=GRANTED))
    assert await ask(db, client, [CLIENT_SCOPE])
    assert await apis(db) == {"nhn:selvbetjening": GRANTED}
    assert await ask(db, client, [CLIENT_SCOPE, "nhn:pit/read"])
    assert await scopes(db) == [(CLIENT_SCOPE, GRANTED), ("nhn:pit/read", PENDING)]
    assert (await apis(db))["nhn:pit"] == PENDING


async def test_a_rejection_stands_when_the_scope_is_dropped_and_asked_for_again(
    db: AsyncSession,
) -> None:
    client = await new_client(db)
    await ask(db, client, [CLIENT_SCOPE, "nhn:pit/read"], organization_number=REFUSED)
    assert await ask(db, client, [CLIENT_SCOPE])
    assert await scopes(db) == [(CLIENT_SCOPE, GRANTED)]
    assert await ask(db, client, [CLIENT_SCOPE, "nhn:pit/read"])
    assert await scopes(db) == [(CLIENT_SCOPE, GRANTED), ("nhn:pit/read", REJECTED)]


async def test_a_changed_claim_value_waits_beside_the_old_one(db: AsyncSession) -> None:
    client = await new_client(db)
    await ask(db, client, [CLIENT_SCOPE], [("herid", "1")])
    assert await claim(db) == (None, "1", False)
    await db.execute(update(ClaimValue).values(active_value="1", pending_value=None))
    assert await ask(db, client, [CLIENT_SCOPE], [("herid", "2")])
    assert await claim(db) == ("1", "2", False)
    assert not await ask(db, client, [CLIENT_SCOPE], [("herid", "2")])
    assert await ask(db, client, [CLIENT_SCOPE], [("herid", "1")])
    assert await claim(db) == ("1", None, False)


async def test_a_claim_that_is_left_out_is_removed(db: AsyncSession) -> None:
    client = await new_client(db)
    await ask(db, client, [CLIENT_SCOPE], [("herid", "1")])
    assert await ask(db, client, [CLIENT_SCOPE])
    assert await claim(db) is None
