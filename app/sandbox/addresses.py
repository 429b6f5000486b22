"""Addresses as a proof names them: whether two are one, and in what they differ. RFC 9449, 4.3."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from msgspec import Struct

DEFAULT_PORTS = {"http": 80, "https": 443}


class Address(Struct, frozen=True):
    scheme: str
    host: str | None
    port: int | None
    path: str


def is_at(given: str, url: str) -> bool:
    """Whether both are the same place. Query and fragment count for nothing."""
    return given == url or (_address(given) is not None and _address(given) == _address(url))


def other_parts(given: str, urls: Sequence[str]) -> str:
    """The parts in which `given` is not like the one of `urls` that is most like it."""
    found = _address(given)
    if found is None:
        return "form"
    differences = [list(_differences(found, other)) for url in urls if (other := _address(url))]
    fewest: list[str] = min(differences, key=len, default=[])
    return " and ".join(fewest) or "form"


def _differences(one: Address, other: Address) -> Iterator[str]:
    for part in Address.__struct_fields__:
        if getattr(one, part) != getattr(other, part):
            yield part


def _address(url: str) -> Address | None:
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme.lower())
    except ValueError:
        return None
    return Address(parts.scheme.lower(), parts.hostname, port, parts.path or "/")
