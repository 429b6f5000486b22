"""Whether the trail is what it was when it was sealed, whatever a superuser has done since."""

from collections.abc import AsyncIterator, Iterator, Sequence

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.chain import BEGINNING, chained
from app.audit.models import AuditEvent, AuditSeal
from app.audit.sealing import newest_seal, unsealed_before_newest_seal

ANCHOR_EVERY = 1000


class Anchor(Struct, frozen=True, rename="camel"):
    """One link of the chain, kept outside the database: what was sealed up to here is fixed."""

    number: int
    hash: str
    sealed_at: str


class Verdict(Struct, frozen=True):
    sealed: int
    findings: Sequence[str]
    """What is not as it was; none: the trail is whole."""


async def anchors(db: AsyncSession, *, after: int = 0) -> AsyncIterator[Anchor]:
    """Every thousandth seal after a number, and the newest."""
    newest = await newest_seal(db)
    if newest is None or newest.number <= after:
        return
    seals = await db.stream_scalars(
        select(AuditSeal)
        .where(AuditSeal.number > after, AuditSeal.number < newest.number)
        .where(AuditSeal.number % ANCHOR_EVERY == 0)
        .order_by(AuditSeal.number)
    )
    async for seal in seals:
        yield _anchor(seal)
    yield _anchor(newest)


def _anchor(seal: AuditSeal) -> Anchor:
    return Anchor(seal.number, seal.hash.hex(), seal.sealed_at.isoformat())


async def verify_trail(db: AsyncSession, kept: Sequence[Anchor] = ()) -> Verdict:
    """Follow the chain from its beginning. `kept` are anchors from outside: only they can tell
    when the newest events are gone together with their seals, or the whole was chained anew."""
    anchored = {anchor.number: anchor.hash for anchor in kept}
    findings: list[str] = []
    sealed, previous = 0, BEGINNING
    rows = await db.stream(
        select(AuditSeal, AuditEvent)
        .outerjoin(AuditEvent, AuditEvent.id == AuditSeal.event_id)
        .order_by(AuditSeal.number)
        .execution_options(yield_per=1000)
    )
    async for seal, event in rows:
        findings.extend(_faults(seal, event, sealed, previous))
        if anchored.pop(seal.number, seal.hash.hex()) != seal.hash.hex():
            findings.append(f"Seal {seal.number} is not the one that was exported.")
        # Goes on from the seal as it stands, so that one change is one finding.
        sealed, previous = seal.number, seal.hash
    findings += [f"Seal {number} was exported and is gone." for number in anchored]
    for event_id in await db.scalars(unsealed_before_newest_seal()):
        findings.append(f"Event {event_id} was put in among sealed ones, or lost its seal.")
    return Verdict(sealed, findings)


def _faults(
    seal: AuditSeal, event: AuditEvent | None, number_before: int, previous: bytes
) -> Iterator[str]:
    if seal.number != number_before + 1:
        yield f"The seals between {number_before} and {seal.number} are gone."
    elif event is not None and chained(previous, event) != seal.hash:
        yield f"Event {seal.event_id} (seal {seal.number}) was changed, or its seal was."
    if event is None:
        yield f"Event {seal.event_id} (seal {seal.number}) was removed."


async def unsealed_count(db: AsyncSession) -> int:
    sealed = select(func.count()).select_from(AuditSeal).scalar_subquery()
    return await db.scalar(select(func.count() - sealed).select_from(AuditEvent)) or 0
