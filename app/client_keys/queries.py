"""The SQL of a client's keys."""

from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Row,
    and_,
    bindparam,
    func,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.audit.models import AuditEvent
from app.changes.models import ClientChanges
from app.changes.queries import CHANNEL, counter_raised
from app.client_keys.models import ClientKey
from app.client_keys.rules import LIVE
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.database import HotStatement
from app.publications.queries import DUE_CHANNEL, publication_wanted

proof_key = aliased(ClientKey)
_same_key = aliased(ClientKey)


def _is_live(key: type[ClientKey]) -> ColumnElement[bool]:
    # Not `in_`, whose list is made anew at each run: a hot statement is compiled once.
    return or_(*(key.state == state for state in LIVE))


HAS_ENDED = and_(proof_key.thumbprint.is_not(None), not_(_is_live(proof_key))).label(
    "key_has_ended"
)

# Keys are counted by one request at a time. The lock is a statement of its own: what a statement
# reads beside the row it has waited for is as old as its own beginning.
LOCK_CLIENT = HotStatement(
    select(ClientConfiguration.client_id)
    .where(ClientConfiguration.client_id == bindparam("client_id"))
    .with_for_update()
)

# Everything that decides on a new key.
BEFORE_ADDING = HotStatement(
    select(
        ClientConfiguration.status,
        HAS_ENDED,
        _same_key.client_id.label("key_of"),
        _same_key.state.label("key_state"),
        _same_key.kid.label("key_kid"),
        _same_key.expires_at.label("key_expires_at"),
        select(func.count())
        .where(ClientKey.client_id == ClientConfiguration.client_id, _is_live(ClientKey))
        .correlate(ClientConfiguration)
        .scalar_subquery()
        .label("live_keys"),
        select(func.count())
        .where(
            ClientKey.client_id == ClientConfiguration.client_id,
            ClientKey.kid == bindparam("kid"),
        )
        .correlate(ClientConfiguration)
        .scalar_subquery()
        .label("same_kid"),
    )
    .outerjoin(
        proof_key,
        and_(
            proof_key.thumbprint == bindparam("proof_thumbprint"),
            proof_key.client_id == ClientConfiguration.client_id,
        ),
    )
    .outerjoin(_same_key, _same_key.thumbprint == bindparam("thumbprint"))
    .where(ClientConfiguration.client_id == bindparam("client_id"))
)

_columns = (
    "thumbprint",
    "client_id",
    "kid",
    "public_key",
    "origin",
    "state",
    "created_at",
    "expires_at",
)
_key = (
    insert(ClientKey)
    .values({name: bindparam(name) for name in _columns})
    .returning(ClientKey.thumbprint)
    .cte("key")
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
        details=bindparam("details"),
    )
    .returning(AuditEvent.id)
    .cte("event")
)
_changed = counter_raised(bindparam("client_id")).returning(ClientChanges.client_id).cte("changed")
# Made of the other, so that the rows are locked in the order in which everybody locks them.
_wanted = publication_wanted(select(_changed.c.client_id).scalar_subquery()).cte("publication")
ADD_KEY = HotStatement(
    select(
        _wanted.c.wanted,
        func.pg_notify(CHANNEL, bindparam("subject")),
        func.pg_notify(DUE_CHANNEL, bindparam("subject")),
    ).add_cte(_key, _event)
)

KEYS_OF_CLIENT = HotStatement(
    select(
        ClientConfiguration.status,
        HAS_ENDED,
        ClientKey.thumbprint,
        ClientKey.kid,
        ClientKey.origin,
        ClientKey.state,
        ClientKey.created_at,
        ClientKey.active_at,
        ClientKey.expires_at,
        ClientKey.retires_at,
        ClientKey.last_used_at,
    )
    .select_from(ClientConfiguration)
    .outerjoin(
        proof_key,
        and_(
            proof_key.thumbprint == bindparam("proof_thumbprint"),
            proof_key.client_id == ClientConfiguration.client_id,
        ),
    )
    .outerjoin(
        ClientKey,
        and_(
            ClientKey.client_id == ClientConfiguration.client_id,
            or_(_is_live(ClientKey), bindparam("ended_too", type_=Boolean)),
        ),
    )
    .where(ClientConfiguration.client_id == bindparam("client_id"))
    .order_by(ClientKey.created_at, ClientKey.thumbprint)
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
) -> Row[ClientStatus, bool] | None:
    """The client's status, and whether the key of the proof is one of its own that has ended."""
    found = await db.execute(
        select(ClientConfiguration.status, HAS_ENDED)
        .outerjoin(
            proof_key,
            and_(
                proof_key.thumbprint == proof_thumbprint,
                proof_key.client_id == ClientConfiguration.client_id,
            ),
        )
        .where(ClientConfiguration.client_id == client_id)
    )
    return found.one_or_none()
