"""The page behind the link that stops a replacement of keys. GET stops nothing."""

from contextlib import suppress
from http import HTTPStatus
from uuid import UUID

from litestar import Router, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.authentication import origin_of
from app.audit.trail import Actor
from app.client_drafts.models import ClientDraft
from app.client_drafts.queries import draft_of
from app.client_drafts.rules import DeclineReason, DraftStatus, NoReplacement
from app.client_drafts.stopping import stop_replacement
from app.notices.models import Notice
from app.notices.queries import notice_of_link
from app.notices.rules import NoticeKind
from app.web.forms import PageRequest, own_form
from app.web.languages import Language, chosen_language
from app.web.pages import EXCEPTION_HANDLERS, Answer, Page, language_of, message, show


@get("/stop-replacement/{token:str}")
async def stop_page(request: PageRequest, token: FromPath[str]) -> Answer:
    return await _page(request, token, language_of(request))


@post("/stop-replacement/{token:str}")
async def stop(request: PageRequest, token: FromPath[str]) -> Answer:
    state, origin = request.app.state, origin_of(request)
    fields = await own_form(request, state.settings.public_base_urls)
    async with state.database.sessions() as db:
        notice = await _notice(request, db, token)
    actor = Actor(f"notice:{notice.id}", origin.address, origin.request_id)
    draft_id = UUID(notice.facts["draft_id"])
    # Where it has been stopped, or has happened, the page says which.
    with suppress(NoReplacement):
        await stop_replacement(state.database.sessions, draft_id, actor, now=state.clock())
    return await _page(request, token, chosen_language(fields.get("lang"), None))


async def _notice(request: PageRequest, db: AsyncSession, token: str) -> Notice:
    secret_key = request.app.state.settings.secret_key
    notice = await notice_of_link(db, token, secret_key=secret_key)
    if notice is None or notice.kind is not NoticeKind.KEYS_TO_BE_REPLACED:
        raise NotFoundException
    return notice


async def _page(request: PageRequest, token: str, language: Language) -> Answer:
    async with request.app.state.database.sessions() as db:
        notice = await _notice(request, db, token)
        draft = await draft_of(db, UUID(notice.facts["draft_id"]))
    address = f"/stop-replacement/{token}"
    if draft is None or draft.status is not DraftStatus.AWAITING_EXCHANGE:
        name = "replacement_stopped" if _is_stopped(draft) else "replacement_over"
        return message(request, name, status=HTTPStatus.OK, language=language, address=address)
    shown = {"facts": notice.facts, "when": draft.exchange_at, "address": address}
    return show(
        request, Page(template="stop.html", language=language, address=address, shown=shown)
    )


def _is_stopped(draft: ClientDraft | None) -> bool:
    return draft is not None and draft.decline_reason is DeclineReason.STOPPED


router = Router(
    "/",
    route_handlers=[stop_page, stop],
    exception_handlers=EXCEPTION_HANDLERS,
    include_in_schema=False,
)
