"""How the log is written: one JSON object a line, on standard error, whoever logs."""

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

# PostgreSQL repeats values of the row there, and a person's name may be among them.
_VALUES = re.compile(
    r"\n *DETAIL:.*?(?=\n\[SQL|\n\(Background|\n\nThe above|\n\nDuring|\nTraceback|\Z)", re.DOTALL
)


# What every record has of itself; the rest was given by whoever logged.
_OF_ITSELF = {*vars(logging.makeLogRecord({})), "message", "asctime"}


class JsonLines(logging.Formatter):
    """A record, with what was given as `extra` as members of its own."""

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC),
            "logger": record.name,
        }
        for name, value in vars(record).items():
            if name not in _OF_ITSELF:
                event.setdefault(name, value)
        if record.exc_info:
            event["exception"] = _VALUES.sub("", self.formatException(record.exc_info))
        return msgspec.json.encode(event, enc_hook=str).decode()


def log_as_json() -> None:
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[lines])
