"""Whether a catalogue file holds together, with everything that is wrong in it by its place."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from urllib.parse import urlsplit

import msgspec

from app.access.public_jwk import KeyRefused, acceptable_jwk
from app.apis.catalogue import (
    Catalogue,
    ClientSystem,
    DeclaredClient,
    RedirectUriRule,
    RightKind,
    Tenancy,
    Texts,
)
from app.organizations.rules import has_check_digit
from app.problems import InvalidRequest
from app.web.bodies import read_body

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class CatalogueRefused(Exception):
    """The catalogue cannot be applied. The text, a line for each fault, is for the operator."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def read_catalogue(raw: bytes) -> Catalogue:
    """The catalogue in a file, or `CatalogueRefused` with every fault at once."""
    try:
        catalogue = read_body(raw, Catalogue)
    except InvalidRequest as refused:
        raise CatalogueRefused([f"{e.pointer}: {e.detail}" for e in refused.errors]) from None
    if faults := [fault for check in _CHECKS for fault in check(catalogue)]:
        raise CatalogueRefused(faults)
    return catalogue


def _repeated(names: Iterable[tuple[str, Hashable]]) -> Iterator[str]:
    first: dict[Hashable, str] = {}
    for place, name in names:
        if name in first:
            yield f"{place}: {name} stands at {first[name]} already."
        first.setdefault(name, place)


def _names_are_given_once(catalogue: Catalogue) -> Iterator[str]:
    apis = list(enumerate(catalogue.apis))
    yield from _repeated((f"apis[{i}].audience", api.audience) for i, api in apis)
    yield from _repeated(
        (f"apis[{i}].scopes[{j}].scope", entry.scope)
        for i, api in apis
        for j, entry in enumerate(api.scopes)
    )
    yield from _repeated(
        (f"apis[{i}].claims[{j}].claimType", claim.claim_type)
        for i, api in apis
        for j, claim in enumerate(api.claims)
    )
    yield from _repeated((f"clientSystems[{i}].id", s.id) for i, s in _systems(catalogue))
    yield from _repeated(
        (f"organizationRules[{i}].organizationNumber", rule.organization_number)
        for i, rule in enumerate(catalogue.organization_rules)
    )
    yield from _repeated((f"clients[{i}].clientId", c.client_id) for i, c in _clients(catalogue))
    yield from _repeated((f"rights[{i}].name", r.name) for i, r in enumerate(catalogue.rights))


def _rights_can_be_looked_up(catalogue: Catalogue) -> Iterator[str]:
    for i, right in enumerate(catalogue.rights):
        is_bundle = right.kind == RightKind.MASKINPORTEN_SCHEMA
        if is_bundle != (right.maskinporten_scope is not None):
            yield (
                f"rights[{i}].maskinportenScope: Only a right of the kind maskinportenSchema has"
                " one, and it needs one."
            )


def _systems(catalogue: Catalogue) -> Iterator[tuple[int, ClientSystem]]:
    yield from enumerate(catalogue.client_systems)


def _clients(catalogue: Catalogue) -> Iterator[tuple[int, DeclaredClient]]:
    yield from enumerate(catalogue.clients)


def _scopes_begin_with_their_audience(catalogue: Catalogue) -> Iterator[str]:
    for i, api in enumerate(catalogue.apis):
        for j, entry in enumerate(api.scopes):
            if entry.scope.partition("/")[0] != api.audience:
                yield (
                    f"apis[{i}].scopes[{j}].scope: {entry.scope} does not begin with the audience"
                    f" {api.audience} and a slash."
                )


def _texts_say_something(catalogue: Catalogue) -> Iterator[str]:
    for i, right in enumerate(catalogue.rights):
        yield from _empty_texts(f"rights[{i}].title", right.title)
    if catalogue.person_right is not None:
        yield from _empty_texts("personRight.title", catalogue.person_right.title)
    for i, api in enumerate(catalogue.apis):
        titles: list[tuple[str, Texts]] = [
            *((f"scopes[{j}]", entry.title) for j, entry in enumerate(api.scopes)),
            *((f"claims[{j}]", claim.title) for j, claim in enumerate(api.claims)),
        ]
        for place, title in titles:
            yield from _empty_texts(f"apis[{i}].{place}.title", title)


def _empty_texts(place: str, texts: Texts) -> Iterator[str]:
    for language, text in msgspec.structs.asdict(texts).items():
        if not text.strip():
            yield f"{place}.{language}: The text is empty."


