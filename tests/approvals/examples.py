"""A small catalogue, and a client to which things are granted."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.catalogue import (
    Api,
    ApiScope,
    Catalogue,
    ClientClaim,
    OrganizationRule,
    Policy,
    ScopeDecision,
    Tenancy,
    Texts,
)
from app.approvals.use_cases import ask_for_access
from app.clients.models import ClientConfiguration
from app.settings import Environment
from tests.examples import NOW, ORGANIZATION

TEXT = Texts(nb="tekst", nn="tekst", en="text")
CLIENT_SCOPE = "nhn:selvbetjening/client"
WAITING, REFUSED, LATER = "310000051", "310000086", "310000078"

CATALOGUE = Catalogue(
    apis=[
        Api(
            "nhn:selvbetjening",
            "Selvbetjening",
            "NHN",
            [ApiScope(CLIENT_SCOPE, TEXT, Policy.AUTOMATIC)],
        ),
        Api(
            "nhn:msh",
            "Meldingstjener",
            "NHN",
            [
                ApiScope("nhn:msh/api", TEXT),
                ApiScope("nhn:msh/open", TEXT, Policy.AUTOMATIC_IN_TEST),
            ],
            [ClientClaim("herid", TEXT)],
        ),
        Api(
            "nhn:pit",
            "PIT",
            "NHN",
            [ApiScope("nhn:pit/read", TEXT), ApiScope("nhn:pit/write", TEXT)],
        ),
    ],
    client_systems=[],
    organization_rules=[
        OrganizationRule(WAITING, scopes=ScopeDecision("all")),
        OrganizationRule(REFUSED, scopes=ScopeDecision("last", "refuse")),
        OrganizationRule(LATER, scopes=ScopeDecision("last", "approve", 60)),
    ],
)


async def new_client(db: AsyncSession, organization_number: str = ORGANIZATION) -> UUID:
    client = ClientConfiguration(
        client_id=uuid4(),
        client_system_id="epj",
        tenancy=Tenancy.SINGLE,
        organization_number=organization_number,
        organization_name="Legekontoret",
        redirect_uris=[],
        post_logout_redirect_uris=[],
        child_organization_numbers=[],
        created_at=NOW,
    )
    db.add(client)
    await db.flush()
    return client.client_id


async def ask(
    db: AsyncSession,
    client_id: UUID,
    scopes: Sequence[str],
    claims: Sequence[tuple[str, str]] = (),
    *,
    organization_number: str = ORGANIZATION,
    environment: Environment = Environment.TEST,
) -> bool:
    return await ask_for_access(
        db,
        client_id=client_id,
        organization_number=organization_number,
        scopes=scopes,
        claims=claims,
        catalogue=CATALOGUE,
        environment=environment,
        client_scope=CLIENT_SCOPE,
        now=NOW,
    )
