"""The composition root: the only place that knows everything."""

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp

from app.access.access_tokens import TokenPolicy, VerifiedTokens
from app.access.limits import Refused
from app.adapters.neighbours import neighbours
from app.apis.queries import Catalogues
from app.apis.routes import get_catalogue
from app.changes.listener import ClientEvents
from app.changes.queries import CHANNEL as CHANGED_CHANNEL
from app.client_configurations import block_pages
from app.client_configurations.routes import get_client, get_client_status, put_client
from app.client_drafts import login_pages, pages, stop_pages
from app.client_drafts.activation_routes import post_activation
from app.client_drafts.creation import DraftMaker
from app.client_drafts.replacement_routes import delete_key_replacement, get_key_replacement
from app.client_drafts.routes import post_client_draft
from app.client_keys.routes import (
    delete_client_secret,
    get_client_secrets,
    post_client_secret,
    post_client_secret_check,
)
from app.database import Database
from app.delegations.budget import shared_budgets
from app.delegations.routes import (
    get_delegation,
    get_delegations,
    get_multi_tenant_delegations,
    post_delegation_check,
    post_delegation_request,
)
from app.health import live, ready
from app.lifeline import told_of_end
from app.log_lines import log_as_json
from app.onboardings.pace import Buckets
from app.onboardings.routes import get_onboarding, post_confirm_link
from app.onboardings.usual import UsualWaits
from app.onboardings.waiting import HeldRequests
from app.problems import Problem
from app.publications.queries import DONE_CHANNEL
from app.publications.waiting import Announcements, published
from app.schema import refuse_other_revision
from app.settings import Settings, read_settings
from app.web.frame import Frame
from app.web.options import options_of
from app.web.pages import assets
from app.web.problem_details import (
    answer_exception,
    answer_http_exception,
    answer_problem,
)
from app.web.published_documents import reference_pages

# The issuer answers within a fraction of a second. One that does not makes an answer no slower than
# this: long enough for two more tries, since old installers do not read that a key is activating,
# and shorter than any of them waits. The worker goes on.
ISSUER_KNOWS_WITHIN = timedelta(seconds=4)
# None here takes a tenth of a second. Whoever asked has given up long before this.
LONGEST_STATEMENT = "15s"

CONTRACT = [
    post_client_draft,
    get_client,
    put_client,
    get_client_status,
    post_client_secret,
    get_client_secrets,
    delete_client_secret,
    get_multi_tenant_delegations,
]
# What this service adds to it.
ADDED = [
    get_catalogue,
    get_key_replacement,
    delete_key_replacement,
    post_activation,
    post_client_secret_check,
    get_delegations,
    get_delegation,
    post_delegation_check,
    post_delegation_request,
    get_onboarding,
    post_confirm_link,
]
API = [*CONTRACT, *ADDED]
PAGES = [pages.router, login_pages.router, block_pages.router, stop_pages.router]


def real_time() -> datetime:
    return datetime.now(UTC)


def create_app() -> ASGIApp:
    """The service, by its environment: what a server calls."""
    return application(read_settings(os.environ))


def application(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = real_time,
    headers: Mapping[str, str] | None = None,
    banner: str | None = None,
    beside: Sequence[AbstractAsyncContextManager[Any]] = (),
) -> ASGIApp:
    """`headers` go with every answer, `banner` stands on every page.

    What is `beside` the service is entered before it starts, and left after its end.
    """
    log_as_json()
    app = Litestar(
        route_handlers=[
            Router("/v1", route_handlers=[*options_of(API), *API]),
            # Installations have these paths in files of their own.
            _old_paths("/v0.1"),
            _old_paths("/v0.2"),
            *PAGES,
            assets,
            *reference_pages,
            live,
            ready,
        ],
        state=state_before(settings, clock=clock, banner=banner),
        lifespan=[*beside, _alive],
        exception_handlers={
            Problem: answer_problem,
            HTTPException: answer_http_exception,
            Exception: answer_exception,
        },
        request_max_body_size=settings.body_limit,
        openapi_config=None,
        logging_config=None,
    )
    return Frame(app, trusted_proxies=settings.trusted_proxies, headers=headers or {})


def _old_paths(base: str) -> Router:
    handlers = [*options_of(CONTRACT), *CONTRACT]
    return Router(base, route_handlers=handlers, include_in_schema=False)


def state_before(
    settings: Settings, *, clock: Callable[[], datetime], banner: str | None = None
) -> State:
    """What the service has before it is alive."""
    return State({"settings": settings, "clock": clock, "banner": banner, **memories()})


def memories() -> dict[str, Any]:
    """What a process remembers of its callers, to spare itself look-ups."""
    return {"failing": Refused(), "good_keys": {}, "buckets": Buckets()}


@asynccontextmanager
async def _alive(app: Litestar) -> AsyncIterator[None]:
    """What the service holds from its start to its end."""
    settings: Settings = app.state.settings
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url, longest_statement=LONGEST_STATEMENT)
        await database.open()
        stack.push_async_callback(database.close)
        async with database.reads.acquire() as connection:
            await refuse_other_revision(connection)
        budgets = shared_budgets(database, settings)
        others = await stack.enter_async_context(neighbours(settings, budgets))
        keys = await stack.enter_async_context(others.issuer_keys)
        events = ClientEvents(settings.database_url, [DONE_CHANNEL, CHANGED_CHANNEL])
        await stack.enter_async_context(events)
        held = HeldRequests(events)
        stack.enter_context(told_of_end(held.end))
        catalogues = Catalogues(database.sessions)
        policy = TokenPolicy(
            issuer=settings.issuer,
            audience=settings.audience,
            allow_bearer=settings.allow_bearer,
        )
        app.state.update(
            {
                "database": database,
                "catalogues": catalogues,
                "register": others.register,
                "altinn": others.altinn,
                "person_rights": others.person_rights,
                "login": others.login,
                "tokens": VerifiedTokens(keys, policy),
                "draft_maker": DraftMaker(database, catalogues, others.register, settings),
                "held": held,
                "usual_waits": UsualWaits(database.sessions),
                "published": issuer_knows(database, events),
            }
        )
        yield


def issuer_knows(database: Database, announcements: Announcements) -> Callable[[UUID, int], Any]:
    """Waiting, bounded, until the token issuer knows a version of a client."""

    async def wait(client_id: UUID, version: int) -> bool:
        return await published(
            database, announcements, client_id, version, within=ISSUER_KNOWS_WITHIN
        )

    return wait
