"""The worker as a process of its own: two of them, and the issuer's stand-in."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from uuid import UUID

import httpx2
import msgspec
import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select

from app.audit.models import AuditSeal
from app.audit.trail import OPERATOR, Happened, record
from app.client_keys.models import ClientKey
from app.client_keys.rules import KeyState
from app.database import Database
from app.publications.models import Publication
from app.publications.rules import LEASE
from app.sandbox.neighbours import Neighbours
from tests.examples import NOW
from tests.publications.examples import catalogue_applied, change, client_to_publish
from tests.sandbox.installer import CREDENTIAL, NEIGHBOURS
from tests.sandbox.processes import running

pytestmark = pytest.mark.journey
LOOKS = 400


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with running(NEIGHBOURS, tmp_path_factory.mktemp("neighbours")) as here:
        yield here


@pytest.fixture
async def controls(stand_ins: Neighbours) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=stand_ins.neighbours_url, trust_env=False) as client:
        yield client
        await client.delete("/_sandbox/faults")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.engine.dispose()


@pytest.fixture
def environment(database_url: str, stand_ins: Neighbours) -> dict[str, str]:
    key = ECKey.generate_key("P-256", {"alg": "ES256", "kid": "login"})
    ours = {
        "DATABASE_URL": database_url,
        "PUBLIC_BASE_URLS": stand_ins.base_url,
        "ENVIRONMENT": "test",
        "SECRET_KEY": "s" * 32,
        "ISSUER": stand_ins.issuer_url,
        "REGISTRATION_TOKEN": stand_ins.registration_token,
        "LOGIN_CLIENT_ID": "the-service",
        "LOGIN_KEY": msgspec.json.encode(key.as_dict(private=True)).decode(),
        "ENHETSREGISTERET_URL": stand_ins.enhetsregisteret_url,
    }
    others = {name: value for name, value in os.environ.items() if "ONBOARDING" not in name}
    return others | {f"ONBOARDING_{name}": value for name, value in ours.items()}


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "app", "worker"], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def wait_for_publication(database: Database, client_id: UUID, version: int) -> None:
    for _ in range(LOOKS):
        async with database.sessions() as db:
            if (await db.get_one(Publication, client_id)).published >= version:
                return
        await asyncio.sleep(0.05)
    raise TimeoutError


async def wait_for_seal(database: Database) -> None:
    for _ in range(LOOKS):
        async with database.sessions() as db:
            if (await db.scalars(select(AuditSeal))).first():
                return
        await asyncio.sleep(0.05)
    raise TimeoutError


async def test_two_workers_tell_the_issuer_at_once_and_end_in_good_order(
    database: Database, environment: dict[str, str], controls: httpx2.AsyncClient
) -> None:
    async with database.sessions.begin() as db:
        await catalogue_applied(db)
        client_id, key = await client_to_publish(db)
        record(db, Happened.CLIENT_DECLARED, actor=OPERATOR, subject=client_id, at=NOW)
    with worker(environment) as first, worker(environment) as second:
        await wait_for_publication(database, client_id, 1)
        await wait_for_seal(database)
        for number in range(1, 6):
            async with database.sessions.begin() as db:
                version = await change(db, client_id, number)
            await wait_for_publication(database, client_id, version)
        for process in (first, second):
            process.send_signal(signal.SIGTERM)
        assert [process.wait(timeout=10) for process in (first, second)] == [0, 0]
    known = (await controls.get(f"/sts/connect/register/{client_id}", headers=CREDENTIAL)).json()
    assert known["post_logout_redirect_uris"] == ["https://fjord.example/5"]
    async with database.sessions() as db:
        assert (await db.get_one(ClientKey, key.thumbprint)).state == KeyState.ACTIVE


async def test_what_a_killed_worker_had_in_hand_is_done_by_another(
    database: Database, environment: dict[str, str], controls: httpx2.AsyncClient
) -> None:
    async with database.sessions.begin() as db:
        await catalogue_applied(db)
    slow = {"target": "issuer", "path": "/connect/register*", "delayMs": 1500}
    await controls.put("/_sandbox/faults", json=[slow])
    with worker(environment) as first:
        async with database.sessions.begin() as db:
            client_id, _ = await client_to_publish(db)
        await wait_for_lease(database, client_id)
        first.kill()
    await controls.delete("/_sandbox/faults")
    async with database.sessions.begin() as db:
        row = await db.get_one(Publication, client_id)
        assert row.published == 0
        assert row.leased_until is not None
        row.leased_until -= LEASE  # nobody wants to wait for it
    with worker(environment):
        await wait_for_publication(database, client_id, 1)


async def wait_for_lease(database: Database, client_id: UUID) -> None:
    for _ in range(LOOKS):
        async with database.sessions() as db:
            if (await db.get_one(Publication, client_id)).leased_until is not None:
                return
        await asyncio.sleep(0.05)
    raise TimeoutError


async def test_a_worker_refuses_a_database_that_is_not_migrated(
    empty_database_url: str, environment: dict[str, str]
) -> None:
    environment |= {"ONBOARDING_DATABASE_URL": empty_database_url}
    command = [sys.executable, "-m", "app", "worker"]
    ended = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == 1
    assert ended.stderr.endswith("run `onboarding migrate`.\n")
    assert "Traceback" not in ended.stderr
