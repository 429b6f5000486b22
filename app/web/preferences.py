"""What a caller would like (`Prefer`, RFC 7240): names count whatever their case."""

from collections.abc import Iterable


def prefers(headers: Iterable[str], name: str, value: str) -> bool:
    """Whether one of the `Prefer` headers asks for `name=value`. The first word on it counts."""
    return _preferred(headers, name) == value


def wanted_wait(headers: Iterable[str]) -> int:
    """How many seconds the caller would wait for an answer (`wait`); what is no number is 0."""
    given = _preferred(headers, "wait") or ""
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else 0


def _preferred(headers: Iterable[str], name: str) -> str | None:
    for entry in ",".join(headers).split(","):
        asked, _, given = entry.partition(";")[0].partition("=")
        if asked.strip().lower() == name:
            return given.strip().strip('"').lower()
    return None
