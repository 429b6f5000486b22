"""The one statement that adds a key, if nothing stands against it.

What a statement reads is as old as its own beginning, but for rows that it locks: of those it
sees the newest. So it locks the client, as all do who change keys, and adds nothing when the
client's counter has been raised since the beginning: the caller then asks again.
"""

from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    bindparam,
    case,
    func,
    not_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from app.audit.models import AuditEvent
from app.changes.models import ClientChanges
from app.changes.queries import CHANNEL
from app.client_keys.models import ClientKey
from app.client_keys.queries import HAS_ENDED, IS_OWN_PROOF_KEY, OWN_KEY, is_live, proof_key
from app.client_keys.rules import MOST_LIVE_KEYS
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientStatus
from app.database import Base, HotStatement
from app.publications.queries import DUE_CHANNEL, publications_wanted

_same_key = aliased(ClientKey)


def _keys_counted(which: ColumnElement[bool], name: str) -> ColumnElement[int]:
    return (
        select(func.count())
        .where(ClientKey.client_id == ClientConfiguration.client_id, which)
        .correlate(ClientConfiguration)
        .scalar_subquery()
        .label(name)
    )


def _given(model: type[Base], name: str, of: str | None = None) -> BindParameter[Any]:
    return bindparam(of or name, type_=model.__table__.c[name].type)


# Everything that decides on a new key.
_known = (
    select(
        ClientConfiguration.status,
        HAS_ENDED,
        *OWN_KEY,
        _same_key.client_id.label("key_of"),
        _same_key.state.label("key_state"),
        _same_key.kid.label("key_kid"),
        _same_key.expires_at.label("key_expires_at"),
        _keys_counted(is_live(ClientKey), "live_keys"),
        _keys_counted(ClientKey.kid == bindparam("kid"), "same_kid"),
        ClientChanges.counter,
    )
    .outerjoin(proof_key, IS_OWN_PROOF_KEY)
    .outerjoin(_same_key, _same_key.thumbprint == bindparam("thumbprint"))
    .outerjoin(ClientChanges, ClientChanges.client_id == ClientConfiguration.client_id)
    .where(ClientConfiguration.client_id == bindparam("client_id"))
    .cte("known")
)
_locked = (
    select(ClientConfiguration.client_id, ClientConfiguration.status)
    .where(ClientConfiguration.client_id == bindparam("client_id"))
    .with_for_update(key_share=True)
    .cte("locked")
)
_next = insert(ClientChanges).from_select(
    ["client_id", "counter"],
    select(_locked.c.client_id, func.coalesce(_known.c.counter, 0) + 1).where(
        _locked.c.status == ClientStatus.ACTIVE,
        not_(_known.c.key_has_ended),
        _known.c.key_of.is_(None),
        _known.c.live_keys < MOST_LIVE_KEYS,
        _known.c.same_kid == 0,
    ),
)
# The counter that is raised is the newest; if it is not the one that was read, nothing is.
_raised = (
    _next.on_conflict_do_update(
        index_elements=[ClientChanges.client_id],
        set_={"counter": _next.excluded.counter},
        where=ClientChanges.counter == _next.excluded.counter - 1,
    )
    .returning(ClientChanges.client_id)
    .cte("raised")
)

_key_columns = [
    "thumbprint",
    "kid",
    "public_key",
    "origin",
    "state",
    "created_at",
    "expires_at",
    "last_used_at",
]
_key = (
    insert(ClientKey)
    .from_select(
        ["client_id", *_key_columns],
        select(_raised.c.client_id, *(_given(ClientKey, name) for name in _key_columns)),
        include_defaults=False,
    )
    .returning(ClientKey.thumbprint)
    .cte("key")
)
_event_columns = ["happened", "actor", "subject", "source", "request_id", "details"]
_event = (
    insert(AuditEvent)
    .from_select(
        ["at", *_event_columns],
        select(
            _given(AuditEvent, "at", "created_at"),
            *(_given(AuditEvent, name) for name in _event_columns),
        ).select_from(_raised),
        include_defaults=False,
    )
    .returning(AuditEvent.id)
    .cte("event")
)
_wanted = publications_wanted(select(_raised.c.client_id)).cte("publication")


def _told(channel: str) -> ColumnElement[Any]:
    return case((_wanted.c.wanted.is_not(None), func.pg_notify(channel, bindparam("subject"))))


# `wanted` is null when no key was added.
ADD_KEY = HotStatement(
    select(_known, _wanted.c.wanted, _told(CHANNEL), _told(DUE_CHANNEL))
    .select_from(_known.outerjoin(_wanted, true()))
    .add_cte(_key, _event)
)
