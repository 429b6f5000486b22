"""When to end: a signal, or a parent that is gone."""

import os
import signal
import sys
import threading
from collections.abc import Callable

SYNCHRONIZE = 0x0010_0000


class Ending:
    """Set by SIGTERM, Ctrl-C and a closed terminal, and by the parent's end where that counts."""

    def __init__(self, *, with_parent: bool) -> None:
        self._wanted = threading.Event()
        self._parent_gone = parent_watch() if with_parent else lambda: False
        names = ["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"]
        for number in [getattr(signal, name) for name in names if hasattr(signal, name)]:
            signal.signal(number, lambda *_: self._wanted.set())

    def wait(self, seconds: float) -> bool:
        """Wait that long, or until the end is wanted; whether it is."""
        return self._wanted.wait(seconds) or self._parent_gone()


def parent_watch() -> Callable[[], bool]:
    """A function that tells whether the process that started this one is gone."""
    parent = os.getppid()
    if sys.platform != "win32":
        # An orphan is given another parent.
        return lambda: os.getppid() != parent
    import ctypes

    kernel = ctypes.windll.kernel32
    handle = kernel.OpenProcess(SYNCHRONIZE, False, parent)
    return lambda: handle == 0 or kernel.WaitForSingleObject(handle, 0) == 0
