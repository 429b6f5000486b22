"""What is stored of a client-to-be and of a client, as far as its onboarding is made of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from app.apis.catalogue import Catalogue, ClientSystem, Tenancy
from app.approvals.rules import AccessState
from app.client_drafts.rules import DeclineReason, DraftStatus, LastVisit
from app.client_keys.rules import LIVE, KeyState
from app.clients.rules import ClientStatus
from app.delegations.rules import State
from app.settings import Environment


class DraftSeen(Struct, frozen=True, kw_only=True):
    status: DraftStatus
    created_at: datetime
    expires_at: datetime
    last_visit: LastVisit | None = None
    last_visit_at: datetime | None = None
    decided_at: datetime | None = None
    decline_reason: DeclineReason | None = None
    activation: bool = False
    """It was asked for with the draft."""
    activation_until: datetime | None = None
    activated_at: datetime | None = None
    replaced_client: UUID | None = None
    """The one that its key is for, in place of the client's own."""
    exchange_at: datetime | None = None
    """When its key takes over from those of a client that there is."""
    scopes: Sequence[str] = ()
    claims: Sequence[str] = ()


class ClientSeen(Struct, frozen=True, kw_only=True):
    status: ClientStatus
    status_since: datetime | None = None
    tenancy: Tenancy = Tenancy.SINGLE
    created_at: datetime
    scopes: Sequence["ScopeSeen"] = ()
    claims: Sequence["ClaimSeen"] = ()
    rights: Sequence["RightRecord"] = ()
    keys: Sequence["KeySeen"] = ()
    """Those that have ended too."""
    replacements: Sequence["ReplacementSeen"] = ()
    """Of its keys, by one that somebody has confirmed and that waits for its day to be over."""
    issuer_scopes: Sequence[str] | None = None
    """Those that the token issuer was last told of; None where it was told nothing yet."""


class ScopeSeen(Struct, frozen=True, array_like=True):
    scope: str
    audience: str
    api: AccessState
    api_since: datetime
    own: AccessState
    since: datetime
    words: str | None
    """The owner's own."""


class ClaimSeen(Struct, frozen=True, array_like=True):
    claim_type: str
    active: str | None
    pending: str | None
    refused: bool
    words: str | None
    since: datetime
    had_to_wait: bool


class RightRecord(Struct, frozen=True, array_like=True):
    """One right in Altinn that the client needs, and what is known of it."""

    right: str
    giver: str
    state: State
    since: datetime
    not_seen_after_approval: bool = False
    request_link: str | None = None
    checked_at: datetime | None = None
    due_at: datetime | None = None
    failures: int = 0
    watched_until: datetime | None = None


class KeySeen(Struct, frozen=True, array_like=True):
    thumbprint: str
    state: KeyState
    created_at: datetime
    active_at: datetime | None = None
    expires_at: datetime | None = None
    retires_at: datetime | None = None
    leaked_at: datetime | None = None

    @property
    def ends_at(self) -> datetime | None:
        retires_at = self.retires_at if self.state is KeyState.RETIRING else None
        return min((end for end in (self.expires_at, retires_at) if end), default=None)

    def is_live(self, now: datetime) -> bool:
        """Its end holds from the moment it is due, also before the job has written it down."""
        return self.state in LIVE and (self.ends_at is None or now < self.ends_at)


class ReplacementSeen(Struct, frozen=True, array_like=True):
    since: datetime
    exchange_at: datetime


class Facts(Struct, frozen=True, kw_only=True):
    """Of one onboarding: there is a draft, or a client, or both."""

    client_id: UUID
    organization_number: str
    organization_name: str | None
    client_system_id: str
    external_ref: str | None = None
    draft: DraftSeen | None = None
    client: ClientSeen | None = None

    @property
    def final_client_id(self) -> UUID:
        """The client that the draft becomes, or whose keys it replaces."""
        return (self.draft and self.draft.replaced_client) or self.client_id


class Around(Struct, frozen=True, kw_only=True):
    """What the facts are seen against."""

    catalogue: Catalogue
    environment: Environment
    client_scope: str
    base_url: str
    altinn_pages: str | None
    operator: str
    operator_contact: str | None
    usual_seconds: Mapping[tuple[str, str], int]
    """By step and what it is about, where there have been enough cases."""
    now: datetime
    time_scale: float = 1.0

    def system(self, facts: Facts) -> ClientSystem | None:
        """None when it has left the catalogue."""
        return self.catalogue.systems.get(facts.client_system_id)
