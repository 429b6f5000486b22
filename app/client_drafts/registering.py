"""The key of a draft becomes a client's: each key once, whoever confirms at the same moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.client_drafts.models import ClientDraft
from app.client_keys.models import ClientKey
from app.client_keys.rules import KeyOrigin, KeyTaken, end_of_life
from app.settings import Settings


@contextmanager
def key_may_be_taken() -> Iterator[None]:
    """Around a transaction: `KeyTaken` when another draft has brought the same key meanwhile."""
    try:
        yield
    except IntegrityError as error:
        if "pk_client_keys" in str(error.orig):
            raise KeyTaken from error
        raise


def register_key(db: AsyncSession, draft: ClientDraft, settings: Settings, now: datetime) -> None:
    db.add(
        ClientKey(
            thumbprint=draft.public_key.thumbprint,
            client_id=draft.final_client_id,
            kid=draft.public_key.kid,
            public_key=draft.public_key,
            origin=KeyOrigin.API,
            created_at=now,
            expires_at=end_of_life(now, settings.key_life_days, scale=settings.time_scale),
        )
    )
