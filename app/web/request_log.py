"""How the log is written: one JSON object a line, on standard error."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from msgspec import Struct


def _encoded(event: dict[str, Any], **_options: Any) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


class RequestLine(Struct, kw_only=True):
    """What is told of every request, and nothing besides."""

    event: str = "request"
    level: str = "info"
    timestamp: datetime | None = None
    method: str
    route: str | None
    """The path's template: no identifier stands in the log."""
    status: int
    ms: float
    caller: str | None
    trace_id: str


def log_request(line: RequestLine) -> None:
    """Without the logger's processors, which cost a tenth of a request that does little."""
    line.timestamp = datetime.now(UTC)
    sys.stderr.write(msgspec.json.encode(line).decode() + "\n")


def log_as_json() -> None:
    processors: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(serializer=_encoded),
    ]
    structlog.configure(
        processors=processors,
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries, and those of our modules that run in other processes too, log the ordinary way.
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
    )
