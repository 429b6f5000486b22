"""What surrounds every request: its trace, the caller's address, and one line in the log.

The line holds the method, the path's template, the status and the time: never a header, a query
or a body.
"""

import random
import re
import time
from collections.abc import Collection, Mapping
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from app.web.request_log import RequestLine, log_request

# Neither the trace nor the span may be all zeros.
TRACEPARENT = re.compile(rb"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
PROBES = frozenset({"/health/live", "/health/ready"})
PLAIN_JSON = (b"content-type", b"application/json")
JSON_IN_UTF_8 = (b"content-type", b"application/json; charset=utf-8")


class Frame:
    """An ASGI application around the service's own."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        trusted_proxies: list[str],
        headers: Mapping[str, str],
        asked_often: Collection[str] = PROBES,
    ) -> None:
        """`asked_often` are paths that are no news for the log as long as they are answered."""
        self.app = app
        self.asked_often = asked_often
        self.trusted_proxies = tuple(map(ip_network, trusted_proxies))
        self.headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        await self._answer(scope, receive, send)

    async def _answer(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        trace_id = _trace_id(scope)
        state = scope.setdefault("state", {})
        state["trace_id"] = trace_id
        state["address"] = self._address(scope)
        added = [
            *self.headers,
            (b"traceparent", f"00-{trace_id}-{_random_hex(8)}-01".encode()),
        ]
        began = time.perf_counter()
        status = 0

        async def send_framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*map(_with_charset, message["headers"]), *added]
            await send(message)

        try:
            await self.app(scope, _receive_without_waiting_for_the_end(scope, receive), send_framed)
        finally:
            route = _route(scope)
            if route not in self.asked_often or status != HTTPStatus.OK:
                log_request(
                    RequestLine(
                        method=scope["method"],
                        route=route,
                        status=status,
                        ms=round((time.perf_counter() - began) * 1000, 1),
                        caller=state.get("caller"),
                        trace_id=trace_id,
                    )
                )

    def _address(self, scope: Scope) -> str:
        """The caller's address: a proxy's word counts only where the operator trusts it.

        Each proxy adds whom it was called by at the end of the last header, so the first from
        there that is not a proxy of ours is the caller; what stands before is the caller's word.
        """
        client = scope.get("client")
        address = client[0] if client else ""
        if not self._trusts(address):
            return address
        for forwarded in reversed(_forwarded_for(scope)):
            if parsed_address(forwarded) is None:
                return address
            address = forwarded
            if not self._trusts(address):
                break
        return address

    def _trusts(self, address: str) -> bool:
        parsed = parsed_address(address) if self.trusted_proxies else None
        return parsed is not None and any(parsed in network for network in self.trusted_proxies)


def _receive_without_waiting_for_the_end(scope: HTTPScope, receive: Receive) -> Receive:
    """The body is complete once it is as long as was announced.

    granian says so only when it is asked again, which costs two turns between its threads and ours.
    """
    missing = _announced_length(scope)
    if not missing:
        return receive

    async def receive_framed() -> Any:
        nonlocal missing
        message = await receive()
        if message["type"] == "http.request":
            missing -= len(message["body"])
            if missing <= 0:
                message["more_body"] = False
        return message

    return receive_framed


def _announced_length(scope: Scope) -> int:
    """0 where nothing was announced, or another header decides."""
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"")
    return int(length) if length.isdigit() and b"transfer-encoding" not in headers else 0


def _forwarded_for(scope: Scope) -> list[str]:
    values = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [entry.strip() for entry in b",".join(values).decode("latin-1").split(",")]


def parsed_address(text: str) -> IPv4Address | IPv6Address | None:
    """On a socket for both, an IPv4 address is written as one of IPv6: it is the former."""
    try:
        parsed = ip_address(text)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def network_of(address: str) -> str:
    """What limits go by: the address, or for IPv6 its /64, which one household has whole."""
    parsed = parsed_address(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Address(int(parsed) >> 64 << 64)) + "/64"
    return str(parsed or address)


def _random_hex(octets: int) -> str:
    """Unlike a secret it costs no call of the system, and a trace is no secret."""
    return random.randbytes(octets).hex()  # noqa: S311


def _with_charset(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """HelseID Selvbetjening names the charset of its JSON, so its clients may expect it."""
    return JSON_IN_UTF_8 if header == PLAIN_JSON else header


def _trace_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            match = TRACEPARENT.fullmatch(value)
            if match:
                return match[1].decode()
    return _random_hex(16)


def _route(scope: Scope) -> str | None:
    """The template of the path, so that no identifier stands in the log."""
    return scope.get("path_template")
