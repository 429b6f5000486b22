"""What a caller would like (`Prefer`, RFC 7240): names count whatever their case."""

from collections.abc import Iterable


def prefers(headers: Iterable[str], name: str, value: str) -> bool:
    """Whether one of the `Prefer` headers asks for `name=value`. The first word on it counts."""
    for entry in ",".join(headers).split(","):
        asked, _, given = entry.partition(";")[0].partition("=")
        if asked.strip().lower() == name:
            return given.strip().strip('"').lower() == value
    return False
