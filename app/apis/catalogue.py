"""The catalogue file: what can be asked for, by which client systems, and who decides.

JSON in camelCase. `CatalogueRefused` names everything in a file that does not hold together.
"""

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct, field

Scope = Annotated[str, Meta(pattern=r"^[^\s/]+/\S+$", max_length=200)]
Number = Annotated[str, Meta(pattern=r"^[0-9]{9}$")]
MailAddress = Annotated[str, Meta(pattern=r"^[^\s@<>]+@[^\s@<>]+$", max_length=254)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]


class Policy(StrEnum):
    """Who decides on something a client asks for."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"
    AUTOMATIC_IN_TEST = "automaticInTest"


class Tenancy(StrEnum):
    SINGLE = "single-tenant"
    MULTI = "multi-tenant"


class RedirectUriRule(StrEnum):
    PER_CLIENT = "perClient"  # each client has its own
    SHARED = "shared"  # the system's are those of all its clients


class Texts(Struct, frozen=True, forbid_unknown_fields=True):
    """One text for people, in each of our languages."""

    nb: str
    nn: str
    en: str


class Binding(StrEnum):
    """Which access tokens an API takes for a scope."""

    DPOP = "dpop"
    BEARER = "bearer"
    EITHER = "either"


class ApiScope(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    scope: Scope
    title: Texts
    policy: Policy = Policy.MANUAL
    binding: Binding = Binding.EITHER


class ClientClaim(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """An API-specific claim whose value is set for each client."""

    claim_type: Name
    title: Texts
    policy: Policy = Policy.MANUAL


class Api(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    audience: Name
    name: Name
    owner: Name
    scopes: list[ApiScope]
    claims: list[ClientClaim] = []
    owner_contact: MailAddress | None = None
    """Where the owner is told of what happens to the clients that he has approved."""


class RightKind(StrEnum):
    """How Altinn has a right, and so by which call it is looked up."""

    MASKINPORTEN_SCHEMA = "maskinportenSchema"  # a bundle of Maskinporten scopes
    GENERIC_ACCESS = "genericAccess"  # an action on a resource


class Right(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A right in Altinn that an organization gives to a client's supplier."""

    name: Name
    title: Texts
    kind: RightKind
    resource_id: Name
    action: Name = "access"
    maskinporten_scope: Name | None = None
    """One of the bundle's scopes: it is what Altinn is asked for."""


class PersonRight(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The right in Altinn that a person needs to confirm a client for an organization."""

    resource_id: Name
    title: Texts
    action: Name = "access"


class Activation(StrEnum):
    """By which way a program gets the code that it has to send back, signed with its key."""

    REDIRECT = "redirect"  # with the browser, to its address after the confirmation


class SystemScope(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A scope that a client system may ask for, and the right in Altinn it needs there."""

    scope: Scope
    preselected: bool = False
    right: Name | None = None


class ClientSystem(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A supplier's product, whose installers hold API keys."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,60}$")]
    name: Name
    supplier_name: Name
    supplier_organization_number: Number
    scopes: Annotated[list[SystemScope], Meta(min_length=1)]
    grant_types: list[Literal["client_credentials", "authorization_code", "refresh_token"]]
    redirect_uri_rule: RedirectUriRule = RedirectUriRule.SHARED
    shared_redirect_uris: list[str] = []
    redirect_origins: list[str] = []
    """`https` origins that redirect addresses may have; loopback addresses always may be used."""
    tenancy: Tenancy = Tenancy.SINGLE
    draft_life_hours: Annotated[int, Meta(ge=1, le=60 * 24)] | None = None
    passed_on_life_hours: Annotated[int, Meta(ge=1, le=60 * 24)] = 7 * 24
    """How long a draft lives at least, from its making, once a person has passed it on."""
    supplier_contact: MailAddress | None = None
    """Where the supplier is told of what happens to its clients."""
    pairing: bool = False
    """The person always types the pairing code."""
    activation: Activation | None = None
    """A confirmed client begins only once the program has shown that the person came back to it."""

    @property
    def right_of_scope(self) -> dict[str, str]:
        """The right that each scope needs, of those that need one."""
        return {entry.scope: entry.right for entry in self.scopes if entry.right}

    @property
    def preselected_scopes(self) -> list[str]:
        return [entry.scope for entry in self.scopes if entry.preselected]


class ScopeDecision(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What the owners do, for one organization, with the scopes that are not automatic for it."""

    which: Literal["all", "last"]
    """All scopes of the request, or the last one, the client scope never among them."""
    decision: Literal["approve", "refuse"] | None = None
    """None: it waits until somebody decides."""
    after_seconds: Annotated[int, Meta(ge=0)] = 0


class OrganizationRule(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What is different for one organization: an agreement, or a number of the sandbox."""

    organization_number: Number
    draft_life_seconds: Annotated[int, Meta(ge=0)] | None = None
    scopes: ScopeDecision | None = None
    first_claim_value: Policy | None = None
    changed_claim_value: Policy | None = None


class Delegator(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    organization_number: Number
    name: Name
    is_helsenett_member: bool = True


class ServiceTerms(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    uri: str
    name: Name
    delegator_has_signed: bool
    scopes: list[Scope]


class DeclaredDelegation(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """An organization that lets a multi-tenant client act for it."""

    delegator: Delegator
    service_terms: list[ServiceTerms] = []


class DeclaredClient(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A client that is ready without a draft: multi-tenant ones can be made in no other way."""

    client_id: UUID
    client_system: Name
    organization_number: Number
    organization_name: Name
    api_scopes: list[Scope]
    public_jwks: Annotated[list[dict[str, str]], Meta(min_length=1, max_length=10)]
    delegations: list[DeclaredDelegation] = []


class Catalogue(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, dict=True):
    """What an operator declares, with the look-ups that the rules need."""

    apis: list[Api]
    client_systems: list[ClientSystem]
    organization_rules: list[OrganizationRule] = []
    clients: list[DeclaredClient] = field(default_factory=list)
    rights: list[Right] = []
    person_right: PersonRight | None = None

    @cached_property
    def right_named(self) -> dict[str, Right]:
        return {right.name: right for right in self.rights}

    @cached_property
    def systems(self) -> dict[str, ClientSystem]:
        return {system.id: system for system in self.client_systems}

    @cached_property
    def api_scopes(self) -> dict[str, ApiScope]:
        return {entry.scope: entry for api in self.apis for entry in api.scopes}

    @cached_property
    def api_of_scope(self) -> dict[str, Api]:
        return {entry.scope: api for api in self.apis for entry in api.scopes}

    @cached_property
    def client_claims(self) -> dict[str, ClientClaim]:
        return {claim.claim_type: claim for api in self.apis for claim in api.claims}

    @cached_property
    def api_of_claim(self) -> dict[str, Api]:
        return {claim.claim_type: api for api in self.apis for claim in api.claims}

    @cached_property
    def rule_of_organization(self) -> dict[str, OrganizationRule]:
        return {rule.organization_number: rule for rule in self.organization_rules}

    @cached_property
    def declared_clients(self) -> dict[UUID, DeclaredClient]:
        return {client.client_id: client for client in self.clients}
