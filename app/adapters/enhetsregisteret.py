"""Enhetsregisteret over HTTP: Brønnøysundregistrene's open data."""

import asyncio
from typing import Annotated
from urllib.parse import quote

from msgspec import Meta, Struct

from app.adapters.http import Answer, Neighbour, NoAnswer
from app.organizations.register import RegisterEntry, RegisterUnavailable, Verdict

MAIN = "application/vnd.brreg.enhetsregisteret.enhet.v2+json"
SUB = "application/vnd.brreg.enhetsregisteret.underenhet.v2+json"
WITHIN = 1.5
"""The seconds for all that is to be asked about a number."""
ANSWERS_WITHIN = 1.0
"""Of these, what one call may take. Less: else a register that hangs would never be spared."""
TRIES = 3
LONGEST_ETAG = 200

_Number = Annotated[str, Meta(pattern=r"^[0-9]{9}$")]
# Without control characters: PostgreSQL has no place for a NUL, and a page none for the others.
_Text = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=1000)]


class _Form(Struct):
    kode: str


class _Unit(Struct, kw_only=True):
    organisasjonsnummer: _Number
    respons_klasse: str
    navn: _Text | None = None
    organisasjonsform: _Form | None = None
    overordnetEnhet: _Number | None = None  # noqa: N815  # the register's own word
    slettedato: str | None = None
    konkurs: bool = False
    underAvvikling: bool = False  # noqa: N815
    underTvangsavviklingEllerTvangsopplosning: bool = False  # noqa: N815


class Enhetsregisteret:
    """Asks once for all who ask for the same number at the same time."""

    def __init__(self, neighbour: Neighbour) -> None:
        self._neighbour = neighbour
        self._under_way: dict[str, asyncio.Task[RegisterEntry]] = {}

    async def look_up(self, number: str, *, known: RegisterEntry | None) -> RegisterEntry:
        task = self._under_way.get(number)
        if task is None:
            task = asyncio.create_task(self._look_up(number, known))
            self._under_way[number] = task
            task.add_done_callback(lambda done: self._done(number, done))
        # One who gives up must not take the answer from the others.
        return await asyncio.shield(task)

    def _done(self, number: str, task: asyncio.Task[RegisterEntry]) -> None:
        del self._under_way[number]
        if not task.cancelled():
            task.exception()  # seen, also when nobody waits any longer

    async def _look_up(self, number: str, known: RegisterEntry | None) -> RegisterEntry:
        try:
            async with asyncio.timeout(WITHIN):
                return await self._main_or_sub_unit(number, known)
        except (NoAnswer, TimeoutError) as error:
            raise RegisterUnavailable(str(error) or f"no answer within {WITHIN} s") from error

    async def _main_or_sub_unit(self, number: str, known: RegisterEntry | None) -> RegisterEntry:
        etag = None if known is None else known.etag
        answer = await self._get("enheter", number, MAIN, etag)
        if answer.status == 304 and known is not None and etag is not None:
            return known
        if answer.status == 200:
            return _judged_main(answer, number)
        if _is_plain(answer, 404):
            answer = await self._get("underenheter", number, SUB, None)
            if answer.status == 200:
                return _judged_sub(answer, number)
        if _is_plain(answer, 404):
            return RegisterEntry(Verdict.UNKNOWN_NUMBER)
        if _is_plain(answer, 410):
            return RegisterEntry(Verdict.REMOVED)
        raise NoAnswer(f"status {answer.status}, {answer.media_type or 'no media type'}")

    async def _get(self, kind: str, number: str, media_type: str, etag: str | None) -> Answer:
        headers = {"Accept": media_type} | ({} if etag is None else {"If-None-Match": etag})
        url = f"{self._neighbour.url}/{kind}/{quote(number, safe='')}"
        return await self._neighbour.ask("GET", url, headers=headers)


def _is_plain(answer: Answer, status: int) -> bool:
    """The register says so itself, and not a gateway with a page of its own."""
    return answer.status == status and (
        not answer.content.strip() or answer.media_type.endswith("json")
    )


def _unit(answer: Answer, number: str) -> _Unit:
    unit = answer.decoded(_Unit)
    if unit.organisasjonsnummer != number:
        raise NoAnswer("an answer about another number")
    return unit


def _judged_main(answer: Answer, number: str) -> RegisterEntry:
    unit = _unit(answer, number)
    return RegisterEntry(
        verdict=_verdict(unit),
        name=unit.navn,
        main_unit=unit.overordnetEnhet,
        etag=_storable(answer.headers.get("etag")),
        winding_up=unit.underAvvikling or unit.underTvangsavviklingEllerTvangsopplosning,
    )


def _verdict(unit: _Unit) -> Verdict:
    if unit.respons_klasse == "SlettetEnhet":
        return Verdict.DELETED
    if unit.respons_klasse != "Enhet":
        raise NoAnswer("an answer of another class")
    is_part = unit.organisasjonsform is not None and unit.organisasjonsform.kode == "ORGL"
    if is_part or unit.overordnetEnhet is not None:
        return Verdict.ORGANIZATIONAL_PART
    return Verdict.BANKRUPT if unit.konkurs else Verdict.MAIN_UNIT


def _judged_sub(answer: Answer, number: str) -> RegisterEntry:
    unit = _unit(answer, number)
    deleted = unit.respons_klasse.startswith("Slettet") or unit.slettedato is not None
    verdict = Verdict.DELETED if deleted else Verdict.SUB_UNIT
    return RegisterEntry(verdict=verdict, name=unit.navn, main_unit=unit.overordnetEnhet)


def _storable(etag: str | None) -> str | None:
    """An ETag is sent back as it came; one that could not be is as good as none."""
    fits = etag is not None and len(etag) <= LONGEST_ETAG and etag.isascii() and etag.isprintable()
    return etag if fits else None
