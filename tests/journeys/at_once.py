"""The same thing by several installers at the same moment."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import httpx2

T = TypeVar("T")
R = TypeVar("R")
EIGHT = range(8)


def at_once(do: Callable[[T], R], each: Sequence[T]) -> list[R]:
    """All begin together; the answers in the order of `each`."""
    barrier = threading.Barrier(len(each))

    def when_all_are_there(one: T) -> R:
        barrier.wait(timeout=30)
        return do(one)

    with ThreadPoolExecutor(len(each)) as threads:
        return list(threads.map(when_all_are_there, each))


def sent_at_once(requests: Sequence[httpx2.Request]) -> list[httpx2.Response]:
    """Each over a connection of its own, so that either process of the service may get it."""

    def send(request: httpx2.Request) -> httpx2.Response:
        with httpx2.Client(trust_env=False, timeout=60) as http:
            return http.send(request)

    return at_once(send, requests)
