"""The port on which an installed program waits for the browser, and how it reads what comes."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

from msgspec import Struct

PATH = "/callback"


class LoopbackListener(Struct):
    port: int
    came: "queue.Queue[str]"

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}{PATH}"

    def status(self, within: float = 10) -> str:
        """What the browser brought; the program stops unless it is `Success`."""
        return primitively_parsed(self.came.get(timeout=within))["status"]


@contextmanager
def loopback_listener() -> Iterator[LoopbackListener]:
    """Takes GET alone, and one path alone."""
    came: queue.Queue[str] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path != PATH:
                self.send_error(404)
                return
            came.put(f"?{parts.query}" if parts.query else "")
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"<h1>You can now return to the application.</h1>")

        def do_POST(self) -> None:
            self.send_error(405)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield LoopbackListener(server.server_port, came)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def primitively_parsed(query: str) -> dict[str, str]:
    """As the official sample does it: nothing is decoded, and anything unusual is a crash."""
    pairs: dict[str, str] = {}
    for part in query[1:].split("&"):
        name, value = part.split("=")
        assert name not in pairs, f"An item with the same key has already been added: {name}"
        pairs[name] = value
    return pairs
