"""How the log is written: one JSON object a line, on standard error."""

import logging
import sys
from typing import Any

import msgspec
import structlog


def _encoded(event: dict[str, Any], **_options: Any) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


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
