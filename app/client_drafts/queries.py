"""The SQL of client drafts."""

from uuid import UUID

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.limits import COUNTS
from app.access.models import ApiKey
from app.apis.queries import newest_version
from app.audit.models import AuditEvent
from app.client_drafts.models import ClientDraft
from app.client_drafts.rules import DraftStatus
from app.client_keys.models import ClientKey
from app.database import HotStatement
from app.organizations.models import Organization

_one_row = select(literal_column("1").label("one")).subquery("one_row")

# What has to be known of a request for a draft, which is counted by the way; the organization's
# columns are null when nobody has looked it up yet.
WHAT_IS_KNOWN = HotStatement(
    select(
        newest_version().label("catalogue_version"),
        select(ApiKey.revoked_at.is_(None))
        .where(ApiKey.prefix == bindparam("api_key_prefix"))
        .scalar_subquery()
        .label("api_key_is_good"),
        select(ClientKey.client_id)
        .where(ClientKey.thumbprint == bindparam("thumbprint"))
        .scalar_subquery()
        .label("key_of"),
        Organization.organization_number,
        Organization.verdict,
        Organization.name,
        Organization.main_unit,
        Organization.winding_up,
        Organization.checked_at,
        COUNTS,
    )
    .select_from(_one_row)
    .outerjoin(Organization, Organization.organization_number == bindparam("organization_number"))
)

_columns = (
    "client_id",
    "client_system_id",
    "api_key_prefix",
    "organization_number",
    "asked",
    "public_key",
    "pairing",
    "activation",
    "replaces_keys_of",
    "external_ref",
    "created_at",
    "expires_at",
)
_draft = (
    insert(ClientDraft)
    .values(
        status=DraftStatus.PENDING, lengthened=0, **{name: bindparam(name) for name in _columns}
    )
    .returning(ClientDraft.client_id)
    .cte("draft")
)
_event = (
    insert(AuditEvent)
    .values(
        happened=bindparam("happened"),
        actor=bindparam("actor"),
        subject=bindparam("subject"),
        at=bindparam("created_at"),
        source=bindparam("source"),
        request_id=bindparam("request_id"),
    )
    .returning(AuditEvent.id)
    .cte("event")
)
KEEP_DRAFT = HotStatement(select(_draft.c.client_id).add_cte(_event))


async def draft_of(db: AsyncSession, client_id: UUID) -> ClientDraft | None:
    return await db.get(ClientDraft, client_id)


async def draft_to_decide(db: AsyncSession, client_id: UUID) -> ClientDraft | None:
    """The draft, locked until the transaction ends so that only one decision can win."""
    return await db.get(ClientDraft, client_id, with_for_update=True, populate_existing=True)


async def is_registered(db: AsyncSession, thumbprint: str) -> bool:
    """Whether a client has, or has had, this key."""
    found = await db.scalar(
        select(func.count()).select_from(ClientKey).where(ClientKey.thumbprint == thumbprint)
    )
    return bool(found)


async def newest_replacement(db: AsyncSession, client_id: UUID) -> ClientDraft | None:
    """The newest draft that is to replace the keys of this client."""
    return await db.scalar(
        select(ClientDraft)
        .where(ClientDraft.replaces_keys_of == client_id)
        .order_by(ClientDraft.created_at.desc())
        .limit(1)
    )
