"""Installers that ask again and again, over new connections when theirs break."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import httpx2
from msgspec import Struct, field

from tests.installers.plain import CLIENT_SCOPE, PlainInstaller
from tests.sandboxes import Ready

ASKERS = 3
PAUSE_SECONDS = 0.05
OUTAGE = 503


class Answered(Struct):
    """What was answered with success, in its order."""

    drafts: list[str] = field(default_factory=list)
    changes: list[int] = field(default_factory=list)


def connection() -> httpx2.Client:
    return httpx2.Client(trust_env=False, timeout=30)


@contextmanager
def relentless(service: Ready, changing: PlainInstaller) -> Iterator[Answered]:
    """Some ask for new clients; one changes a client of its own, to a new number each time."""
    answered, ended = Answered(), threading.Event()
    tried = iter(range(1_000_000))

    def draft(http: httpx2.Client) -> None:
        answer = PlainInstaller(service, http).draft()
        assert answer.status_code in (201, OUTAGE), answer.text
        if answer.is_success:
            answered.drafts.append(answer.json()["clientId"])

    def change(http: httpx2.Client) -> None:
        changing.http, number = http, next(tried)
        uris = [f"http://localhost:1337/{number}"]
        answer = changing.put_client({"apiScopes": [CLIENT_SCOPE], "redirectUris": uris})
        assert answer.status_code in (204, OUTAGE), answer.text
        if answer.is_success:
            answered.changes.append(number)

    with ThreadPoolExecutor(ASKERS + 1) as threads:
        each = [*[draft] * ASKERS, change]
        running = [threads.submit(_again_and_again, do, ended) for do in each]
        try:
            yield answered
        finally:
            ended.set()
        for one in running:
            one.result(timeout=60)


def _again_and_again(do: Callable[[httpx2.Client], None], ended: threading.Event) -> None:
    while not ended.is_set():
        with suppress(httpx2.TransportError), connection() as http:
            while not ended.wait(PAUSE_SECONDS):
                do(http)
