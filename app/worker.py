"""The background jobs of this service, and the process that does them."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeAlias
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.sweeping import SWEEPS
from app.adapters.mail import SmtpServer
from app.adapters.neighbours import Neighbours, neighbours
from app.apis.queries import Catalogues, newest_version
from app.approvals.decisions import due_decisions, next_decision_due
from app.audit.sealing import seal_trail, warn_of_unsealed
from app.changes.listener import ClientEvents
from app.client_configurations.registration import registration_of
from app.client_drafts.exchange_job import exchange_job
from app.client_drafts.sweeping import (
    expire_drafts,
    lapse_confirmations,
    next_confirmation_to_lapse,
    next_draft_to_expire,
    sweep_drafts,
    sweep_organizations,
)
from app.client_drafts.verifying import Verifier, next_verification_due, verify_one
from app.client_keys.ending import end_keys, keys_published, next_key_to_end
from app.database import Database, Sessions
from app.delegations.altinn import Altinn, ResourceFeed
from app.delegations.asking import ask_what_is_due
from app.delegations.budget import shared_budgets
from app.delegations.queries import DUE_CHANNEL as DELEGATION_DUE
from app.delegations.queries import ask_again, next_check_due
from app.delegations.register_feed import follow_register
from app.delegations.resource_feed import follow_resources
from app.jobs import Job, Woken, do_for_ever
from app.log_lines import log_as_json
from app.notices.letters import letter_of
from app.notices.use_cases import send_one, sweep_notices
from app.onboardings.usual import count_waits
from app.organizations.register import Register, UpdateFeed
from app.publications.queries import DUE_CHANNEL
from app.publications.token_issuer import Registration, TokenIssuer
from app.publications.use_cases import publish_one
from app.schema import refuse_other_revision
from app.settings import Settings

Clock: TypeAlias = Callable[[], datetime]
Run: TypeAlias = Callable[[], Awaitable[bool]]
Around: TypeAlias = Callable[[Run], Run]
Heard: TypeAlias = Mapping[str, Woken]
"""By the database's channel."""

NOTHING_HEARD: Heard = {}
SECOND = timedelta(seconds=1)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
STOP_WITHIN = timedelta(seconds=10)
# A client whose publication hangs holds up no more than one of these.
PUBLICATIONS_AT_ONCE = 4
VERIFICATIONS_AT_ONCE = 2
# One call that hangs holds up no more than those that are asked with it.
DELEGATION_LANES = 4
DELEGATIONS_AT_ONCE = 5


def real_time() -> datetime:
    return datetime.now(UTC)


def publication_job(
    database: Database,
    issuer: TokenIssuer,
    catalogues: Catalogues,
    clock: Clock,
    woken: Woken | None = None,
) -> Job:
    """Telling the issuer of what has changed: at once when it is announced."""

    async def composed(db: AsyncSession, client_id: UUID) -> Registration | None:
        version = await db.scalar(select(newest_version()))
        return await registration_of(db, client_id, await catalogues.of(version))

    async def published(db: AsyncSession, client_id: UUID, thumbprints: Sequence[str]) -> None:
        # Here and not where a key is added: no request waits for Altinn, or fails with it.
        if await keys_published(db, client_id, thumbprints, now=clock()):
            await ask_again(db, client_id, now=clock())

    return Job(
        name="publications",
        every=SECOND,
        run=partial(
            publish_one, database, issuer, registration_of=composed, keys_published=published
        ),
        woken=woken,
        lanes=PUBLICATIONS_AT_ONCE,
        requests_bring_it=True,
    )


def delegation_job(
    database: Database,
    altinn: Altinn,
    catalogues: Catalogues,
    clock: Clock,
    woken: Woken | None,
    scale: float,
) -> Job:
    """Asking Altinn about what is due: at once when somebody begins to wait."""

    async def ask() -> bool:
        rights = (await catalogues.in_force()).right_named
        return await ask_what_is_due(
            database, altinn, rights, limit=DELEGATIONS_AT_ONCE, now=clock(), scale=scale
        )

    return Job(
        name="delegations",
        every=SECOND,
        run=ask,
        woken=woken,
        lanes=DELEGATION_LANES,
        next_due=partial(next_check_due, database.sessions),
        recurs=True,
    )


def resources_job(
    sessions: Sessions, feed: ResourceFeed, catalogues: Catalogues, clock: Clock
) -> Job:
    """Hearing that the rules of our rights have changed in Altinn."""

    async def follow() -> bool:
        rights = (await catalogues.in_force()).right_named
        return await follow_resources(sessions, feed, rights, now=clock())

    return Job(name="rules of rights", every=10 * SECOND, run=follow)


def verification_job(verifier: Verifier, clock: Clock) -> Job:
    """Asking again about decisions that could not be verified when they were taken."""
    return Job(
        name="parked decisions",
        every=SECOND,
        run=lambda: verify_one(verifier, now=clock()),
        lanes=VERIFICATIONS_AT_ONCE,
        next_due=partial(next_verification_due, verifier.sessions),
        recurs=True,
    )


