"""Things that are fine. A test starts from one and changes the part it is about."""

from datetime import UTC, datetime

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORGANIZATION = "310000019"
