"""How events are chained: each hash covers one event and, by the hash before, all earlier ones."""

import hashlib
import json
from datetime import UTC, datetime

from app.audit.models import AuditEvent

# What the first event is chained to.
BEGINNING = bytes(32)


def chained(previous: bytes, event: AuditEvent) -> bytes:
    """The hash of `event`, which comes after the one whose hash is `previous`.

    Everything that the row says is in it. The form may never change: old seals must hold.
    """
    told = [
        event.id,
        event.transaction_id,
        event.happened,
        event.actor,
        event.subject,
        _text(event.at),
        event.source,
        event.request_id,
        event.details,
    ]
    text = json.dumps(told, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(previous + text.encode("ascii")).digest()


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
