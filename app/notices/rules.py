"""What notices tell of, to whom, and the link in them that blocks a client."""

import hmac
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

BLOCKS_WITHIN = timedelta(days=30)
"""How long the link in a notice works. After that the operator is asked."""
KEPT = timedelta(days=90)
"""Addresses are kept no longer; what happened stays in the trail."""
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=6)
# Longer than a mail may take, so that nobody else sends it while it is under way.
LEASE = timedelta(minutes=2)


class NoticeKind(StrEnum):
    CLIENT_CONFIRMED = "clientConfirmed"
    KEYS_TO_BE_REPLACED = "keysToBeReplaced"
    KEYS_REPLACED = "keysReplaced"
    KEY_LEAKED = "keyLeaked"


class Recipient(StrEnum):
    ORGANIZATION = "organization"
    SUPPLIER = "supplier"
    API_OWNER = "apiOwner"


MAY_BLOCK = frozenset({Recipient.ORGANIZATION, Recipient.SUPPLIER})


def wait_after(attempts: int) -> timedelta:
    times: int = 2 ** min(attempts - 1, 12)
    return min(FIRST_WAIT * times, LONGEST_WAIT)


def block_token(notice_id: int, client_id: UUID, *, secret_key: str) -> str:
    """What makes the link of one notice; nothing of it is stored."""
    said = b"block link\0" + notice_id.to_bytes(8) + client_id.bytes
    return f"{notice_id}-{hmac.digest(secret_key.encode(), said, sha256).hex()}"


def is_block_token(given: str, notice_id: int, client_id: UUID, *, secret_key: str) -> bool:
    expected = block_token(notice_id, client_id, secret_key=secret_key)
    return hmac.compare_digest(given.encode(), expected.encode())


def still_blocks(created_at: datetime, now: datetime) -> bool:
    return now < created_at + BLOCKS_WITHIN
