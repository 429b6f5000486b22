"""What a draft asks for, judged against what its client system may ask for."""

from collections.abc import Mapping
from typing import Any

from app.apis.catalogue import Catalogue, ClientSystem
from app.client_configurations.asking import (
    child_errors,
    claim_errors,
    distinct,
    redirect_errors,
    scope_errors,
    tenancy_errors,
)
from app.client_drafts.redirects import confirmation_redirect_error
from app.client_drafts.replaced import kept_errors
from app.client_drafts.wire import AskedFor, ClientClaim
from app.problems import FieldError
from app.settings import Settings

NOWHERE_TO_SEND_THE_CODE = FieldError(
    "#/postClientConfirmationRedirectUri",
    "redirect_needed",
    "This client has to be activated with a code that comes with the browser: say where it is to "
    "be sent, for instance `http://localhost:8765/done`.",
)


def asked_for_client(
    given: Mapping[str, Any],
    system: ClientSystem,
    catalogue: Catalogue,
    settings: Settings,
    errors: list[FieldError],
) -> AskedFor:
    """What is asked for, as it is stored; what is wrong with it goes to `errors`."""
    scopes = given.get("api_scopes")
    if scopes is None:
        scopes = system.preselected_scopes
    claims: list[ClientClaim] = given.get("audience_specific_client_claims") or []
    address: str | None = given.get("post_client_confirmation_redirect_uri")
    errors += kept_errors(given)
    errors += tenancy_errors(system)
    errors += scope_errors(scopes, system)
    if scopes and "api_scopes" in given:  # without scopes that can be read no claim can be judged
        errors += claim_errors([(claim.key, claim.value) for claim in claims], scopes, catalogue)
    errors += redirect_errors("redirectUris", given.get("redirect_uris"), system)
    errors += redirect_errors(
        "postLogoutRedirectUris", given.get("post_logout_redirect_uris"), system
    )
    errors += child_errors(given.get("child_organization_numbers"), settings)
    errors += _address_errors(address, system, activation=demands_activation(given, system))
    return AskedFor(
        api_scopes=distinct(scopes),
        claims=claims,
        redirect_uris=distinct(given.get("redirect_uris")),
        post_logout_redirect_uris=distinct(given.get("post_logout_redirect_uris")),
        child_organization_numbers=distinct(given.get("child_organization_numbers")),
        post_client_confirmation_redirect_uri=address,
    )


def _address_errors(
    address: str | None, system: ClientSystem, *, activation: bool
) -> list[FieldError]:
    """Of the address after the confirmation, which an activation cannot do without."""
    if address is None:
        return [NOWHERE_TO_SEND_THE_CODE] if activation else []
    error = confirmation_redirect_error(
        address,
        pointer="#/postClientConfirmationRedirectUri",
        https_origins=system.redirect_origins,
        added=("status", "code") if activation else ("status",),
    )
    return [error] if error else []


def demands_activation(given: Mapping[str, Any], system: ClientSystem) -> bool:
    return (system.activation or given.get("activation")) is not None
