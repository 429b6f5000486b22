"""The launcher of the sandbox's and the tests' PostgreSQL."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from app.embedded_postgres.account import Account, account_for_postgres
from app.embedded_postgres.binaries import packaged_binaries, reachable_binaries
from app.embedded_postgres.folders import LOCK, PREFIX, places, stale_folders
from app.embedded_postgres.launcher import (
    EmbeddedPostgres,
    PostgresFailed,
    embedded_postgres,
)
from app.embedded_postgres.wire import PostgresOptions

GONE_WITHIN_SECONDS = 10

HOLDER = """
import sys, time
from app.embedded_postgres.launcher import EmbeddedPostgres
postgres = EmbeddedPostgres()
print(postgres.url, postgres.pid, flush=True)
time.sleep(600)
"""


async def ask(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + GONE_WITHIN_SECONDS
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return False


def folder_of(url: str) -> Path:
    return Path(url.partition("?host=")[2]).parent


def servers_below(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder):
                found.append(process)
        except (psutil.Error, FileNotFoundError):
            continue
    return found


@contextmanager
def a_program_with_postgres(
    **environment: str,
) -> Iterator[tuple[subprocess.Popen[str], Path, int]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    ) as program:
        assert program.stdout is not None
        try:
            url, keeper = program.stdout.readline().split()
            yield program, folder_of(url), int(keeper)
        finally:
            program.kill()


@pytest.mark.alone
async def test_it_starts_within_a_second_and_leaves_nothing() -> None:
    with embedded_postgres():
        pass  # the programs are in memory now
    began = time.monotonic()
    with embedded_postgres() as url:
        took = time.monotonic() - began
        folder = folder_of(url)
        assert servers_below(folder)
        assert await ask(url, "SHOW fsync") == "on"
        assert await ask(url, "SHOW server_encoding") == "UTF8"
        assert await ask(url, "SHOW timezone") == "UTC"
    assert not folder.exists()
    assert not servers_below(folder)
    # One second, and as much again for a machine that is doing something else.
    assert took < 2, f"It took {took:.2f} s."


async def test_two_run_side_by_side() -> None:
    with embedded_postgres(durable=False) as one, embedded_postgres(durable=False) as other:
        await ask(one, "CREATE TABLE here ()")
        assert await ask(one, "SELECT to_regclass('here') IS NOT NULL")
        assert await ask(other, "SELECT to_regclass('here') IS NULL")


async def test_without_durability_it_waits_for_no_disk() -> None:
    with embedded_postgres(durable=False, max_connections=37) as url:
        assert await ask(url, "SHOW fsync") == "off"
        assert await ask(url, "SHOW max_connections") == "37"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_it_is_gone_when_its_program_is(how: signal.Signals) -> None:
    with a_program_with_postgres() as (program, folder, _):
        program.send_signal(how)
        assert eventually(lambda: not folder.exists())
        assert eventually(lambda: not servers_below(folder))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux's kernel ends orphans")
def test_a_killed_keeper_takes_postgres_with_it_and_its_folder_is_swept() -> None:
    with a_program_with_postgres() as (_, folder, keeper):
        os.kill(keeper, signal.SIGKILL)
        assert eventually(lambda: not servers_below(folder))
        assert folder.exists()
        with embedded_postgres(durable=False):
            assert not folder.exists()


def test_a_folder_whose_keeper_lives_is_not_swept() -> None:
    with a_program_with_postgres() as (_, folder, _keeper):
        assert folder not in set(stale_folders())


def test_a_link_laid_out_by_somebody_else_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / LOCK).touch()
    link = next(places()) / f"{PREFIX}link-{os.getpid()}"
    link.symlink_to(tmp_path)
    try:
        assert link not in set(stale_folders())
    finally:
        link.unlink()


def test_only_root_minds_where_the_programs_lie(tmp_path: Path) -> None:
    assert reachable_binaries(None, Account(), tmp_path) == packaged_binaries()


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root can lend an account"
)
def test_programs_in_a_closed_folder_are_copied_and_run(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = packaged_binaries().parent.parent
    shutil.copytree(packaged_binaries().parent, closed / package.name / "pginstall18")
    (closed / package.name / "__init__.py").touch()
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, closed / libraries.name)
    with a_program_with_postgres(PYTHONPATH=str(closed)) as (_, folder, _keeper):
        assert (folder / "programs").is_dir()
        assert closed.stat().st_mode & 0o777 == 0o700


def test_a_postgres_that_cannot_start_says_why(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(PostgresFailed, match="PostgreSQL did not start"):
        EmbeddedPostgres(PostgresOptions(binaries=str(tmp_path / "nowhere")))


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root can lend an account"
)
def test_it_never_runs_as_root() -> None:
    account = account_for_postgres()
    assert account.uid not in (None, 0)
    with embedded_postgres(durable=False) as url:
        servers = servers_below(folder_of(url))
        assert {process.uids().effective for process in servers} == {account.uid}
