"""From the row that one statement reads to the facts of an onboarding."""

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from asyncpg import Record

from app.apis.catalogue import Tenancy
from app.client_drafts.rules import DeclineReason, DraftStatus, LastVisit
from app.client_drafts.wire import AskedFor
from app.clients.rules import ClientStatus
from app.delegations.polling import can_be_hurried
from app.delegations.queries import watch_ends_before
from app.onboardings.facts import (
    ClaimSeen,
    ClientSeen,
    DraftSeen,
    Facts,
    KeySeen,
    ReplacementSeen,
    RightRecord,
    ScopeSeen,
)

T = TypeVar("T")


def facts_of(client_id: UUID, row: Record) -> Facts | None:
    """None: there is neither a draft nor a client."""
    if row["organization_number"] is None:
        return None
    is_told = _has_client(row)
    return Facts(
        client_id=client_id,
        organization_number=row["organization_number"],
        organization_name=_name(row),
        client_system_id=row["client_system_id"],
        external_ref=row["external_ref_of_client" if is_told else "external_ref_of_draft"],
        draft=_draft(row) if row["draft_status"] is not None else None,
        client=_client(row) if is_told else None,
    )


def _has_client(row: Record) -> bool:
    """A client whose keys are to be replaced is that of the draft once they have been."""
    if row["replaces_keys_of"] is not None:
        return bool(row["draft_status"] == DraftStatus.CONFIRMED)
    return row["status"] is not None


def _name(row: Record) -> str | None:
    """A client whose organization nobody has looked up has its number for a name."""
    name: str | None = row["organization_name"]
    return None if name == row["organization_number"] else name


def _draft(row: Record) -> DraftSeen:
    asked = msgspec.json.decode(row["asked"], type=AskedFor)
    # What a client has is told to nobody who has only said that its keys are lost.
    of_another = row["replaces_keys_of"] is not None and not _has_client(row)
    return DraftSeen(
        status=DraftStatus(row["draft_status"]),
        created_at=row["draft_created_at"],
        expires_at=row["expires_at"],
        last_visit=_one_of(LastVisit, row["last_visit"]),
        last_visit_at=row["last_visit_at"],
        decided_at=row["decided_at"],
        decline_reason=_one_of(DeclineReason, row["decline_reason"]),
        activation=row["activation"],
        activation_until=row["activation_until"],
        activated_at=row["activated_at"],
        replaced_client=row["replaces_keys_of"],
        exchange_at=row["exchange_at"],
        scopes=[] if of_another else asked.api_scopes,
        claims=[] if of_another else [claim.key for claim in asked.claims],
    )


def _client(row: Record) -> ClientSeen:
    return ClientSeen(
        status=ClientStatus(row["status"]),
        status_since=row["status_since"],
        tenancy=Tenancy(row["tenancy"]),
        created_at=row["created_at"],
        scopes=_list_of(ScopeSeen, row["scopes"]),
        claims=_list_of(ClaimSeen, row["claims"]),
        rights=_list_of(RightRecord, row["rights"]),
        keys=_list_of(KeySeen, row["keys"]),
        replacements=_list_of(ReplacementSeen, row["replacements"]),
        issuer_scopes=row["issuer_scopes"],
    )


def _one_of(kind: Any, value: str | None) -> Any:
    return None if value is None else kind(value)


def _list_of(kind: type[T], text: str | None) -> list[T]:
    return msgspec.json.decode(text, type=list[kind]) if text else []  # type: ignore[valid-type]  # a type at run time


def is_to_be_watched(facts: Facts, now: datetime) -> bool:
    """Whether asking Altinn sooner might help the reader, and nobody has said so yet."""
    soon = watch_ends_before(now)
    return facts.client is not None and any(
        can_be_hurried(record.state)
        and (record.watched_until is None or record.watched_until < soon)
        for record in facts.client.rights
    )
