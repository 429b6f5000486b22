"""Activation: the program shows that the person who confirmed came back to it.

Whoever makes a draft with an API key out of some installation can send its link to anybody, and
the pairing code along. What he does not get is the browser of the person who confirms: so a
client system may ask that nothing begins before the code that went with that browser comes back,
signed with the key that the client is to have. The code is made again from what the draft is
and from when it was confirmed, so nothing of it is stored.
"""

import base64
import hmac
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from app.apis.catalogue import Catalogue
from app.audit.trail import Actor, Happened, record
from app.changes.queries import VersionCheck, check_version, client_changed
from app.client_drafts.models import ClientDraft
from app.client_drafts.queries import draft_to_decide
from app.client_drafts.registering import key_may_be_taken
from app.client_drafts.rules import (
    TRANSITIONS,
    ActivationCodeRejected,
    ActivationLapsed,
    DraftEvent,
    DraftNotFound,
    DraftStatus,
)
from app.client_drafts.use_cases import make_client
from app.publications.queries import wanted_now
from app.settings import Settings
from app.state_machine import next_state

POINTER = "#/activation"
"""Where the JWT that holds the code stands in the body."""


class Activated(Struct, frozen=True):
    """An activation that has been committed, now or by an earlier request."""

    client_id: UUID
    status: DraftStatus
    published_version: int | None
    """What the token issuer has to know before the client can be used."""


def activation_code(draft: ClientDraft, *, secret_key: str) -> str | None:
    """The code of the newest confirmation; None where the draft waits for none."""
    until = draft.activation_until
    if until is None or draft.activated_at is not None:
        return None
    return _code(draft, until, secret_key)


def _code(draft: ClientDraft, until: datetime, secret_key: str) -> str:
    moment = int(until.timestamp() * 1_000_000).to_bytes(8)
    said = b"activation\0" + draft.client_id.bytes + moment + draft.public_key.thumbprint.encode()
    digest = hmac.digest(secret_key.encode(), said, sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


async def activate_client_draft(
    db: AsyncSession,
    client_id: UUID,
    code: object,
    actor: Actor,
    *,
    catalogue: Catalogue,
    settings: Settings,
    has_seen: VersionCheck,
    now: datetime,
) -> Activated:
    """Make the client of a confirmed draft. Doing it again is answered alike.

    Whoever calls has shown that he holds the draft's key; `has_seen` refuses when he has not seen
    what he activates. Raises `KeyTaken` and `DraftOutdated`, which leave everything as it is.
    """
    with key_may_be_taken():
        async with db.begin():
            draft = await draft_to_decide(db, client_id)
            if draft is None:
                raise DraftNotFound
            _check_code(draft, code, settings.secret_key)
            if draft.activated_at is None:
                await check_version(db, client_id, has_seen)
                await _activate(db, draft, actor, catalogue, settings, now)
            made = draft.status is DraftStatus.CONFIRMED
            version = await wanted_now(db, draft.final_client_id) if made else None
    return Activated(draft.final_client_id, draft.status, version)


def _check_code(draft: ClientDraft, code: object, secret_key: str) -> None:
    until = draft.activation_until
    expected = _code(draft, until, secret_key).encode() if until is not None else b""
    given = code.encode("utf-8", "surrogatepass") if isinstance(code, str) else b""
    if not expected or not hmac.compare_digest(given, expected):
        raise ActivationCodeRejected(POINTER)


async def _activate(
    db: AsyncSession,
    draft: ClientDraft,
    actor: Actor,
    catalogue: Catalogue,
    settings: Settings,
    now: datetime,
) -> None:
    assert draft.activation_until is not None  # its code has been checked
    if now >= draft.activation_until:
        raise ActivationLapsed(draft.activation_until)
    draft.status = next_state(TRANSITIONS, draft.status_at(now), DraftEvent.ACTIVATE)
    draft.activated_at = now
    record(db, Happened.DRAFT_ACTIVATED, actor=actor, subject=draft.client_id, at=now)
    if draft.status is DraftStatus.CONFIRMED:
        await make_client(
            db,
            draft,
            catalogue=catalogue,
            settings=settings,
            contact_email=draft.contact_email,
            now=now,
        )
    else:
        await client_changed(db, draft.client_id)
