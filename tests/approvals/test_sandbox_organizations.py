"""What the sandbox's catalogue promises of organizations, for the installer of Fjord EPJ."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.rules import read_catalogue
from app.approvals.models import ClaimValue, ScopeAccess
from app.approvals.rules import AccessEvent, AccessState
from app.approvals.use_cases import ask_for_access
from app.settings import Environment
from tests.approvals.examples import CLIENT_SCOPE, new_client
from tests.examples import NOW

SANDBOX = Path(__file__).parents[2] / "app" / "sandbox"
CATALOGUE = read_catalogue((SANDBOX / "catalogue.json").read_bytes())
SFM_ID = "e-helse:sfm.api/client/claims/sfm-id"
PENDING, GRANTED = AccessState.PENDING, AccessState.GRANTED
REJECTED = AccessState.REJECTED


async def ask(db: AsyncSession, organization_number: str, value: str | None = None) -> None:
    client = (await db.scalars(select(ScopeAccess.client_id))).first()
    await ask_for_access(
        db,
        client_id=client or await new_client(db, organization_number),
        organization_number=organization_number,
        scopes=CATALOGUE.systems["fjord-epj"].preselected_scopes,
        claims=[(SFM_ID, value)] if value else [],
        catalogue=CATALOGUE,
        environment=Environment.TEST,
        client_scope=CLIENT_SCOPE,
        now=NOW,
    )


@pytest.mark.parametrize(
    ("organization_number", "states"),
    [
        ("310000019", [GRANTED, GRANTED, GRANTED, GRANTED]),
        ("310000051", [GRANTED, PENDING, PENDING, PENDING]),
        ("310000078", [GRANTED, GRANTED, GRANTED, PENDING]),
        ("310000086", [GRANTED, GRANTED, GRANTED, REJECTED]),
        ("310000094", [GRANTED, GRANTED, GRANTED, GRANTED]),
    ],
)
async def test_an_organizations_number_says_what_its_scopes_wait_for(
    db: AsyncSession, organization_number: str, states: list[AccessState]
) -> None:
    await ask(db, organization_number)
    found = await db.scalars(select(ScopeAccess.state).order_by(ScopeAccess.position))
    assert list(found) == states


async def test_310000078_is_approved_after_a_minute(db: AsyncSession) -> None:
    await ask(db, "310000078")
    row = (await db.scalars(select(ScopeAccess).where(ScopeAccess.state == PENDING))).one()
    assert (row.decide_at, row.decide_as) == (NOW + timedelta(seconds=60), AccessEvent.APPROVE)


@pytest.mark.parametrize(
    ("organization_number", "values"),
    [("310000019", ("2", None)), ("310000094", ("1", "2"))],
)
async def test_a_changed_claim_waits_for_310000094_alone(
    db: AsyncSession, organization_number: str, values: tuple[str, str | None]
) -> None:
    await ask(db, organization_number, "1")
    await ask(db, organization_number, "2")
    row = (await db.scalars(select(ClaimValue))).one()
    assert (row.active_value, row.pending_value) == values


def test_the_draft_of_310000043_has_expired_at_once() -> None:
    assert CATALOGUE.rule_of_organization["310000043"].draft_life_seconds == 0


def test_the_sample_key_is_that_of_the_declared_client() -> None:
    sample = json.loads((SANDBOX / "multi_tenant_client.json").read_text(encoding="utf-8"))
    declared = CATALOGUE.clients[0]
    assert sample["clientId"] == str(declared.client_id)
    private = ECKey.import_key(sample["privateJwk"])
    assert private.thumbprint() == ECKey.import_key(dict(declared.public_jwks[0])).thumbprint()
    assert "SAMPLE" in sample["notice"]