def register_job(sessions: Sessions, register: Register, feed: UpdateFeed, clock: Clock) -> Job:
    """Hearing what has become of the organizations that clients act for."""
    return Job(
        name="register's updates",
        every=10 * SECOND,
        run=lambda: follow_register(sessions, register, feed, now=clock()),
    )


def notice_job(sessions: Sessions, settings: Settings) -> Sequence[Job]:
    """Sending notices, where there is a mail server to send them with."""
    if not settings.smtp_host:
        return ()
    letters = partial(letter_of, settings=settings)
    send = partial(send_one, sessions, SmtpServer(settings), letters)
    return (Job(name="notices", every=5 * SECOND, run=send),)


def domain_jobs(sessions: Sessions, clock: Clock) -> Sequence[Job]:
    """What falls due by the domain's clock."""
    return (
        Job(
            name="decisions",
            every=SECOND,
            run=lambda: due_decisions(sessions, clock()),
            next_due=partial(next_decision_due, sessions),
        ),
        Job(
            name="ending keys",
            every=SECOND,
            run=lambda: end_keys(sessions, now=clock()),
            next_due=partial(next_key_to_end, sessions),
        ),
        Job(
            name="expiring drafts",
            every=SECOND,
            run=lambda: expire_drafts(sessions, now=clock()),
            next_due=partial(next_draft_to_expire, sessions),
        ),
        Job(
            name="lapsing confirmations",
            every=SECOND,
            run=lambda: lapse_confirmations(sessions, now=clock()),
            next_due=partial(next_confirmation_to_lapse, sessions),
        ),
        Job(name="old notices", every=HOUR, run=lambda: sweep_notices(sessions, now=clock())),
        Job(name="old drafts", every=10 * MINUTE, run=lambda: sweep_drafts(sessions, now=clock())),
        Job(
            name="unused organizations",
            every=HOUR,
            run=lambda: sweep_organizations(sessions, now=clock()),
        ),
        Job(name="usual waits", every=60 * MINUTE, run=lambda: count_waits(sessions, now=clock())),
    )


def housekeeping(sessions: Sessions) -> Sequence[Job]:
    """What falls due by real time, which is the database's."""
    return (
        Job(name="audit seals", every=SECOND, run=partial(seal_trail, sessions)),
        Job(
            name="unsealed events",
            every=MINUTE,
            # Not the domain's clock: after a jump, what has just happened would look old.
            run=lambda: warn_of_unsealed(sessions, now=real_time()),
        ),
        *(
            Job(name=name, every=MINUTE, run=partial(sweep, sessions))
            for name, sweep in SWEEPS.items()
        ),
    )


def domain_work(
    settings: Settings,
    database: Database,
    others: Neighbours,
    clock: Clock,
    heard: Heard = NOTHING_HEARD,
) -> Sequence[Job]:
    """All that the domain's clock has a say in, the telling of it included."""
    sessions, catalogues = database.sessions, Catalogues(database.sessions)
    altinn, resources, scale = others.altinn, others.altinn_resources, settings.time_scale
    asked = heard.get(DELEGATION_DUE)
    return (
        publication_job(database, others.issuer, catalogues, clock, heard.get(DUE_CHANNEL)),
        *([delegation_job(database, altinn, catalogues, clock, asked, scale)] if altinn else []),
        *([resources_job(sessions, resources, catalogues, clock)] if resources else []),
        verification_job(
            Verifier(sessions, catalogues, others.register, others.person_rights, settings), clock
        ),
        register_job(sessions, others.register, others.register_feed, clock),
        exchange_job(sessions, catalogues, settings, clock),
        *domain_jobs(sessions, clock),
    )


async def run_worker(
    settings: Settings, *, clock: Clock = real_time, around: Around | None = None
) -> None:
    """Do the jobs until a signal. Any number of these may run, on any number of hosts.

    `around` is put around each piece of the domain's work.
    """
    stopping = asyncio.Event()
    _stop_at_signals(stopping)
    database = Database(settings.database_url)
    await database.open()
    try:
        async with database.reads.acquire() as connection:
            await refuse_other_revision(connection)
        async with (
            neighbours(settings, shared_budgets(database, settings)) as others,
            # One each: nobody is woken by what is not his.
            ClientEvents(settings.database_url, [DUE_CHANNEL]) as publications,
            ClientEvents(settings.database_url, [DELEGATION_DUE]) as delegations,
        ):
            heard = {DUE_CHANNEL: publications.heard, DELEGATION_DUE: delegations.heard}
            work = domain_work(settings, database, others, clock, heard)
            if around is not None:
                work = [replace(job, run=around(job.run)) for job in work]
            sessions = database.sessions
            jobs = (*work, *notice_job(sessions, settings), *housekeeping(sessions))
            await do_for_ever(jobs, stopping, within=STOP_WITHIN)
    finally:
        await database.close()


def run(settings: Settings) -> None:
    """The whole life of a worker's process."""
    log_as_json()
    asyncio.run(run_worker(settings))


def _stop_at_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        if sys.platform == "win32":  # where loops handle no signals
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopping.set))
        else:
            loop.add_signal_handler(number, stopping.set)
