"""Adding to the trail, always in the transaction of what is told."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.models import AuditEvent


class Happened(StrEnum):
    """Everything the trail tells of, as noun and verb. A name is never reused."""

    DRAFT_CREATED = "clientDraft.created"
    DRAFT_CONFIRMED = "clientDraft.confirmed"
    DRAFT_DECLINED = "clientDraft.declined"
    DRAFT_PARKED = "clientDraft.parked"
    DRAFT_REFUSED = "clientDraft.refused"
    DRAFT_PASSED_ON = "clientDraft.passedOn"
    DRAFT_ACTIVATED = "clientDraft.activated"
    DRAFT_LAPSED = "clientDraft.activationLapsed"
    DRAFT_LENGTHENED = "clientDraft.lengthened"
    DRAFT_EXPIRED = "clientDraft.expired"
    CLIENT_DECLARED = "client.declared"
    CLIENT_CHANGED = "client.changed"
    CLIENT_BLOCKED = "client.blocked"
    CLIENT_UNBLOCKED = "client.unblocked"
    CLIENT_CLOSED = "client.closed"
    ORGANIZATION_MARKED = "client.organizationMarked"
    ORGANIZATION_UNMARKED = "client.organizationUnmarked"
    ORGANIZATION_RENAMED = "client.organizationRenamed"
    KEY_ADDED = "clientKey.added"
    KEY_RETIRED = "clientKey.retired"
    KEY_ENDED = "clientKey.ended"
    KEY_REVOKED = "clientKey.revoked"
    KEY_TAKEN_OVER = "clientKey.takenOver"
    REPLACEMENT_DELAYED = "clientKeys.replacementDelayed"
    KEYS_REPLACED = "clientKeys.replaced"
    REPLACEMENT_STOPPED = "clientKeys.replacementStopped"
    KEY_LEAKED = "clientKey.leaked"
    ACCESS_APPROVED = "access.approved"
    ACCESS_REFUSED = "access.refused"
    CLAIM_APPROVED = "claim.approved"
    CLAIM_REFUSED = "claim.refused"
    ONBOARDING_TOKEN_REVOKED = "onboardingToken.revoked"  # noqa: S105  # what happened to it
    API_KEY_CREATED = "apiKey.created"
    API_KEY_REVOKED = "apiKey.revoked"
    DELEGATION_CHANGED = "delegation.changed"
    CATALOGUE_APPLIED = "catalogue.applied"
    PERSON_LOGGED_IN = "person.loggedIn"


class Actor(Struct, frozen=True):
    """Who did it, and from where. Persons stand here by pseudonym only."""

    name: str
    source: str | None = None
    request_id: str | None = None


OPERATOR = Actor(name="operator")
WORKER = Actor(name="worker")


def record(
    db: AsyncSession,
    happened: Happened,
    *,
    actor: Actor,
    subject: object,
    at: datetime,
    **details: str,
) -> None:
    """Tell of something in the transaction that `db` has open."""
    db.add(
        AuditEvent(
            happened=happened,
            actor=actor.name,
            subject=str(subject),
            at=at,
            source=actor.source,
            request_id=actor.request_id,
            details=details or None,
        )
    )
