"""Where everything of one sandbox is reached."""

from socket import socket
from urllib.parse import urlsplit

from msgspec import Struct

from app.serving import listen
from app.supervisor.options import SandboxOptions

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  compared with, never bound to


class Listeners(Struct, frozen=True):
    """The ports, held from the start to the end, whoever serves them."""

    service: socket
    neighbours: socket
    controls: socket

    def close(self) -> None:
        for listener in (self.service, self.neighbours, self.controls):
            listener.close()


class Addresses(Struct, frozen=True):
    base_url: str
    """What the service is called in links."""
    other_base_urls: list[str]
    """What a proof may call it besides."""
    neighbours_url: str
    controls_url: str
    """The service's own controls, for the neighbours' process alone."""
    hosts: set[str]
    """Every name and number in the addresses."""

    @property
    def issuer(self) -> str:
        return f"{self.neighbours_url}/sts"

    @property
    def control_url(self) -> str:
        return f"{self.neighbours_url}/_sandbox"


def open_listeners(options: SandboxOptions) -> Listeners:
    opened: list[socket] = []
    try:
        for host, port in (
            (options.host, options.port),
            (options.host, options.neighbours_port),
            ("127.0.0.1", 0),
        ):
            opened.append(listen(host, port))
    except Exception:
        for listener in opened:
            listener.close()
        raise
    return Listeners(*opened)


def addresses_of(listeners: Listeners, options: SandboxOptions) -> Addresses:
    scheme = "https" if options.tls else "http"
    host = EVERYWHERE.get(options.host, options.host)
    port = listeners.service.getsockname()[1]
    local = [f"{scheme}://{_literal(name)}:{port}" for name in (host, "127.0.0.1", "localhost")]
    base_urls = list(dict.fromkeys([*([options.public_url] if options.public_url else []), *local]))
    neighbours_port = listeners.neighbours.getsockname()[1]
    return Addresses(
        base_url=base_urls[0],
        other_base_urls=base_urls[1:],
        neighbours_url=f"{scheme}://{_literal(host)}:{neighbours_port}",
        controls_url=f"http://127.0.0.1:{listeners.controls.getsockname()[1]}",
        hosts={urlsplit(url).hostname or host for url in base_urls},
    )


def _literal(host: str) -> str:
    return f"[{host}]" if ":" in host else host
