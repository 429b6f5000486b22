"""Where a browser may be sent: what a client system lets its clients use as addresses.

Loopback addresses belong to a program on the person's own machine (RFC 8252 section 7.3); any
other has to lie under an `https` origin that is registered for the client system. An address is
compared as it is written: one that has to be interpreted before it can be judged is refused.
"""

import re
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from app.problems import FieldError

MAX_LENGTH = 2000
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS = {"http": 80, "https": 443}

# RFC 3986's characters without "*", which some servers take for "anything", and with brackets
# only around the one host that needs them: urlsplit() raises for others.
_URI = re.compile(
    r"(?:https?://\[::1\](?=[:/?#]|$))?(?:[A-Za-z0-9._~:/?#@!$&'()+,;=-]|%[0-9A-Fa-f]{2})*"
)
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[::1\])(?::[0-9]{1,5})?")


def redirect_uri_error(
    uri: str, *, pointer: str, https_origins: Collection[str]
) -> FieldError | None:
    """What is wrong with an address that a browser is to be sent to, if anything."""
    fault = address_fault(uri, https_origins)
    return FieldError(pointer, *fault) if fault else None


def address_fault(uri: str, https_origins: Collection[str]) -> tuple[str, str] | None:
    """A code and what to do about it; None for an address that may be used."""
    if len(uri) > MAX_LENGTH:
        return "too_long", f"An address has at most {MAX_LENGTH} characters."
    if not _URI.fullmatch(uri):
        return "not_an_address", (
            "Write an absolute address in plain ASCII, without spaces, control characters, "
            "backslashes and wildcards."
        )
    if "#" in uri:
        return "fragment", "Leave out the fragment: everything from the `#`."
    parts = urlsplit(uri)
    if "@" in parts.netloc:
        return "user_info", "Leave out the user name and password before the `@`."
    origin = _origin(parts)
    if origin is None:
        return "not_an_address", "Write a whole address, such as `http://localhost:8765/callback`."
    return _origin_fault(origin, https_origins)


def _origin(parts: SplitResult) -> tuple[str, str, int] | None:
    """Scheme, host and port, or None if they are not written in the one usual way."""
    if parts.scheme not in _DEFAULT_PORTS or not _AUTHORITY.fullmatch(parts.netloc):
        return None
    try:
        port = _DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        return None
    return (parts.scheme, parts.hostname or "", port) if port else None


def _origin_fault(
    origin: tuple[str, str, int], https_origins: Collection[str]
) -> tuple[str, str] | None:
    scheme, host, _ = origin
    if scheme == "http":
        if host in LOOPBACK:
            return None
        return "not_loopback", (
            "`http` is for this machine only: `localhost`, `127.0.0.1` or `[::1]`. "
            "Use `https` for any other."
        )
    if origin in {_origin(urlsplit(registered)) for registered in https_origins}:
        return None
    return "unregistered_origin", (
        f"`https://{host}` is not registered for your client system. "
        "Its supplier can have it registered."
    )
