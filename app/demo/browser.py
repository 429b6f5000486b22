"""Waiting on loopback until the person's browser comes back from the confirmation page."""

import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from urllib.parse import parse_qs, urlsplit

import click

from app.demo.failure import DemoFailed

PATH = "/confirmed"
WAIT_SECONDS = 300.0
DONE = b"Done. The story goes on in the terminal; you may close this tab."


class Return(ThreadingHTTPServer):
    """Hears a GET of one path, and from it a `status`. Nothing else is answered."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.came: SimpleQueue[str] = SimpleQueue()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{PATH}"

    def wait_for_person(self, confirm_url: str) -> None:
        """Until the page has sent the browser back with `status=Success`."""
        # Some browsers keep `open` waiting until they are closed, hence the thread.
        if not webbrowser.open(confirm_url):
            click.echo(f"   No browser could be opened. Open this in one: {confirm_url}")
        try:
            status = self.came.get(timeout=WAIT_SECONDS)
        except Empty:
            raise DemoFailed("Nobody has confirmed within five minutes.") from None
        if status != "Success":
            raise DemoFailed(f"The page came back with status={status}: not confirmed.")


class _Request(BaseHTTPRequestHandler):
    server: Return

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        status = parse_qs(parts.query).get("status", [])
        if parts.path != PATH or len(status) != 1:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.server.came.put(status[0])
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(DONE)))
        self.end_headers()
        self.wfile.write(DONE)

    def log_message(self, *_: object) -> None:
        """The terminal is for the story."""


@contextmanager
def browsers_return() -> Iterator[Return]:
    with Return() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
