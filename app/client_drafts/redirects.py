"""Where the browser goes: to our page, and once a draft is decided to its own address, or the old
link's."""

import re
from collections.abc import Collection
from urllib.parse import unquote_plus, urlsplit
from uuid import UUID

from app.client_systems.redirect_uris import address_fault
from app.problems import FieldError

_PORT = re.compile(r"[0-9]{4,5}")
_PATH = re.compile(r"/?[A-Za-z0-9/._-]{1,99}")


def page_address(client_id: UUID, *, shared: bool = False) -> str:
    """Below our own base: where the person decides, or to whom the link was passed on."""
    return f"/confirm-client/{client_id}{'?shared=1' if shared else ''}"


def confirmation_redirect_error(
    uri: str, *, pointer: str, https_origins: Collection[str], added: Collection[str] = ("status",)
) -> FieldError | None:
    """What is wrong with the address after confirmation, if anything. `added` to it are these."""
    fault = address_fault(uri, https_origins) or _query_fault(urlsplit(uri).query, added)
    return FieldError(pointer, *fault) if fault else None


def legacy_redirect(port: str | None, path: str | None) -> tuple[int, str] | None:
    """`redirectPort` and `redirectPath` of the old link, or None unless both can be trusted.

    An official sample forgets to fill them in, so the words `<port>` and `<path>` arrive.
    """
    if not _PORT.fullmatch(port or "") or not _PATH.fullmatch(path or ""):
        return None
    number = int(port or "")
    return (number, f"/{(path or '').removeprefix('/')}") if 1024 <= number <= 65535 else None


def redirect_target(
    address: str | None, port: int | None, path: str | None, *, status: str, code: str | None = None
) -> str | None:
    """Where to send the browser: to the draft's own address, else to the old link's port.

    Installed programs split the query at `&` and `=` without decoding it, and crash on a pair
    without `=`: so `status` is added as one more plain pair, and so is `code`, which only new
    programs get.
    """
    if address is None:
        if port is None or path is None:
            return None
        address = f"http://localhost:{port}{path}"
    pairs = f"status={status}" if code is None else f"status={status}&code={code}"
    if "?" not in address:
        return f"{address}?{pairs}"
    return f"{address}{'' if address.endswith('?') else '&'}{pairs}"


def _query_fault(query: str, added: Collection[str]) -> tuple[str, str] | None:
    if not query:
        return None
    pairs = [pair.partition("=") for pair in query.split("&")]
    names = [unquote_plus(name).casefold() for name, _, _ in pairs]
    if not all(name and equals for name, equals, _ in pairs):
        return "bare_name", "Every part of the query must be `name=value`."
    for name in added:
        if name in names:
            return f"{name}_in_query", f"Leave `{name}` out of the query: it is added afterwards."
    if len(set(names)) < len(names):
        return "repeated_name", "Each name may stand in the query only once."
    return None
