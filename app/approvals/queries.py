"""A client's accesses. Locks are taken in one order: scopes, then APIs, then claims."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.models import ApiAccess, ClaimValue, ScopeAccess


async def scopes_to_change(db: AsyncSession, client_id: UUID) -> dict[str, ScopeAccess]:
    """By scope; the remembered ones of scopes that the client has dropped are among them."""
    rows = await db.scalars(
        select(ScopeAccess)
        .where(ScopeAccess.client_id == client_id)
        .order_by(ScopeAccess.scope)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.scope: row for row in rows}


async def apis_to_change(db: AsyncSession, client_id: UUID) -> dict[str, ApiAccess]:
    rows = await db.scalars(
        select(ApiAccess)
        .where(ApiAccess.client_id == client_id)
        .order_by(ApiAccess.audience)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.audience: row for row in rows}


async def claims_to_change(db: AsyncSession, client_id: UUID) -> dict[str, ClaimValue]:
    rows = await db.scalars(
        select(ClaimValue)
        .where(ClaimValue.client_id == client_id)
        .order_by(ClaimValue.claim_type)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.claim_type: row for row in rows}


async def due_scope(db: AsyncSession, now: datetime) -> ScopeAccess | None:
    """One scope whose owner's decision has fallen due, unless another process has it in hand."""
    return await db.scalar(
        select(ScopeAccess)
        .where(ScopeAccess.decide_at <= now)
        .order_by(ScopeAccess.decide_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


async def next_due_scope(db: AsyncSession, after: datetime) -> datetime | None:
    due = func.min(ScopeAccess.decide_at)
    return await db.scalar(select(due).where(ScopeAccess.decide_at > after))


async def api_to_change(db: AsyncSession, client_id: UUID, audience: str) -> ApiAccess:
    return await db.get_one(
        ApiAccess, (client_id, audience), with_for_update=True, populate_existing=True
    )
