"""How the log is written: one JSON object a line, on standard error.

Our own modules log with structlog. Libraries, the server, and those of our modules that run in
other processes too, log the ordinary way: their lines get the same form.
"""

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

# PostgreSQL repeats values of the row there, and a person's name may be among them.
_VALUES = re.compile(
    r"\n *DETAIL:.*?(?=\n\[SQL|\n\(Background|\n\nThe above|\n\nDuring|\nTraceback|\Z)", re.DOTALL
)


def encoded(event: dict[str, Any], **_options: Any) -> str:
    """The one line of any event, and of a traceback what stands in no row."""
    if isinstance(exception := event.get("exception"), str):
        event["exception"] = _VALUES.sub("", exception)
    return msgspec.json.encode(event, enc_hook=str).decode()


class JsonLines(logging.Formatter):
    """What was logged the ordinary way, with the members of our own lines."""

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC),
            "logger": record.name,
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return encoded(event)


def log_as_json() -> None:
    processors: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(serializer=encoded),
    ]
    structlog.configure(
        processors=processors,
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[lines])
