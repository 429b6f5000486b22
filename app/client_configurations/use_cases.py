"""Reading and changing a client. Each function is one transaction."""

from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.callers import CallingClient
from app.apis.catalogue import Catalogue, ClientSystem, RedirectUriRule
from app.apis.queries import Catalogues
from app.approvals.use_cases import ask_for_access
from app.audit.trail import Happened, record
from app.changes.queries import VersionCheck, check_version, client_changed
from app.client_configurations.asking import (
    child_errors,
    claim_errors,
    distinct,
    redirect_errors,
    scope_errors,
)
from app.client_configurations.queries import (
    CURRENT_CLIENT,
    client_to_change,
    scopes_of,
)
from app.client_configurations.statuses import (
    claim_answer,
    entries_of,
    rights_in_the_way,
    scope_answer,
)
from app.client_configurations.wire import ClaimUpdate, CurrentClient
from app.client_keys.calling import check_caller
from app.client_keys.use_cases import checked, note_use
from app.clients.models import ClientConfiguration
from app.database import Database
from app.delegations.following import follow
from app.delegations.queries import note_watch, watch_ends_before
from app.delegations.scopes import rights_seen
from app.organizations.children import not_below_errors
from app.organizations.register import Register
from app.problems import FieldError, InvalidRequest
from app.publications.queries import want_publication
from app.settings import Settings

_UNREADABLE = object()


class ReadClient(Struct, frozen=True):
    client: CurrentClient
    counter: int
    """How many times a reader could have seen something new."""
    catalogue_version: int


async def current_client(
    database: Database,
    catalogues: Catalogues,
    caller: CallingClient,
    *,
    language: str,
    now: datetime,
) -> ReadClient:
    """What the client may do now, with reasons in `language`."""
    async with database.reads.acquire() as connection:
        row = checked(
            await CURRENT_CLIENT.row(
                connection,
                client_id=caller.client_id,
                proof_thumbprint=caller.key_thumbprint,
                watch_ends_before=watch_ends_before(now),
            )
        )
        await note_use(connection, row, now)
        seen = rights_seen(row["rights"])
        if any(right.may_be_hurried for right in seen):
            await note_watch(connection, caller.client_id, now)
    catalogue = await catalogues.of(row["catalogue_version"])
    rights = rights_in_the_way(row, catalogue, seen)
    client = CurrentClient(
        api_scopes=[
            scope_answer(catalogue, language, rights.get(entry[0]), *entry)
            for entry in entries_of(row["scopes"])
        ],
        audience_specific_client_claims=[
            claim_answer(catalogue, language, *entry) for entry in entries_of(row["claims"])
        ],
        redirect_uris=row["redirect_uris"],
        post_logout_redirect_uris=row["post_logout_redirect_uris"],
        child_organization_numbers=row["child_organization_numbers"],
    )
    return ReadClient(client, row["counter"] or 0, row["catalogue_version"])


async def change_client(
    database: Database,
    catalogue: Catalogue,
    register: Register,
    settings: Settings,
    caller: CallingClient,
    asked: dict[str, Any],
    errors: list[FieldError],
    *,
    has_seen: VersionCheck,
    now: datetime,
) -> int | None:
    """Make `asked` all that the client asks for. None: it is so already.

    `errors` are those of the body's form; those of the rules are added before it is refused.
    `has_seen` refuses when the caller has not seen what he changes. Answers the version that the
    token issuer has to know.
    """
    if not (errors or child_errors(asked.get("child_organization_numbers"), settings)):
        errors += await _children_errors(database, register, caller, asked, now)
    async with database.sessions.begin() as db:
        client = await client_to_change(db, caller.client_id)
        await check_caller(db, caller, seen_at=now)
        assert client is not None  # or the caller would have been refused
        await check_version(db, caller.client_id, has_seen)
        kept = await scopes_of(db, caller.client_id)
        system = catalogue.systems.get(client.client_system_id)
        errors += update_errors(asked, system, catalogue, settings, kept)
        if errors:
            raise InvalidRequest(errors)
        lists_changed = _set_lists(client, asked)
        access_changed = await _ask_for_access(db, client, asked, catalogue, settings, now)
        if not (lists_changed or access_changed):
            return None
        record(db, Happened.CLIENT_CHANGED, actor=caller.actor, subject=client.client_id, at=now)
        await client_changed(db, client.client_id)
        return await want_publication(db, client.client_id)


