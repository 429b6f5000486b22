"""The resources, which other services call rights: what one party can give another."""

from enum import StrEnum

from msgspec import Struct

OWNER = "nhn"
"""The service owner whose client the sandbox's service is."""


class Kind(StrEnum):
    MASKINPORTEN_SCHEMA = "MaskinportenSchema"
    """A bundle of scopes, given by an organisation to another."""
    GENERIC_ACCESS = "GenericAccessResource"


class Resource(Struct, frozen=True, kw_only=True):
    identifier: str
    kind: Kind
    title: dict[str, str]
    owner: str = OWNER
    scopes: tuple[str, ...] = ()
    actions: tuple[str, ...] = ("access",)


DATA_PROCESSOR = Resource(
    identifier="nhn-helseid-databehandler",
    kind=Kind.MASKINPORTEN_SCHEMA,
    title={
        "nb": "Databehandler kan opptre for virksomheten i HelseID",
        "nn": "Databehandlar kan opptre for verksemda i HelseID",
        "en": "Data processor may act for the organisation in HelseID",
    },
    # One look-up by one of them answers with both.
    scopes=("nhn:helseid/databehandler", "nhn:helseid/databehandler.les"),
    actions=("access", "ScopeAccess"),
)
TAKE_INTO_USE = Resource(
    identifier="nhn-helseid-ta-i-bruk",
    kind=Kind.GENERIC_ACCESS,
    title={
        "nb": "Ta i bruk HelseID for et fagsystem",
        "nn": "Ta i bruk HelseID for eit fagsystem",
        "en": "Take HelseID into use for a professional system",
    },
)
SUPPLIER = Resource(
    identifier="nhn-helseid-leverandor",
    kind=Kind.GENERIC_ACCESS,
    title={
        "nb": "Leverandør av klientsystem",
        "nn": "Leverandør av klientsystem",
        "en": "Supplier of a client system",
    },
)
FOREIGN = Resource(
    identifier="skd-innsyn",
    kind=Kind.GENERIC_ACCESS,
    owner="skd",
    title={"nb": "Innsyn i skatteforhold", "nn": "Innsyn i skatteforhold", "en": "Tax insight"},
    actions=("read",),
)

RESOURCES = {
    resource.identifier: resource for resource in (DATA_PROCESSOR, TAKE_INTO_USE, SUPPLIER, FOREIGN)
}
