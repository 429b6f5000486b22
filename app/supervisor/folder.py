"""The temporary folder of one sandbox. Those of sandboxes that were killed are swept."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.embedded_postgres.folders import LOCK, lock_or_fail, stale_folders_in

PREFIX = "onboarding-sandbox-"


@contextmanager
def sandbox_folder() -> Iterator[Path]:
    place = Path(tempfile.gettempdir())
    for stale in stale_folders_in(place, PREFIX):
        shutil.rmtree(stale, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    try:
        with (folder / f"{LOCK}.new").open("wb") as lock:
            lock_or_fail(lock)
            (folder / f"{LOCK}.new").rename(folder / LOCK)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
