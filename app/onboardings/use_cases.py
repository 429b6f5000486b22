"""Reading an onboarding: who may, and what there is to see."""

from datetime import datetime
from http import HTTPStatus
from typing import TypeAlias
from uuid import UUID

from asyncpg import Connection, Record
from msgspec import Struct

from app.access.access_tokens import AccessTokenRejected
from app.access.callers import CallingClient, Origin
from app.access.onboarding_tokens import OnboardingToken, opened_onboarding, opens_onboarding
from app.apis.catalogue import Catalogue
from app.apis.queries import Catalogues
from app.audit.trail import Actor
from app.changes.queries import VersionCheck
from app.client_drafts.lengthening import lengthen_client_draft
from app.client_drafts.models import ClientDraft
from app.client_drafts.rules import DraftNotFound, DraftStatus
from app.client_keys.use_cases import note_use
from app.clients.standing import check_standing
from app.database import Database
from app.delegations.queries import note_watch
from app.onboardings.facts import Around, Facts
from app.onboardings.queries import ONBOARDING
from app.onboardings.reading import facts_of, is_to_be_watched
from app.onboardings.rules import (
    READABLE_AFTER_END,
    Outcome,
    Step,
    ended_at,
    outcome_of,
    poll_after,
    state_of,
)
from app.onboardings.steps import steps_of
from app.onboardings.usable import key_expires_at, usable_scopes
from app.onboardings.usual import Seconds, UsualWaits
from app.onboardings.views import onboarding_step, updated_at
from app.onboardings.wire import Onboarding
from app.problems import Problem
from app.settings import Settings
from app.state_machine import WrongState

Reader: TypeAlias = CallingClient | OnboardingToken


class OnboardingNotFound(Problem):
    """The same for an unknown and for a foreign one."""

    slug = "onboarding-not-found"
    title = "There is no onboarding here that this token opens"
    status = HTTPStatus.NOT_FOUND

    def __init__(self) -> None:
        super().__init__(
            "An onboarding is opened by the token that came with its draft, until 30 days after "
            "it ended, or by an access token of the client itself."
        )


class ReadOnboarding(Struct, frozen=True):
    onboarding: Onboarding
    counter: int
    variant: tuple[object, ...]
    """What else its version is made of."""
    replaced_client: UUID | None
    """The client that has got the draft's key: what becomes of it is told here too."""


class _Seen(Struct, frozen=True):
    onboarding: Onboarding
    steps: list[Step]


class Surroundings(Struct, frozen=True):
    """What the process knows that reads onboardings."""

    database: Database
    catalogues: Catalogues
    settings: Settings
    usual_waits: UsualWaits


async def read_onboarding(
    known_here: Surroundings, reader: Reader, client_id: UUID, *, now: datetime
) -> ReadOnboarding:
    """What is so now. Who reads it is taken to wait for what Altinn says."""
    async with known_here.database.reads.acquire() as connection:
        thumbprint = reader.key_thumbprint if isinstance(reader, CallingClient) else None
        row = await ONBOARDING.row(connection, client_id=client_id, proof_thumbprint=thumbprint)
        assert row is not None  # the statement answers one row, whatever there is
        _check_reader(reader, client_id, row, known_here.settings)
        facts = facts_of(client_id, row)
        if facts is None:
            raise OnboardingNotFound
        if isinstance(reader, CallingClient):
            await note_use(connection, row, now)
        await _watch(connection, facts, now)
    seen = await _seen(known_here, facts, row, now)
    ended = ended_at(seen.steps, seen.onboarding.outcome)
    by_token = not isinstance(reader, CallingClient)
    if by_token and ended is not None and now >= ended + READABLE_AFTER_END:
        raise OnboardingNotFound
    return ReadOnboarding(
        onboarding=seen.onboarding,
        counter=row["counter"],
        variant=(
            row["counter_of_replaced"] if facts.client is not None else 0,
            row["catalogue_version"],
            # What time changes by itself shows in these.
            seen.onboarding.state,
            sum(step.is_open for step in seen.steps),
        ),
        replaced_client=row["replaces_keys_of"] if facts.client is not None else None,
    )


async def onboarding_as_it_is(
    known_here: Surroundings, client_id: UUID, *, now: datetime
) -> Onboarding | None:
    """For whoever runs the service. He too is taken to wait for what Altinn says."""
    async with known_here.database.reads.acquire() as connection:
        row = await ONBOARDING.row(connection, client_id=client_id, proof_thumbprint=None)
        assert row is not None  # the statement answers one row, whatever there is
        facts = facts_of(client_id, row)
        if facts is None:
            return None
        await _watch(connection, facts, now)
    return (await _seen(known_here, facts, row, now)).onboarding


