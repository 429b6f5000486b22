"""The SQL of a client's keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Float,
    Row,
    and_,
    bindparam,
    func,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.changes.models import ClientChanges
from app.client_keys.models import ClientKey
from app.client_keys.rules import LIVE
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.database import HotStatement
from app.publications.models import Publication

proof_key = aliased(ClientKey)


def is_live(key: type[ClientKey]) -> ColumnElement[bool]:
    # Not `in_`, whose list is made anew at each run: a hot statement is compiled once.
    return or_(*(key.state == state for state in LIVE))


IS_OWN_PROOF_KEY = and_(
    proof_key.thumbprint == bindparam("proof_thumbprint"),
    proof_key.client_id == ClientConfiguration.client_id,
)
HAS_ENDED = and_(proof_key.thumbprint.is_not(None), not_(is_live(proof_key))).label("key_has_ended")

# The client's own key that signed the proof, for the note of when it was last seen.
OWN_KEY = (
    proof_key.thumbprint.label("own_key"),
    proof_key.last_used_at.label("own_key_used_at"),
)

KEYS_OF_CLIENT = HotStatement(
    select(
        ClientConfiguration.status,
        HAS_ENDED,
        *OWN_KEY,
        ClientChanges.counter,
        ClientKey.thumbprint,
        ClientKey.kid,
        ClientKey.origin,
        ClientKey.state,
        ClientKey.created_at,
        ClientKey.active_at,
        ClientKey.expires_at,
        ClientKey.retires_at,
        ClientKey.last_used_at,
        ClientKey.leaked_at,
    )
    .select_from(ClientConfiguration)
    .outerjoin(proof_key, IS_OWN_PROOF_KEY)
    .outerjoin(
        ClientKey,
        and_(
            ClientKey.client_id == ClientConfiguration.client_id,
            or_(is_live(ClientKey), bindparam("ended_too", type_=Boolean)),
        ),
    )
    .outerjoin(ClientChanges, ClientChanges.client_id == ClientConfiguration.client_id)
    .where(ClientConfiguration.client_id == bindparam("client_id"))
    .order_by(ClientKey.created_at, ClientKey.thumbprint)
)

# Of another client the key is not told: the columns of the key are null.
CHECKED_KEY = HotStatement(
    select(
        ClientConfiguration.status,
        HAS_ENDED,
        *OWN_KEY,
        ClientKey.thumbprint,
        ClientKey.public_key,
        ClientKey.state,
        ClientKey.expires_at,
        ClientKey.retires_at,
        func.extract("epoch", Publication.due_at - func.clock_timestamp())
        .cast(Float)
        .label("issuer_is_told_in"),
    )
    .select_from(ClientConfiguration)
    .outerjoin(proof_key, IS_OWN_PROOF_KEY)
    .outerjoin(
        ClientKey,
        and_(
            ClientKey.client_id == ClientConfiguration.client_id,
            ClientKey.thumbprint == bindparam("thumbprint"),
        ),
    )
    .outerjoin(Publication, Publication.client_id == ClientConfiguration.client_id)
    .where(ClientConfiguration.client_id == bindparam("client_id"))
)

NOTE_USE = HotStatement(
    update(ClientKey)
    .where(ClientKey.thumbprint == bindparam("of_thumbprint"))
    .values(last_used_at=bindparam("now"))
    .returning(ClientKey.thumbprint)
)


async def live_keys_to_change(db: AsyncSession, client_id: UUID) -> list[ClientKey]:
    """A client's live keys, locked in one order with the client itself first."""
    await db.execute(
        select(ClientConfiguration.client_id)
        .where(ClientConfiguration.client_id == client_id)
        .with_for_update()
    )
    keys = await db.scalars(
        select(ClientKey)
        .where(ClientKey.client_id == client_id, ClientKey.state.in_(LIVE))
        .order_by(ClientKey.thumbprint)
        .with_for_update()
    )
    return list(keys)


async def standing_of(
    db: AsyncSession, client_id: UUID, proof_thumbprint: str | None
) -> Row[ClientStatus, bool, str | None, datetime | None] | None:
    """The client's status, whether the key of the proof is one of its own that has ended, and
    which that is and when it was last seen."""
    found = await db.execute(
        select(ClientConfiguration.status, HAS_ENDED, *OWN_KEY)
        .outerjoin(proof_key, IS_OWN_PROOF_KEY)
        .where(ClientConfiguration.client_id == client_id),
        {"proof_thumbprint": proof_thumbprint},
    )
    return found.one_or_none()
