"""Revoking the token that came with a draft, as when it has leaked. One transaction."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.models import OnboardingTokenVersion
from app.access.onboarding_tokens import FIRST_VERSION
from app.audit.trail import Actor, Happened, record
from app.changes.queries import client_changed
from app.client_configurations.operator import NoSuchClient
from app.client_drafts.models import ClientDraft
from app.clients.models import ClientConfiguration


async def revoke_onboarding_token(
    db: AsyncSession, client_id: UUID, *, actor: Actor, now: datetime, reason: str | None = None
) -> None:
    """What was given out before opens nothing from now on; requests that it holds open end."""
    async with db.begin():
        draft = await db.get(ClientDraft, client_id)
        if draft is None and await db.get(ClientConfiguration, client_id) is None:
            raise NoSuchClient(f"No draft and no client has the id {client_id}.")
        raised = insert(OnboardingTokenVersion).values(
            client_id=client_id, version=FIRST_VERSION + 1
        )
        await db.execute(
            raised.on_conflict_do_update(
                index_elements=[OnboardingTokenVersion.client_id],
                set_={"version": OnboardingTokenVersion.version + 1},
            )
        )
        details = {"reason": reason} if reason else {}
        record(
            db, Happened.ONBOARDING_TOKEN_REVOKED, actor=actor, subject=client_id, at=now, **details
        )
        await client_changed(db, client_id)
