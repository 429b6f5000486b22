"""The bodies of the key API ("client secret" in HelseID Selvbetjening's words)."""

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from app.client_keys.rules import KeyOrigin, KeyState, RenewalWindow, Unusable


class StoredKey(Struct, frozen=True):
    """A public key that has been found acceptable."""

    thumbprint: str
    kid: str
    parameters: dict[str, str]


class ClientSecretCreated(Struct, rename="camel", frozen=True, omit_defaults=True):
    """The key is registered. `expiration` is the moment from which it no longer works."""

    expiration: datetime
    kid: str
    jwk_thumbprint: str
    state: KeyState
    warnings: list[str] = []


class ClientSecret(Struct, rename="camel", frozen=True):
    """A registered key. `publicJwk` is there for old readers and always null."""

    expiration: datetime | None
    kid: str
    jwk_thumbprint: str
    origin: KeyOrigin
    public_jwk: str | None
    state: KeyState
    created_at: datetime
    active_at: datetime | None
    retires_at: datetime | None
    last_used_at: datetime | None
    leaked_at: datetime | None
    renewal_window: RenewalWindow | UnsetType = UNSET


class KeyCheck(Struct, frozen=True, forbid_unknown_fields=True):
    """`proof` is a JWT that the key has signed (`app.access.key_proofs`)."""

    proof: str


class KeyChecked(Struct, rename="camel", frozen=True):
    """Whether the client can log in with the key."""

    usable: bool
    reason_code: Unusable | None
    retry_after_seconds: int | None
