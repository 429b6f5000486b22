"""What a client is told of its delegations. Those of multi-tenant clients come first, in the names
that HelseID Selvbetjening uses."""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, field

from app.apis.catalogue import Texts
from app.approvals.rules import ReasonCode
from app.delegations.answers import Source
from app.delegations.rules import Actor, State
from app.organizations.register import Mark


class DelegatorAnswer(Struct, rename="camel", frozen=True):
    organization_number: str
    name: str
    is_helsenett_member: bool


class ServiceTermsAnswer(Struct, rename="camel", frozen=True):
    """Terms of use, and whether the delegator has signed them: else their scopes are dropped."""

    uri: str
    name: str
    delegator_has_signed: bool
    scopes: list[str]


class MultiTenantDelegation(Struct, rename="camel", frozen=True):
    """An organization that has delegated to the client's supplier."""

    delegator: DelegatorAnswer
    service_terms: list[ServiceTermsAnswer]


class DelegationAnswer(Struct, rename="camel", frozen=True, kw_only=True):
    """Whether an organization has given the client's supplier a right that the client needs."""

    id: UUID
    right: str
    right_name: Texts
    giver: str = field(name="from")
    giver_name: str | None = field(name="fromName")
    giver_mark: Mark | None = field(name="fromMark")
    receiver: str = field(name="to")
    receiver_name: str = field(name="toName")
    state: State
    awaiting: Actor | None
    reason_code: ReasonCode | None
    reason: Texts | UnsetType = UNSET
    source: Source | None
    since: datetime
    checked_at: datetime | None
    next_check_at: datetime | None
    stale: bool
    action_url: str | None
    request_id: str | None


class Delegations(Struct, rename="camel", frozen=True):
    """A page of the client's records, in a stable order."""

    items: list[DelegationAnswer]
    next_cursor: str | None


class DelegationRequestAnswer(Struct, rename="camel", frozen=True, kw_only=True):
    """Where somebody goes to have the right given."""

    requested: bool
    request_id: str | None
    action_url: str | None
    steps: Texts | UnsetType = UNSET