async def _watch(connection: Connection, facts: Facts, now: datetime) -> None:
    if is_to_be_watched(facts, now):
        await note_watch(connection, facts.client_id, now)


async def lengthen_draft(
    known_here: Surroundings,
    token: OnboardingToken,
    client_id: UUID,
    origin: Origin,
    *,
    has_seen: VersionCheck,
    now: datetime,
) -> ClientDraft:
    """Only whoever has the token that came with the draft: a client has been confirmed.

    `has_seen` refuses when the caller has not seen what he lengthens.
    """
    async with known_here.database.reads.acquire() as connection:
        row = await ONBOARDING.row(connection, client_id=client_id, proof_thumbprint=None)
        assert row is not None  # the statement answers one row, whatever there is
        _check_reader(token, client_id, row, known_here.settings)
        if row["organization_number"] is None:
            raise OnboardingNotFound
    catalogue = await known_here.catalogues.of(row["catalogue_version"])
    async with known_here.database.sessions() as db:
        try:
            return await lengthen_client_draft(
                db,
                client_id,
                catalogue=catalogue,
                settings=known_here.settings,
                actor=Actor("onboarding-token", origin.address, origin.request_id),
                has_seen=has_seen,
                now=now,
            )
        except DraftNotFound:
            # It was confirmed so long ago that the draft has been removed.
            raise WrongState("Cannot lengthen what has been confirmed.") from None


def _check_reader(reader: Reader, client_id: UUID, row: Record, settings: Settings) -> None:
    if isinstance(reader, CallingClient):
        if reader.client_id != client_id or row["status"] is None:
            raise OnboardingNotFound
        check_standing(row["status"], key_has_ended=bool(row["key_has_ended"]))
        return
    known = {"secret_key": settings.secret_key, "version": row["token_version"]}
    if opened_onboarding(reader, client_id, **known):
        raise AccessTokenRejected(
            "The onboarding token has been revoked. The client reads its onboarding with an "
            "access token of its own once it is confirmed; before that, make a new draft.",
            allow_bearer=True,
        )
    if not opens_onboarding(reader, client_id, **known):
        raise OnboardingNotFound


async def _seen(known_here: Surroundings, facts: Facts, row: Record, now: datetime) -> _Seen:
    catalogue = await known_here.catalogues.of(row["catalogue_version"])
    around = _around(known_here, catalogue, await known_here.usual_waits.seconds(), now)
    steps = steps_of(facts, around)
    usable = usable_scopes(facts, around)
    return _Seen(_onboarding(facts, around, steps, usable, outcome_of(steps, usable)), steps)


def _around(
    known_here: Surroundings, catalogue: Catalogue, usual_seconds: Seconds, now: datetime
) -> Around:
    settings = known_here.settings
    return Around(
        catalogue=catalogue,
        environment=settings.environment,
        client_scope=settings.client_scope,
        base_url=settings.base_url,
        altinn_pages=settings.altinn_ui_url,
        operator=settings.operator,
        operator_contact=settings.contact,
        usual_seconds=usual_seconds,
        now=now,
        time_scale=settings.time_scale,
    )


def _may_expire(facts: Facts) -> bool:
    """One that waits for its exchange has been confirmed, and does so whatever its life was."""
    waits = facts.draft is not None and facts.draft.status is DraftStatus.AWAITING_EXCHANGE
    return facts.client is None and not waits


def _onboarding(
    facts: Facts, around: Around, steps: list[Step], usable: list[str], outcome: Outcome
) -> Onboarding:
    begun = facts.draft or facts.client
    assert begun is not None  # or there would be no facts
    return Onboarding(
        client_id=facts.final_client_id,
        outcome=outcome,
        state=state_of(steps, outcome),
        steps=[onboarding_step(step, facts, around) for step in steps],
        usable_scopes=usable,
        key_expires_at=key_expires_at(facts, around.now),
        poll_after_seconds=poll_after(steps, around.time_scale),
        organization_number=facts.organization_number,
        organization_name=facts.organization_name,
        external_ref=facts.external_ref,
        expires_at=facts.draft.expires_at if facts.draft and _may_expire(facts) else None,
        created_at=begun.created_at,
        updated_at=updated_at(begun.created_at, steps),
    )
