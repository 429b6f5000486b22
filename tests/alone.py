"""Tests that nothing runs beside, when pytest-xdist runs several at once.

Each test holds a lock, which those marked `alone` share with nobody. All pass a turnstile first:
whoever waits there for the others to end is overtaken by none.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def turn(folder: Path, *, alone: bool) -> Iterator[None]:
    if sys.platform == "win32":
        yield
        return
    import fcntl  # does not exist on Windows

    with (folder / "room").open("w") as room:
        with (folder / "turnstile").open("w") as turnstile:
            fcntl.flock(turnstile, fcntl.LOCK_EX)
            fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    cache = item.config.cache
    if not hasattr(item.config, "workerinput"):
        return (yield)
    with turn(cache.mkdir("alone"), alone=item.get_closest_marker("alone") is not None):
        return (yield)
