"""What a client may ask for, of what its system may ask for: the same for a draft and a change.

Every check hands out all errors it finds, each with a pointer into the request.
"""

from collections.abc import Collection, Sequence

from app.apis.catalogue import Catalogue, ClientSystem, RedirectUriRule, Tenancy
from app.client_systems.redirect_uris import redirect_uri_error
from app.organizations.rules import organization_number_error
from app.problems import FieldError
from app.settings import Settings


def tenancy_errors(system: ClientSystem) -> list[FieldError]:
    """A client that acts for many organizations is not made by one of them."""
    if system.tenancy == Tenancy.SINGLE:
        return []
    detail = f"Clients of {system.name} are multi-tenant: they are not made by API."
    return [FieldError("#", "multi_tenant_client_system", detail)]


def scope_errors(
    scopes: Sequence[str],
    system: ClientSystem,
    *,
    kept: Collection[str] = (),
) -> list[FieldError]:
    """`kept` are the scopes a client has had, which it keeps when its system loses them."""
    if not scopes:
        detail = "Name at least one scope. A draft may leave the member out."
        return [FieldError("#/apiScopes", "empty", detail)]
    allowed = {entry.scope for entry in system.scopes} | set(kept)
    return [
        FieldError(
            f"#/apiScopes/{index}",
            "scope_not_in_client_system",
            f"Scope {scope} is not among those of the client system {system.name}. "
            "Its supplier can have it added.",
        )
        for index, scope in enumerate(scopes)
        if scope not in allowed
    ]


def claim_errors(
    claims: Sequence[tuple[str, str]], scopes: Collection[str], catalogue: Catalogue
) -> list[FieldError]:
    """A claim belongs to an API, and is set where one of the API's scopes is asked for."""
    audiences = {
        catalogue.api_of_scope[scope].audience
        for scope in scopes
        if scope in catalogue.api_of_scope
    }
    errors = []
    seen: set[str] = set()
    for index, (claim_type, _value) in enumerate(claims):
        pointer = f"#/audienceSpecificClientClaims/{index}/key"
        api = catalogue.api_of_claim.get(claim_type)
        if api is None:
            detail = f"No API has a client claim {claim_type}."
            errors.append(FieldError(pointer, "unknown_claim", detail))
        elif api.audience not in audiences:
            detail = f"{claim_type} belongs to {api.audience}: ask for a scope of it as well."
            errors.append(FieldError(pointer, "claim_without_scope", detail))
        elif claim_type in seen:
            detail = f"{claim_type} is given twice: a claim has one value."
            errors.append(FieldError(pointer, "repeated_claim", detail))
        seen.add(claim_type)
    return errors


def redirect_errors(
    member: str, uris: Sequence[str] | None, system: ClientSystem
) -> list[FieldError]:
    """Addresses for login and logout, under `member`."""
    if not uris:
        return []
    if member == "redirectUris" and system.redirect_uri_rule == RedirectUriRule.SHARED:
        return [
            FieldError(
                "#/redirectUris",
                "redirect_uris_are_shared",
                f"All clients of {system.name} share its redirect addresses: leave this out.",
            )
        ]
    found = (
        redirect_uri_error(
            uri, pointer=f"#/{member}/{index}", https_origins=system.redirect_origins
        )
        for index, uri in enumerate(uris)
    )
    return [error for error in found if error]


def child_errors(numbers: Sequence[str] | None, settings: Settings) -> list[FieldError]:
    found = (
        organization_number_error(
            number,
            pointer=f"#/childOrganizationNumbers/{index}",
            environment=settings.environment,
            allowed=settings.allowed_organization_numbers,
        )
        for index, number in enumerate(numbers or [])
    )
    return [error for error in found if error]


def distinct(values: Sequence[str] | None) -> list[str]:
    """The values in their order, each once."""
    return list(dict.fromkeys(values or []))
