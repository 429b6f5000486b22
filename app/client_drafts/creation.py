"""Asking for a client: a hot path, so three statements and no more.

Everything that is wrong with a request is answered at once. What a look-up at Enhetsregisteret
costs is paid by the first request for an organization; when the register cannot be reached, the
draft is made all the same and the question is put again before anyone confirms.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from asyncpg import Record
from msgspec import Struct

from app.access.authentication import ApiKeyRejected
from app.access.callers import CallingSystem
from app.access.idempotency import Once
from app.access.limits import asked_for
from app.access.public_jwk import KeyRefused, PublicKey
from app.apis.catalogue import ClientSystem
from app.apis.queries import Catalogues
from app.client_drafts.asked import asked_for_client, demands_activation
from app.client_drafts.keeping import (
    Created,
    CreatedDraft,
    NewDraft,
    earlier_draft,
    keep_draft,
)
from app.client_drafts.limits import DraftLimits, Judged
from app.client_drafts.queries import WHAT_IS_KNOWN
from app.client_drafts.replaced import asked_of_replaced
from app.client_drafts.validity import draft_life
from app.client_drafts.wire import AskedFor, NewClientDraft
from app.client_keys.acceptance import registrable_key
from app.client_keys.leaks import note_leak
from app.client_keys.rules import KeyTaken
from app.database import Database
from app.organizations.children import not_below_errors
from app.organizations.memory import Found, remembered
from app.organizations.register import Register, RegisterEntry, Verdict
from app.organizations.rules import organization_number_error
from app.organizations.use_cases import organization_of, units_above
from app.organizations.verdicts import verdict_error, winding_up_warning
from app.problems import FieldError, InvalidRequest
from app.settings import Settings
from app.web.bodies import fields_of


class DraftMaker(Struct, frozen=True):
    """What making a draft needs of its surroundings."""

    database: Database
    catalogues: Catalogues
    register: Register
    settings: Settings


async def create_client_draft(
    maker: DraftMaker,
    caller: CallingSystem,
    raw: bytes,
    *,
    idempotency_key: str | None = None,
    now: datetime,
) -> Created:
    """Register what an installer asks for, or refuse it with everything that is wrong."""
    given, errors = fields_of(raw, NewClientDraft)
    number = _number(given, maker.settings, errors)
    key = await _key(maker, given, errors, now)
    known, limits = await _known(maker, caller, number, key)
    once = _once(idempotency_key, caller, key, raw)
    if once and (earlier := await earlier_draft(maker.database, once)):
        return Created(earlier, limits.hints, replayed=True)
    catalogue = await maker.catalogues.of(known["catalogue_version"])
    system = catalogue.systems.get(caller.client_system_id)
    if system is None:
        raise ApiKeyRejected  # the system has left the catalogue, and its keys open nothing
    found = await _organization(maker, number, known, errors, now)
    asked = asked_for_client(given, system, catalogue, maker.settings, errors)
    await _check_children(maker, number, asked, errors, now)
    if errors or key is None or number is None:
        raise InvalidRequest(errors)
    if known["key_of"] is not None:
        raise KeyTaken
    if replaced := given.get("replaces_keys_of"):
        sessions = maker.database.sessions
        asked = await asked_of_replaced(sessions, caller, replaced, number, key.kid, asked)

    expires_at = now + draft_life(maker.settings, catalogue, system.id, number)
    warnings = [*key.warnings, *_warnings(found, number)]
    created = _created(given, key, system, expires_at, warnings)
    demands_code = limits.key_is_over or _demands_code(given, system, created)
    draft = NewDraft(created, number, asked, key, demands_code)
    return await keep_draft(maker.database, caller, draft, once, limits.hints, now)


def _created(
    given: Mapping[str, Any],
    key: PublicKey,
    system: ClientSystem,
    expires_at: datetime,
    warnings: list[str],
) -> CreatedDraft:
    return CreatedDraft(
        client_id=uuid4(),
        thumbprint=key.thumbprint,
        expires_at=expires_at,
        external_ref=given.get("external_ref"),
        warnings=warnings,
        activation=demands_activation(given, system),
        replaces_keys_of=given.get("replaces_keys_of"),
    )


def _demands_code(given: Mapping[str, Any], system: ClientSystem, draft: CreatedDraft) -> bool:
    """For a replacement without activation, only the typed code stands against a foreign key."""
    unguarded = draft.replaces_keys_of is not None and not draft.activation
    return system.pairing or bool(given.get("pairing")) or unguarded


def _once(
    idempotency_key: str | None, caller: CallingSystem, key: PublicKey | None, raw: bytes
) -> Once | None:
    """An API key is all installations', so the key pair is what tells whose request it is."""
    if key is None:
        return None
    return Once.of(
        idempotency_key, "createClientDraft", caller.api_key_prefix, key.thumbprint, body=raw
    )


