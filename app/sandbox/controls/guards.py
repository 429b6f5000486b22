"""Who may use the controls: programs and people on this machine, and no web page elsewhere."""

from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.handlers.base import BaseRouteHandler

LOOPBACK_HOSTS = {"127.0.0.1", "::1", "localhost"}
WITH_BODY = {"POST", "PUT", "PATCH"}

Connection = ASGIConnection[Any, Any, Any, State]


async def demand_loopback_host(connection: Connection, _: BaseRouteHandler) -> None:
    """A name that an attacker lets point at this machine (DNS rebinding) stands in `Host`."""
    try:
        host = urlsplit(f"//{connection.headers.get('host', '')}").hostname
    except ValueError:
        host = None
    if host not in LOOPBACK_HOSTS:
        raise HTTPException(status_code=403, detail="The controls answer to a loopback Host only.")


async def demand_json(connection: Connection, _: BaseRouteHandler) -> None:
    """A web page cannot send this type to another origin without being asked about it first.

    A request with no body at all passes without it, unless a browser says where it is from.
    """
    if str(connection.scope.get("method")) not in WITH_BODY:
        return
    kind = connection.headers.get("content-type", "").split(";")[0].strip().lower()
    bare = not kind and connection.headers.get("content-length", "0") == "0"
    if bare and not {"origin", "sec-fetch-site", "transfer-encoding"} & connection.headers.keys():
        return
    if kind != "application/json":
        raise HTTPException(status_code=415, detail="Send the body as application/json.")
