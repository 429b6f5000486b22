"""The service's settings, read once at start from `ONBOARDING_*` variables.

A variable may instead name a file that holds its value, by the same name with `_FILE` behind:
secrets need not stand in the environment. An unknown variable, and one whose value does not
fit, stops the start with its name.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

PREFIX = "ONBOARDING_"

Address = Annotated[str, Meta(pattern=r"^https?://[^\s/]+(/[^\s]*[^\s/])?$")]
DatabaseAddress = Annotated[str, Meta(pattern=r"^postgres(ql)?://")]
IssuerName = Annotated[str, Meta(pattern=r"^https?://[^\s/]+(/\S*)?$")]
Secret = Annotated[str, Meta(min_length=32)]
OrganizationNumber = Annotated[str, Meta(pattern=r"^[0-9]{9}$")]
Positive = Annotated[int, Meta(ge=1)]

# Handed in by the sandbox's processes: no variable sets it.
NOT_FROM_VARIABLES = frozenset({"time_scale"})
# Variables in the name of the service that are not the service's own.
NOT_OURS = frozenset({"ONBOARDING_TEST_DATABASE_URL"})


class SettingsRefused(Exception):
    """The environment does not describe a service that can start. The text is for the operator."""


class Environment(StrEnum):
    TEST = "test"
    PRODUCTION = "production"


class MailSecurity(StrEnum):
    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Settings(Struct, frozen=True, kw_only=True):
    """Everything an operator can set; each name is that of its variable, less the prefix."""

    database_url: DatabaseAddress
    public_base_urls: Annotated[list[Address], Meta(min_length=1)]
    """Where clients reach the service. The first is used in links; a proof's `htu` may name any."""
    environment: Environment
    secret_key: Secret
    """Keys pseudonyms, form tokens and pairing codes (HMAC)."""

    issuer: Address
    registration_token: Secret
    """The management credential for client registration at the issuer (RFC 7591)."""
    audience: str = "nhn:selvbetjening"
    client_scope: str = "nhn:selvbetjening/client"
    login_client_id: Annotated[str, Meta(min_length=1)]
    login_key: Annotated[str, Meta(min_length=1)]
    """The private JWK, as JSON text, with which this service authenticates at the issuer."""
    security_level: Annotated[int, Meta(ge=3, le=4)] = 4

    enhetsregisteret_url: Address = "https://data.brreg.no/enhetsregisteret/api"
    enhetsregisteret_calls_per_second: Positive = 3
    """By all processes together."""

    altinn_url: Address | None = None
    """Altinn's platform. Empty: Altinn is not asked, and what has been given there is not known."""
    altinn_ui_url: Address | None = None
    """Altinn's pages for access management, where people are sent."""
    altinn_subscription_key: str = ""
    altinn_calls_per_minute: Positive = 60
    """For each of Altinn's products, by all processes together."""
    altinn_scope_maskinporten: str = "altinn:maskinporten/delegations"
    altinn_scope_parties: str = "altinn:accessmanagement/authorizedparties.resourceowner"
    altinn_scope_pdp: str = "altinn:authorization/authorize"
    altinn_scope_requests: str = (
        "altinn:serviceowner/delegationrequests.read altinn:serviceowner/delegationrequests.write"
    )
    maskinporten_issuer: IssuerName | None = None
    maskinporten_client_id: str = ""
    """This service's own client at Maskinporten, for tokens to Altinn."""
    maskinporten_key: str = ""
    """Its private JWK, as JSON text."""

    operator_name: str = ""
    """Who runs this service, as its pages tell people; the host's name when empty."""
    contact: str = "post@example.org"
    """Stands in the `User-Agent` of calls to the neighbours."""
    smtp_host: str = ""
    """The mail server for notices. Empty: they are kept, and shown to the operator."""
    smtp_port: Positive = 587
    smtp_security: MailSecurity = MailSecurity.STARTTLS
    smtp_user: str = ""
    smtp_password: str = ""
    mail_from: str = ""
    """The sender of notices."""
    ca_file: str | None = None
    """Certificate authorities to trust for calls to the neighbours, besides the system's."""

    allow_bearer: bool = False
    refuse_rs_algorithms: bool = False
    allowed_organization_numbers: list[OrganizationNumber] = []
    """Numbers that are accepted although the rule for the environment refuses them."""
    organisasjonsledd_allowed: list[OrganizationNumber] = []
    """Organisational parts that may own a client although they are not main units."""
    trusted_proxies: list[str] = []
    """Addresses and networks whose `X-Forwarded-For` counts."""
    proofs_not_before: int = 0
    """Proofs with an older `iat` (epoch seconds) are refused: set it after a restore."""

    key_life_days: Positive = 365
    draft_life_hours: Positive = 24
    body_limit: Positive = 65_536
    drafts_per_minute_and_key: Positive = 60
    drafts_per_day_and_key: Positive = 2_000
    drafts_per_hour_organization_and_key: Positive = 10
    drafts_per_minute_and_address: Positive = 30
    logins_per_minute_and_address: Positive = 60
    """Each asks the token issuer for something."""
    failed_logins_per_minute: Positive = 30
    """Failed authentications a minute for each address and key."""

    time_scale: float = 1.0
    """Lifetimes and waits are divided by this, which is 1 wherever anything is real."""

    @property
    def base_url(self) -> str:
        return self.public_base_urls[0]

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or ""

    @property
    def operator(self) -> str:
        return self.operator_name or self.host

    def scaled(self, lasting: timedelta, *, least: timedelta = timedelta(0)) -> timedelta:
        """`lasting` in the scale of time; no shorter than `least`, unless it was."""
        return max(lasting / self.time_scale, min(lasting, least))


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in `environment`, or `SettingsRefused` with every variable that is at fault."""
    given, faults = _given(environment)
    known = {
        field.encode_name: field
        for field in msgspec.structs.fields(Settings)
        if field.name not in NOT_FROM_VARIABLES
    }
    faults += [f"{PREFIX}{name.upper()} is not a setting." for name in given.keys() - known.keys()]
    values: dict[str, object] = {}
    for name, field in known.items():
        if name in given:
            try:
                values[name] = _value(given[name], field.type)
                if values[name] and name in USABLE:
                    USABLE[name](values[name])
            except (msgspec.ValidationError, Unusable) as error:
                faults.append(f"{PREFIX}{name.upper()}: {error}.")
        elif field.required and f"{PREFIX}{name.upper()}_FILE" not in environment:
            faults.append(f"{PREFIX}{name.upper()} is missing.")
    faults += _lacking_for_altinn(values)
    if values.get("smtp_host") and not values.get("mail_from"):
        faults.append(f"{PREFIX}MAIL_FROM is missing: mail needs a sender.")
    if faults:
        raise SettingsRefused("\n".join(sorted(faults)))
    return Settings(**values)  # type: ignore[arg-type]  # each value was converted to its type


ALTINN_NEEDS = (
    "altinn_ui_url",
    "maskinporten_issuer",
    "maskinporten_client_id",
    "maskinporten_key",
)


def _lacking_for_altinn(values: Mapping[str, object]) -> list[str]:
    if not values.get("altinn_url"):
        return []
    lacking = [name for name in ALTINN_NEEDS if not values.get(name)]
    return [f"{PREFIX}{name.upper()} is missing: Altinn needs it." for name in lacking]


class Unusable(Exception):
    """A value of the right form that could not be used later. The text shows no secret."""


def _private_key(jwk: object) -> None:
    """What LoginKey and MaskinportenKey need; an empty one is told where it is needed."""
    from joserfc.errors import JoseError  # here, so that `--help` is quick
    from joserfc.jwk import ECKey, RSAKey, import_key

    try:
        key = import_key(msgspec.json.decode(str(jwk), type=dict[str, Any]))
    except (JoseError, msgspec.DecodeError, ValueError, TypeError, KeyError):
        key = None
    if not isinstance(key, (RSAKey, ECKey)) or not key.is_private:
        raise Unusable("Expected a private RSA or EC key, as a JWK")


def _networks(addresses: object) -> None:
    assert isinstance(addresses, list)
    for address in addresses:
        try:
            ip_network(address)
        except ValueError as error:
            raise Unusable(
                f"Expected addresses and networks, such as 10.0.0.0/8: {error}"
            ) from error


def _readable_file(path: object) -> None:
    try:
        Path(str(path)).read_bytes()
    except (OSError, ValueError) as error:
        raise Unusable(f"This file cannot be read: {path}") from error


def _whole_host(addresses: object) -> None:
    assert isinstance(addresses, list)
    if urlsplit(addresses[0]).path:
        raise Unusable("The first is that of the pages, which need a host of their own: no path")


USABLE: Mapping[str, Callable[[object], None]] = {
    "public_base_urls": _whole_host,
    "login_key": _private_key,
    "maskinporten_key": _private_key,
    "trusted_proxies": _networks,
    "ca_file": _readable_file,
}


def _given(environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The values by their names, and what is wrong with the files they should stand in."""
    given: dict[str, str] = {}
    faults: list[str] = []
    for variable, value in environment.items():
        if not variable.startswith(PREFIX) or variable in NOT_OURS:
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name.endswith("_file") and name not in Settings.__struct_fields__:
            name = name.removesuffix("_file")
            try:
                value = Path(value).read_text(encoding="utf-8").strip()
            except OSError as error:
                faults.append(f"{variable}: {error.strerror}: {value}")
                continue
            except ValueError:  # no UTF-8, or a NUL in the name of the file
                faults.append(f"{variable}: This is no file of text: {value}")
                continue
        if name in given:
            faults.append(f"{PREFIX}{name.upper()} is given twice, once by a file.")
        given[name] = value
    return given, faults


def _value(text: str, kind: type) -> object:
    """`text` as `kind`; a list is written with commas, and nothing where nothing may stand."""
    told = msgspec.inspect.type_info(kind)
    if not text and getattr(told, "includes_none", False):
        return None
    if getattr(told, "item_type", None) is not None:
        items = [item.strip() for item in text.split(",") if item.strip()]
        return msgspec.convert(items, kind)
    return msgspec.convert(text, kind, strict=False)