async def _ask_for_access(
    db: AsyncSession,
    client: ClientConfiguration,
    asked: dict[str, Any],
    catalogue: Catalogue,
    settings: Settings,
    now: datetime,
) -> bool:
    changed = await ask_for_access(
        db,
        client_id=client.client_id,
        organization_number=client.organization_number,
        scopes=distinct(asked["api_scopes"]),
        claims=_pairs(asked),
        catalogue=catalogue,
        environment=settings.environment,
        client_scope=settings.client_scope,
        time_scale=settings.time_scale,
        now=now,
    )
    if changed:
        await follow(db, client, catalogue, now=now)
    return changed


async def _children_errors(
    database: Database,
    register: Register,
    caller: CallingClient,
    asked: dict[str, Any],
    now: datetime,
) -> list[FieldError]:
    """The register is asked where a sub-unit is new, before any transaction is open."""
    numbers: list[str] = asked.get("child_organization_numbers") or []
    async with database.sessions() as db:
        client = await db.get(ClientConfiguration, caller.client_id) if numbers else None
    if client is None or set(numbers) <= set(client.child_organization_numbers):
        return []
    return await not_below_errors(
        database.sessions,
        register,
        numbers,
        client.organization_number,
        pointer="#/childOrganizationNumbers",
        now=now,
    )


def _pairs(asked: dict[str, Any]) -> list[tuple[str, str]]:
    claims: list[ClaimUpdate] = asked.get("audience_specific_client_claims") or []
    return [(claim.key, claim.value) for claim in claims]


def update_errors(
    asked: dict[str, Any],
    system: ClientSystem | None,
    catalogue: Catalogue,
    settings: Settings,
    kept: set[str],
) -> list[FieldError]:
    """What the rules have against a change. `kept` are the scopes that the client has now."""
    if system is None:
        detail = "The client's system is no longer in the catalogue. Its supplier knows more."
        return [FieldError("#", "no_client_system", detail)]
    scopes: list[str] = asked.get("api_scopes") or []
    # A member that could not be read has its error already, and is missing here.
    errors = _scope_errors(scopes, system, settings, kept) if "api_scopes" in asked else []
    if scopes:
        errors += claim_errors(_pairs(asked), scopes, catalogue)
    if (
        system.redirect_uri_rule == RedirectUriRule.PER_CLIENT
        and asked.get("redirect_uris", _UNREADABLE) is None
    ):
        errors.append(
            FieldError(
                "#/redirectUris",
                "missing",
                "Send the whole list of redirect addresses; [] when there are none.",
            )
        )
    errors += redirect_errors("redirectUris", asked.get("redirect_uris"), system)
    errors += redirect_errors(
        "postLogoutRedirectUris", asked.get("post_logout_redirect_uris"), system
    )
    return errors + child_errors(asked.get("child_organization_numbers"), settings)


def _scope_errors(
    scopes: list[str], system: ClientSystem, settings: Settings, kept: set[str]
) -> list[FieldError]:
    errors = scope_errors(scopes, system, kept=kept)
    if scopes and settings.client_scope in kept and settings.client_scope not in scopes:
        errors.append(
            FieldError(
                "#/apiScopes",
                "client_scope_dropped",
                f"Keep {settings.client_scope}: without it the client could not read its status "
                "or renew its keys.",
            )
        )
    return errors


def _set_lists(client: ClientConfiguration, asked: dict[str, Any]) -> bool:
    """Whether an address or a sub-unit has changed."""
    changed = False
    for name in ("redirect_uris", "post_logout_redirect_uris", "child_organization_numbers"):
        wanted = distinct(asked.get(name))
        if getattr(client, name) != wanted:
            setattr(client, name, wanted)
            changed = True
    return changed
