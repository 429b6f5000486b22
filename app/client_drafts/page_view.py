"""What the page shows of a draft. The person agrees to this, so a form is bound to all of it."""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime

import msgspec
from msgspec import Struct

from app.apis.catalogue import Catalogue, ClientSystem, OrganizationRule, RedirectUriRule
from app.approvals.rules import (
    AccessState,
    claim_policy,
    initial_access,
    is_automatic,
    scopes_under_rule,
)
from app.client_drafts.models import ClientDraft
from app.client_drafts.pairing import pairing_code
from app.client_drafts.validity import needs_activation
from app.settings import Settings
from app.web.languages import Language


class ShownOrganization(Struct, frozen=True):
    number: str
    name: str | None = None
    """As Enhetsregisteret has it; None when nobody has asked."""


class ShownScope(Struct, frozen=True):
    title: str
    scope: str
    api: str
    waits_for: str | None
    """Who has to approve before it can be used."""


class ShownClaim(Struct, frozen=True):
    title: str
    claim_type: str
    value: str
    waits_for: str | None


class ShownDraft(Struct, frozen=True, kw_only=True):
    """All of it, in the person's language."""

    client_id: str
    system: str
    supplier: ShownOrganization
    organization: ShownOrganization
    sub_units: list[ShownOrganization]
    scopes: list[ShownScope]
    claims: list[ShownClaim]
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    return_address: str | None
    """Where the browser is sent after the decision."""
    thumbprint: str
    external_ref: str | None
    expires_at: datetime
    pairing_code: str
    code_is_typed: bool
    activates: bool
    """Nothing begins before the browser has come back to the program."""
    only_at_program: bool
    """Whoever got the link from another cannot confirm: his browser leads back to no program."""
    replaces: bool
    """It brings a new key to a client that there is already."""
    last_seen: date | None
    """The day on which a key that would end was last seen."""
    has_lapsed: bool
    """It was confirmed before, and the program did not take it."""

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(msgspec.json.encode(self)).digest()


class Surroundings(Struct, frozen=True):
    """What a draft is seen against."""

    catalogue: Catalogue
    settings: Settings
    language: Language
    names: Mapping[str, str]
    """Of organizations, by their numbers."""
    last_seen: datetime | None = None
    """Of the keys that a new one would replace."""
    shared: bool = False
    """The link was passed on: the code is always typed, and no program here waits."""


def code_is_typed(draft: ClientDraft, system: ClientSystem) -> bool:
    """A draft may ask for the typed code, and its system may: neither can leave it out."""
    return draft.pairing or system.pairing


def shown_draft(draft: ClientDraft, around: Surroundings) -> ShownDraft:
    system = around.catalogue.systems[draft.client_system_id]
    asked, thumbprint = draft.asked, draft.public_key.thumbprint
    shared = system.redirect_uri_rule is RedirectUriRule.SHARED
    activates = needs_activation(draft, around.catalogue)
    return ShownDraft(
        client_id=str(draft.final_client_id),
        system=system.name,
        supplier=ShownOrganization(system.supplier_organization_number, system.supplier_name),
        organization=_organization(draft.organization_number, around),
        sub_units=[_organization(number, around) for number in asked.child_organization_numbers],
        scopes=_scopes(draft, around),
        claims=_claims(draft, around),
        redirect_uris=system.shared_redirect_uris if shared else asked.redirect_uris,
        post_logout_redirect_uris=asked.post_logout_redirect_uris,
        return_address=None if around.shared else _return_address(draft),
        thumbprint=thumbprint,
        external_ref=draft.external_ref,
        expires_at=draft.expires_at,
        pairing_code=pairing_code(
            draft.client_id, thumbprint, secret_key=around.settings.secret_key
        ),
        code_is_typed=around.shared or code_is_typed(draft, system),
        activates=activates,
        only_at_program=around.shared and activates,
        replaces=draft.replaces_keys_of is not None,
        last_seen=around.last_seen.date() if around.last_seen else None,
        has_lapsed=draft.activation_until is not None,
    )


def _organization(number: str, around: Surroundings) -> ShownOrganization:
    return ShownOrganization(number, around.names.get(number))


def _return_address(draft: ClientDraft) -> str | None:
    if draft.asked.post_client_confirmation_redirect_uri is not None:
        return draft.asked.post_client_confirmation_redirect_uri
    if draft.redirect_port is None or draft.redirect_path is None:
        return None
    return f"http://localhost:{draft.redirect_port}{draft.redirect_path}"


def _scopes(draft: ClientDraft, around: Surroundings) -> list[ShownScope]:
    catalogue, scopes = around.catalogue, draft.asked.api_scopes
    rule = catalogue.rule_of_organization.get(draft.organization_number)
    decided = scopes_under_rule(rule, scopes, around.settings.client_scope)
    return [_scope(scope, draft, around, rule if scope in decided else None) for scope in scopes]


def _scope(
    scope: str, draft: ClientDraft, around: Surroundings, rule: OrganizationRule | None
) -> ShownScope:
    entry, api = around.catalogue.api_scopes[scope], around.catalogue.api_of_scope[scope]
    begins = initial_access(
        entry.policy,
        around.settings.environment,
        rule.scopes if rule else None,
        draft.created_at,
    )
    return ShownScope(
        title=getattr(entry.title, around.language),
        scope=scope,
        api=api.name,
        waits_for=None if begins.state is AccessState.GRANTED else api.owner,
    )


def _claims(draft: ClientDraft, around: Surroundings) -> list[ShownClaim]:
    catalogue = around.catalogue
    rule = catalogue.rule_of_organization.get(draft.organization_number)
    claims: list[ShownClaim] = []
    for asked in draft.asked.claims:
        claim = catalogue.client_claims[asked.key]
        automatic = is_automatic(claim_policy(claim, rule, None), around.settings.environment)
        owner = catalogue.api_of_claim[asked.key].owner
        title = getattr(claim.title, around.language)
        claims.append(ShownClaim(title, asked.key, asked.value, None if automatic else owner))
    return claims
