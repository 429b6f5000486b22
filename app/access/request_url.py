"""When two addresses name the same request (RFC 9449, section 4.3, 9)."""

import re
import string
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")
_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})")


def same_url(one: str, other: str) -> bool:
    """Query and fragment left out, and both normalised by RFC 3986, sections 6.2.2 and 6.2.3."""
    normalised = _normalised(one)
    return normalised is not None and normalised == _normalised(other)


def _normalised(url: str) -> tuple[str, str, int | None, str] | None:
    # urlsplit drops line breaks and tabs without a word; an address has none, nor a space.
    if not url.isascii() or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port, _normalised_path(parts.path)


def _normalised_path(path: str) -> str:
    return _without_dots(_ENCODED.sub(_decoded, path)) or "/"


def _decoded(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _without_dots(path: str) -> str:
    """Section 5.2.4 for a path that begins with a slash."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", ".."):
        kept.append("")
    return "".join(f"/{segment}" for segment in kept)
