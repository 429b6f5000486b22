"""What a draft asks for: whether it can still be had, and what more its client system demands."""

from datetime import timedelta

from app.apis.catalogue import Catalogue
from app.client_drafts.models import ClientDraft
from app.client_drafts.rules import LEAST_TO_ACT, DraftOutdated
from app.organizations.register import RegisterEntry
from app.organizations.verdicts import verdict_error
from app.settings import Settings


def outdated(
    draft: ClientDraft,
    catalogue: Catalogue,
    entry: RegisterEntry | None,
    settings: Settings,
) -> DraftOutdated | None:
    """Why the draft can no longer be confirmed. `entry` is None where the register is silent."""
    if not _is_still_offered(draft, catalogue):
        return DraftOutdated("Something that it asks for is no longer in the catalogue.")
    error = entry and verdict_error(
        entry,
        draft.organization_number,
        pointer="#/organizationNumber",
        organisasjonsledd_allowed=settings.organisasjonsledd_allowed,
    )
    return DraftOutdated(error.detail, organization_refused=True) if error else None


def needs_activation(draft: ClientDraft, catalogue: Catalogue) -> bool:
    """A draft may ask for activation, and its system may: neither can leave it out."""
    system = catalogue.systems.get(draft.client_system_id)
    return draft.activation or (system is not None and system.activation is not None)


def _is_still_offered(draft: ClientDraft, catalogue: Catalogue) -> bool:
    claims = {claim.key for claim in draft.asked.claims}
    return (
        draft.client_system_id in catalogue.systems
        and catalogue.api_scopes.keys() >= set(draft.asked.api_scopes)
        and catalogue.client_claims.keys() >= claims
    )


def draft_life(settings: Settings, catalogue: Catalogue, system_id: str, number: str) -> timedelta:
    """How long the person has: by the organization's rule, else the system's, else the setting."""
    rule = catalogue.rule_of_organization.get(number)
    if rule is not None and rule.draft_life_seconds is not None:
        life = timedelta(seconds=rule.draft_life_seconds)
    else:
        hours = catalogue.systems[system_id].draft_life_hours or settings.draft_life_hours
        life = timedelta(hours=hours)
    return settings.scaled(life, least=LEAST_TO_ACT)
