"""The one statement that reads everything an onboarding is made of."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from app.access.models import OnboardingTokenVersion
from app.access.onboarding_tokens import FIRST_VERSION
from app.apis.queries import newest_version
from app.approvals.models import ApiAccess, ClaimValue, ScopeAccess
from app.changes.models import ClientChanges
from app.client_drafts.models import ClientDraft
from app.client_drafts.rules import DraftStatus
from app.client_keys.models import ClientKey
from app.client_keys.queries import HAS_ENDED, IS_OWN_PROOF_KEY, OWN_KEY, proof_key
from app.clients.models import ClientConfiguration
from app.database import HotStatement
from app.delegations.models import Delegation, DelegationPoll
from app.delegations.rules import State
from app.organizations.models import Organization
from app.publications.models import ToldScopes

_client_id: Any = bindparam("client_id")
_of_client = ClientConfiguration.client_id


def _listed(rows: Select[Any], order: Any, *members: Any) -> ColumnElement[str]:
    """A list of lists in JSON; null where there is nothing."""
    array = func.json_build_array(*members)
    aggregated = rows.with_only_columns(func.json_agg(aggregate_order_by(array, order)))
    return cast(aggregated.correlate(ClientConfiguration).scalar_subquery(), Text)


# What stands in each list is what `app.onboardings.facts` reads, in its order.
_scopes = _listed(
    select(ScopeAccess)
    .join(
        ApiAccess,
        and_(
            ApiAccess.client_id == ScopeAccess.client_id,
            ApiAccess.audience == ScopeAccess.audience,
        ),
    )
    .where(
        ScopeAccess.client_id == ClientConfiguration.client_id, ScopeAccess.position.is_not(None)
    ),
    ScopeAccess.position,
    ScopeAccess.scope,
    ScopeAccess.audience,
    ApiAccess.state,
    ApiAccess.since,
    ScopeAccess.state,
    ScopeAccess.since,
    func.coalesce(ScopeAccess.reason, ApiAccess.reason),
)
_claims = _listed(
    select(ClaimValue).where(ClaimValue.client_id == ClientConfiguration.client_id),
    ClaimValue.position,
    ClaimValue.claim_type,
    ClaimValue.active_value,
    ClaimValue.pending_value,
    ClaimValue.pending_refused,
    ClaimValue.reason,
    ClaimValue.since,
    ClaimValue.asked_at.is_not(None),
)
_rights = _listed(
    select(Delegation)
    .join(DelegationPoll, DelegationPoll.delegation_id == Delegation.id)
    .where(
        Delegation.client_id == ClientConfiguration.client_id,
        Delegation.state != State.NOT_REQUIRED,
    ),
    Delegation.id,
    Delegation.right,
    Delegation.giver,
    Delegation.state,
    Delegation.since,
    Delegation.not_seen_after_approval,
    Delegation.request_link,
    DelegationPoll.checked_at,
    DelegationPoll.due_at,
    DelegationPoll.failures,
    DelegationPoll.watched_until,
)
_keys = _listed(
    select(ClientKey).where(ClientKey.client_id == ClientConfiguration.client_id),
    ClientKey.created_at,
    ClientKey.thumbprint,
    ClientKey.state,
    ClientKey.created_at,
    ClientKey.active_at,
    ClientKey.expires_at,
    ClientKey.retires_at,
    ClientKey.leaked_at,
)
_replacing = aliased(ClientDraft)
# Written out: the index that finds it, of those that wait alone, serves no parameter.
_awaiting_exchange: ColumnElement[str] = literal_column(f"'{DraftStatus.AWAITING_EXCHANGE}'")
_replacements = _listed(
    select(_replacing).where(
        _replacing.replaces_keys_of == ClientConfiguration.client_id,
        _replacing.status == _awaiting_exchange,
    ),
    _replacing.exchange_at,
    _replacing.decided_at,
    _replacing.exchange_at,
)
# A draft that replaces a client's keys is read together with that client.
_of_replaced = aliased(ClientChanges)
_one_row = select(literal_column("1").label("one")).subquery("one_row")
_number = func.coalesce(ClientConfiguration.organization_number, ClientDraft.organization_number)

ONBOARDING = HotStatement(
    select(
        func.coalesce(OnboardingTokenVersion.version, FIRST_VERSION).label("token_version"),
        newest_version().label("catalogue_version"),
        func.coalesce(ClientChanges.counter, 0).label("counter"),
        func.coalesce(_of_replaced.counter, 0).label("counter_of_replaced"),
        HAS_ENDED,
        *OWN_KEY,
        _number.label("organization_number"),
        func.coalesce(Organization.name, ClientConfiguration.organization_name).label(
            "organization_name"
        ),
        func.coalesce(ClientConfiguration.client_system_id, ClientDraft.client_system_id).label(
            "client_system_id"
        ),
        ClientConfiguration.external_ref.label("external_ref_of_client"),
        ClientDraft.external_ref.label("external_ref_of_draft"),
        ClientDraft.status.label("draft_status"),
        ClientDraft.created_at.label("draft_created_at"),
        ClientDraft.expires_at,
        ClientDraft.last_visit,
        ClientDraft.last_visit_at,
        ClientDraft.decided_at,
        ClientDraft.decline_reason,
        ClientDraft.activation,
        ClientDraft.activation_until,
        ClientDraft.activated_at,
        ClientDraft.exchange_at,
        ClientDraft.replaces_keys_of,
        cast(ClientDraft.asked, Text).label("asked"),
        ClientConfiguration.status,
        ClientConfiguration.status_since,
        ClientConfiguration.tenancy,
        ClientConfiguration.created_at,
        ToldScopes.scopes.label("issuer_scopes"),
        _scopes.label("scopes"),
        _claims.label("claims"),
        _rights.label("rights"),
        _keys.label("keys"),
        _replacements.label("replacements"),
    )
    .select_from(_one_row)
    .outerjoin(ClientDraft, ClientDraft.client_id == _client_id)
    .outerjoin(
        ClientConfiguration,
        ClientConfiguration.client_id == func.coalesce(ClientDraft.replaces_keys_of, _client_id),
    )
    .outerjoin(ClientChanges, ClientChanges.client_id == _client_id)
    .outerjoin(_of_replaced, _of_replaced.client_id == ClientDraft.replaces_keys_of)
    .outerjoin(ToldScopes, ToldScopes.client_id == ClientConfiguration.client_id)
    .outerjoin(OnboardingTokenVersion, OnboardingTokenVersion.client_id == _client_id)
    .outerjoin(Organization, Organization.organization_number == _number)
    .outerjoin(proof_key, IS_OWN_PROOF_KEY)
)
