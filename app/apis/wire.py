"""The public part of the catalogue."""

from msgspec import Struct

from app.apis.catalogue import Binding, Policy, RightKind, Texts


class CatalogueRight(Struct, rename="camel", frozen=True):
    """A right in Altinn that an organization gives to a client's supplier."""

    name: str
    title: Texts
    kind: RightKind
    resource_id: str


class CatalogueScope(Struct, rename="camel", frozen=True):
    """A scope, who approves it, and what it needs."""

    scope: str
    title: Texts
    approval: Policy
    binding: Binding
    rights: list[CatalogueRight]


class CatalogueClaim(Struct, rename="camel", frozen=True):
    """A claim whose value is set for each client."""

    claim_type: str
    title: Texts
    approval: Policy


class PublishedApi(Struct, rename="camel", frozen=True):
    """An API that clients can get access to."""

    audience: str
    name: str
    owner: str
    scopes: list[CatalogueScope]
    claims: list[CatalogueClaim]


class PublishedApis(Struct, rename="camel", frozen=True):
    """A page of the catalogue, in the order of the audiences."""

    items: list[PublishedApi]
    next_cursor: str | None
