"""Who lets a multi-tenant client act for it, in the names that HelseID Selvbetjening uses."""

from msgspec import Struct


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
