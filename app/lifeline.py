"""A child process holds one end of a pipe; when its parent is gone, the pipe ends."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

END_WITHIN_SECONDS = 12

_told_of_end: list[Callable[[], None]] = []


@contextmanager
def told_of_end(tell: Callable[[], None]) -> Iterator[None]:
    """`tell` is called once this process is to end, before it takes no more requests."""
    _told_of_end.append(tell)
    try:
        yield
    finally:
        _told_of_end.remove(tell)


def tell_of_end() -> None:
    for tell in _told_of_end:
        tell()


def end_with_standard_input() -> None:
    """End this process in good order when whoever holds the other end of its input is gone."""
    descriptor = sys.stdin.fileno()

    def wait() -> None:
        # Not through `sys.stdin`: the interpreter cannot end while a thread holds its lock.
        while os.read(descriptor, 1024):
            pass

    _in_background(wait)


def end_with_parent_process() -> None:
    """The same for a worker that `multiprocessing` has started."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        _in_background(parent.join)


def _in_background(wait: Callable[[], None]) -> None:
    def wait_and_end() -> None:
        wait()
        # To the process, not to this thread: only the main thread is woken by it. (On Windows
        # this ends the process at once.)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(END_WITHIN_SECONDS)
        os._exit(1)

    threading.Thread(target=wait_and_end, name="lifeline", daemon=True).start()
