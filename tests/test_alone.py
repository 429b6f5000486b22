"""The turnstile of tests that nothing may run beside."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.alone import turn

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="The lock is one of Unix.")


def test_others_run_together(tmp_path: Path) -> None:
    together = threading.Barrier(2, timeout=10)

    def run(_: int) -> None:
        with turn(tmp_path, alone=False):
            together.wait()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(run, range(2)))


def test_nothing_runs_beside_who_is_alone(tmp_path: Path) -> None:
    inside: set[int] = set()
    beside: list[set[int]] = []

    def run(number: int) -> None:
        alone = number % 2 == 0
        with turn(tmp_path, alone=alone):
            inside.add(number)
            time.sleep(0.01)
            if alone:
                beside.append(inside - {number})
            inside.discard(number)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(run, range(16)))
    assert beside == [set()] * 8