def _systems_ask_for_what_there_is(catalogue: Catalogue) -> Iterator[str]:
    for i, system in _systems(catalogue):
        places = [(f"clientSystems[{i}].scopes[{j}]", e) for j, e in enumerate(system.scopes)]
        yield from _repeated((place, entry.scope) for place, entry in places)
        for place, entry in places:
            if entry.scope not in catalogue.api_scopes:
                yield f"{place}.scope: No API of the catalogue has the scope {entry.scope}."
            if entry.right is not None and entry.right not in catalogue.right_named:
                yield f"{place}.right: The catalogue has no right {entry.right}."
        if system.tenancy == Tenancy.SINGLE and not system.preselected_scopes:
            yield (
                f"clientSystems[{i}].scopes: At least one must be preselected, for installers"
                " that name none."
            )


def _redirect_addresses_are_safe(catalogue: Catalogue) -> Iterator[str]:
    for i, system in _systems(catalogue):
        own = system.redirect_uri_rule == RedirectUriRule.PER_CLIENT
        if own and system.shared_redirect_uris:
            yield f"clientSystems[{i}].sharedRedirectUris: Each client has its own here."
        for j, uri in enumerate(system.shared_redirect_uris):
            if not _is_safe(uri):
                yield (
                    f"clientSystems[{i}].sharedRedirectUris[{j}]: Only https, or http on the"
                    " person's own machine, without a fragment."
                )
        for j, origin in enumerate(system.redirect_origins):
            parts = urlsplit(origin)
            if parts.scheme != "https" or origin != f"https://{parts.netloc}" or "@" in origin:
                yield (
                    f"clientSystems[{i}].redirectOrigins[{j}]: An origin is https:// and a host,"
                    " with nothing behind."
                )


def _is_safe(uri: str) -> bool:
    parts = urlsplit(uri)
    if parts.fragment or "@" in parts.netloc or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _organization_numbers_are_real(catalogue: Catalogue) -> Iterator[str]:
    numbers = [
        *(
            (f"clientSystems[{i}].supplierOrganizationNumber", s.supplier_organization_number)
            for i, s in _systems(catalogue)
        ),
        *(
            (f"organizationRules[{i}].organizationNumber", rule.organization_number)
            for i, rule in enumerate(catalogue.organization_rules)
        ),
        *(
            (f"clients[{i}].organizationNumber", client.organization_number)
            for i, client in _clients(catalogue)
        ),
        *(
            (
                f"clients[{i}].delegations[{j}].delegator.organizationNumber",
                entry.delegator.organization_number,
            )
            for i, client in _clients(catalogue)
            for j, entry in enumerate(client.delegations)
        ),
    ]
    for place, number in numbers:
        if not has_check_digit(number):
            yield f"{place}: The check digit of {number} does not fit."


def _declared_clients_fit_their_systems(catalogue: Catalogue) -> Iterator[str]:
    for i, client in _clients(catalogue):
        system = catalogue.systems.get(client.client_system)
        if system is None:
            yield f"clients[{i}].clientSystem: There is no client system {client.client_system}."
            continue
        offered = {entry.scope for entry in system.scopes}
        for j, scope in enumerate(client.api_scopes):
            if scope not in offered:
                yield f"clients[{i}].apiScopes[{j}]: {system.id} may not ask for {scope}."
        if client.delegations and system.tenancy != Tenancy.MULTI:
            yield f"clients[{i}].delegations: {system.id} is not multi-tenant."


def _declared_keys_are_acceptable(catalogue: Catalogue) -> Iterator[str]:
    thumbprints: list[tuple[str, str]] = []
    for i, client in _clients(catalogue):
        kids: list[tuple[str, str]] = []
        for j, jwk in enumerate(client.public_jwks):
            place = f"clients[{i}].publicJwks[{j}]"
            try:
                key = acceptable_jwk(jwk, pointer=place)
            except KeyRefused as refused:
                yield from (f"{error.pointer}: {error.detail}" for error in refused.errors)
            else:
                thumbprints.append((place, key.thumbprint))
                kids.append((f"{place}/kid", key.kid))
        yield from _repeated(kids)
    yield from _repeated(thumbprints)


_CHECKS = (
    _names_are_given_once,
    _rights_can_be_looked_up,
    _scopes_begin_with_their_audience,
    _texts_say_something,
    _systems_ask_for_what_there_is,
    _redirect_addresses_are_safe,
    _organization_numbers_are_real,
    _declared_clients_fit_their_systems,
    _declared_keys_are_acceptable,
)
