"""Issuing and revoking API keys. The text of a key is shown once and never kept.

`ok_<prefix>_<secret>`: the prefix is public, so that a key that has leaked can be found and
revoked by it; the secret has 256 random bits, which makes one round of SHA-256 enough.
"""

import hashlib
import secrets
import string
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.models import ApiKey
from app.audit.trail import OPERATOR, Happened, record
from app.problems import Problem

_PREFIX_LETTERS = string.ascii_lowercase + string.digits


class UnknownApiKey(Problem):
    slug = "unknown-api-key"
    title = "There is no such API key"
    status = HTTPStatus.NOT_FOUND


class ApiKeyRevoked(Problem):
    slug = "api-key-revoked"
    title = "The API key was revoked before"
    status = HTTPStatus.CONFLICT


def digest_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


async def issue_api_key(
    db: AsyncSession, *, client_system_id: str, label: str, now: datetime
) -> str:
    """A new key's text, for its receiver's eyes. Several can be valid at once."""
    prefix = "ok_" + "".join(secrets.choice(_PREFIX_LETTERS) for _ in range(8))
    text = f"{prefix}_{secrets.token_urlsafe(32)}"
    async with db.begin():
        db.add(
            ApiKey(
                digest=digest_of(text),
                prefix=prefix,
                client_system_id=client_system_id,
                label=label,
                created_at=now,
            )
        )
        _record(db, Happened.API_KEY_CREATED, prefix, client_system_id, now)
    return text


async def register_api_key(
    db: AsyncSession,
    text: str,
    *,
    client_system_id: str,
    label: str,
    now: datetime,
    revoked: bool = False,
) -> bool:
    """Register a key whose text is no secret and is its own prefix; False if it is there already.

    For a sandbox, where everybody knows the keys. In the caller's transaction.
    """
    added = await db.scalar(
        insert(ApiKey)
        .values(
            digest=digest_of(text),
            prefix=text,
            client_system_id=client_system_id,
            label=label,
            created_at=now,
            revoked_at=now if revoked else None,
        )
        .on_conflict_do_nothing()
        .returning(ApiKey.prefix)
    )
    if added:
        _record(db, Happened.API_KEY_CREATED, text, client_system_id, now)
    return added is not None


async def revoke_api_key(db: AsyncSession, prefix: str, now: datetime) -> None:
    """Effective for the next request. A key never comes back."""
    async with db.begin():
        key = await db.scalar(select(ApiKey).where(ApiKey.prefix == prefix).with_for_update())
        if key is None:
            raise UnknownApiKey(f"No API key has the prefix {prefix}.")
        if key.revoked_at is not None:
            raise ApiKeyRevoked(f"{prefix} was revoked at {key.revoked_at:%Y-%m-%d %H:%M} UTC.")
        key.revoked_at = now
        _record(db, Happened.API_KEY_REVOKED, prefix, key.client_system_id, now)


async def all_api_keys(db: AsyncSession) -> Sequence[ApiKey]:
    """All that were ever issued, revoked ones last."""
    order = ApiKey.revoked_at.is_not(None), ApiKey.client_system_id, ApiKey.created_at
    return (await db.scalars(select(ApiKey).order_by(*order))).all()


async def systems_with_live_keys(db: AsyncSession) -> set[str]:
    live = select(ApiKey.client_system_id).where(ApiKey.revoked_at.is_(None)).distinct()
    return set(await db.scalars(live))


def _record(
    db: AsyncSession, happened: Happened, prefix: str, client_system_id: str, now: datetime
) -> None:
    record(
        db,
        happened,
        actor=OPERATOR,
        subject=f"api-key:{prefix}",
        at=now,
        clientSystem=client_system_id,
    )