async def _known(
    maker: DraftMaker, caller: CallingSystem, number: str | None, key: PublicKey | None
) -> tuple[Record, Judged]:
    """What the database knows, and what the limits say."""
    limits, real_now = DraftLimits.of(caller, number, maker.settings), datetime.now(UTC)
    async with maker.database.reads.acquire() as connection:
        known = await WHAT_IS_KNOWN.row(
            connection,
            thumbprint=key.thumbprint if key else "",
            organization_number=number or "",
            api_key_prefix=caller.api_key_prefix,
            **asked_for(limits.all, real_now),
        )
    assert known is not None  # the statement answers one row, whatever is known
    if not known["api_key_is_good"]:
        raise ApiKeyRejected  # revoked since it was looked up
    return known, limits.judged(known["counts"], real_now)


def _number(given: Mapping[str, Any], settings: Settings, errors: list[FieldError]) -> str | None:
    """The organization's number, where it can be one."""
    number: str | None = given.get("organization_number")
    if number is None:
        return None
    error = organization_number_error(
        number,
        pointer="#/organizationNumber",
        environment=settings.environment,
        allowed=settings.allowed_organization_numbers,
    )
    if error:
        errors.append(error)
        return None
    return number


async def _key(
    maker: DraftMaker, given: Mapping[str, Any], errors: list[FieldError], now: datetime
) -> PublicKey | None:
    if "public_jwk" not in given:
        return None
    try:
        return registrable_key(
            given["public_jwk"],
            pointer="#/publicJwk",
            refuse_rs=maker.settings.refuse_rs_algorithms,
        )
    except KeyRefused as refused:
        if refused.leaked_thumbprint:
            catalogue = await maker.catalogues.in_force()
            await note_leak(maker.database.sessions, catalogue, refused.leaked_thumbprint, now=now)
        if refused.leaked:
            raise  # a warning that must not drown among other errors
        errors.extend(refused.errors)
        return None


async def _organization(
    maker: DraftMaker,
    number: str | None,
    known: Record,
    errors: list[FieldError],
    now: datetime,
) -> Found | None:
    """What Enhetsregisteret says; None where it cannot be asked, which does not stop a draft."""
    if number is None:
        return None
    found = _remembered(known, now)
    if found is None:
        found = await organization_of(maker.database.sessions, maker.register, number, now=now)
    if found is not None:
        errors += await _verdict_errors(maker, number, found.entry, now)
    return found


async def _verdict_errors(
    maker: DraftMaker, number: str, entry: RegisterEntry, now: datetime
) -> list[FieldError]:
    allowed = maker.settings.organisasjonsledd_allowed
    judge = partial(
        verdict_error,
        entry,
        number,
        pointer="#/organizationNumber",
        organisasjonsledd_allowed=allowed,
    )
    if judge() is None:
        return []
    # Only who is refused is worth asking once more: what he can use instead.
    above = await units_above(maker.database.sessions, maker.register, entry, now=now)
    error = judge(above=above)
    return [error] if error else []


def _remembered(known: Record, now: datetime) -> Found | None:
    if known["checked_at"] is None:
        return None
    entry = RegisterEntry(
        verdict=Verdict(known["verdict"]),
        name=known["name"],
        main_unit=known["main_unit"],
        winding_up=known["winding_up"],
    )
    return remembered(entry, known["checked_at"], now)


def _warnings(found: Found | None, number: str) -> list[str]:
    warning = winding_up_warning(found.entry, number) if found else None
    return [warning] if warning else []


async def _check_children(
    maker: DraftMaker,
    number: str | None,
    asked: AskedFor,
    errors: list[FieldError],
    now: datetime,
) -> None:
    """The register is asked of sub-units when nothing else is wrong, since each is a call."""
    if number is not None and not errors:
        errors += await not_below_errors(
            maker.database.sessions,
            maker.register,
            asked.child_organization_numbers,
            number,
            pointer="#/childOrganizationNumbers",
            now=now,
        )
