"""What each process is told: the service by its settings, the neighbours by a file."""

import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from joserfc.jwk import ECKey
from msgspec import Struct

from app.settings import NOT_FROM_VARIABLES, NOT_OURS, PREFIX, Environment, Settings
from app.supervisor.addresses import Addresses
from app.supervisor.failure import SandboxFailed
from app.supervisor.options import SandboxOptions
from app.supervisor.seed_file import SeedFile

NEIGHBOURS_FILE = "SANDBOX_NEIGHBOURS_FILE"
API_KEY = "sandbox"
KEY_LIFE_DAYS = 90
# Suppliers' tests run in a loop; the limits are there to be met only on purpose.
LIMITS_TIMES = 100
LIMITS = (
    "drafts_per_minute_and_key",
    "drafts_per_day_and_key",
    "drafts_per_hour_organization_and_key",
    "drafts_per_minute_and_address",
    "logins_per_minute_and_address",
    "failed_logins_per_minute",
    "altinn_calls_per_minute",
    "enhetsregisteret_calls_per_second",
)


class Secrets(Struct, frozen=True):
    """Made at each start, but for what must outlast it with a database that does."""

    registration_token: str
    controls_secret: str
    secret_key: str
    login_client_id: str
    login_key: ECKey
    maskinporten_client_id: str
    maskinporten_key: ECKey
    altinn_subscription_key: str


class ReadyInfo(Struct, frozen=True, rename="camel"):
    """What a program that started the sandbox needs to know."""

    base_url: str
    issuer: str
    control_url: str
    confirm_url_template: str
    api_key: str
    ca_file: str | None
    pid: int


def refuse_production(environment: Mapping[str, str]) -> None:
    given = sorted(name for name in environment if name.startswith(PREFIX) and name not in NOT_OURS)
    if given:
        raise SandboxFailed(
            f"The sandbox does not start where the service has settings: {', '.join(given)}."
            " It makes its own; unset these."
        )


def new_secrets(database_url: str | None) -> Secrets:
    # A database that is used again holds what was keyed with this.
    lasting = hashlib.sha256(f"sandbox {database_url}".encode()).hexdigest()
    return Secrets(
        registration_token=secrets.token_urlsafe(32),
        controls_secret=secrets.token_urlsafe(32),
        secret_key=lasting if database_url else secrets.token_urlsafe(32),
        login_client_id=str(uuid4()),
        login_key=_new_key(),
        maskinporten_client_id=str(uuid4()),
        maskinporten_key=_new_key(),
        altinn_subscription_key=secrets.token_hex(16),
    )


def _new_key() -> ECKey:
    return ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"}, auto_kid=True)


def ready_info(addresses: Addresses, ca_file: Path | None) -> ReadyInfo:
    return ReadyInfo(
        base_url=addresses.base_url,
        issuer=addresses.issuer,
        control_url=addresses.control_url,
        confirm_url_template=f"{addresses.base_url}/confirm-client/{{clientId}}",
        api_key=API_KEY,
        ca_file=str(ca_file) if ca_file else None,
        pid=os.getpid(),
    )


def service_settings(
    addresses: Addresses, made: Secrets, database_url: str, ca_file: Path | None
) -> Settings:
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    return Settings(
        database_url=database_url,
        public_base_urls=[addresses.base_url, *addresses.other_base_urls],
        environment=Environment.TEST,
        secret_key=made.secret_key,
        issuer=addresses.issuer,
        registration_token=made.registration_token,
        login_client_id=made.login_client_id,
        login_key=_private(made.login_key),
        enhetsregisteret_url=f"{addresses.neighbours_url}/brreg/enhetsregisteret/api",
        altinn_url=f"{addresses.neighbours_url}/altinn",
        altinn_ui_url=f"{addresses.neighbours_url}/am-ui/accessmanagement/ui",
        altinn_subscription_key=made.altinn_subscription_key,
        maskinporten_issuer=f"{addresses.neighbours_url}/maskinporten/",
        maskinporten_client_id=made.maskinporten_client_id,
        maskinporten_key=_private(made.maskinporten_key),
        ca_file=str(ca_file) if ca_file else None,
        allow_bearer=True,
        operator_name="HelseID onboarding sandbox",
        key_life_days=KEY_LIFE_DAYS,
        **{name: defaults[name] * LIMITS_TIMES for name in LIMITS},
    )


def _private(key: ECKey) -> str:
    return msgspec.json.encode(key.as_dict(private=True)).decode()


def variables(settings: Settings) -> dict[str, str]:
    """The environment in which `read_settings` finds `settings` again."""
    found = {}
    for field in msgspec.structs.fields(Settings):
        value = getattr(settings, field.name)
        if field.name in NOT_FROM_VARIABLES:
            continue
        if value != field.default and value not in (None, []):
            found[PREFIX + field.name.upper()] = _text(value)
    return found


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, list) else str(value)


def _altinn_scopes() -> list[str]:
    """Every scope that the service asks Maskinporten for."""
    fields = msgspec.structs.fields(Settings)
    texts = [field.default for field in fields if field.name.startswith("altinn_scope_")]
    return [scope for text in texts for scope in text.split()]


def write_neighbours_file(
    file: Path,
    addresses: Addresses,
    made: Secrets,
    options: SandboxOptions,
    seed: SeedFile,
) -> None:
    base_urls = [addresses.base_url, *addresses.other_base_urls]
    content: dict[str, Any] = {
        "neighboursUrl": addresses.neighbours_url,
        "baseUrl": addresses.base_url,
        "registrationToken": made.registration_token,
        "loginClient": {
            "client_id": made.login_client_id,
            "jwks": {"keys": [made.login_key.as_dict(private=False)]},
            "redirect_uris": [f"{base}/login/callback" for base in base_urls],
        },
        "maskinportenClient": {
            "client_id": made.maskinporten_client_id,
            "jwks": {"keys": [made.maskinporten_key.as_dict(private=False)]},
            "scopes": _altinn_scopes(),
        },
        "altinnSubscriptionKey": made.altinn_subscription_key,
        "controlsUrl": addresses.controls_url,
        "controlsSecret": made.controls_secret,
        "autoConfirm": options.auto_confirm,
        "strict": options.strict,
        "timeScale": options.time_scale,
        "journal": options.journal,
        "seed": seed,
    }
    file.touch(mode=0o600)
    file.write_bytes(msgspec.json.encode(content))
