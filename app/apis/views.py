"""The catalogue as everybody may see it: nothing of suppliers, their systems or organizations."""

from collections.abc import Sequence

from app.apis.catalogue import Api, ApiScope, Catalogue, Right
from app.apis.wire import CatalogueClaim, CatalogueRight, CatalogueScope, PublishedApi


def public_apis(catalogue: Catalogue) -> Sequence[PublishedApi]:
    """In the order of their audiences."""
    rights = _rights_of_scopes(catalogue)
    apis = sorted(catalogue.apis, key=lambda api: api.audience)
    return [_api(api, rights) for api in apis]


def _rights_of_scopes(catalogue: Catalogue) -> dict[str, list[Right]]:
    """What some client system needs for a scope; another may need nothing for the same."""
    names: dict[str, set[str]] = {}
    for system in catalogue.client_systems:
        for scope, right in system.right_of_scope.items():
            names.setdefault(scope, set()).add(right)
    return {
        scope: [catalogue.right_named[name] for name in sorted(found)]
        for scope, found in names.items()
    }


def _api(api: Api, rights: dict[str, list[Right]]) -> PublishedApi:
    return PublishedApi(
        audience=api.audience,
        name=api.name,
        owner=api.owner,
        scopes=[_scope(entry, rights.get(entry.scope, [])) for entry in api.scopes],
        claims=[
            CatalogueClaim(claim.claim_type, claim.title, claim.policy) for claim in api.claims
        ],
    )


def _scope(entry: ApiScope, rights: list[Right]) -> CatalogueScope:
    return CatalogueScope(
        scope=entry.scope,
        title=entry.title,
        approval=entry.policy,
        binding=entry.binding,
        rights=[
            CatalogueRight(right.name, right.title, right.kind, right.resource_id)
            for right in rights
        ],
    )
