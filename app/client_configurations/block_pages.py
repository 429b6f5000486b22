"""The page behind the link in a notice: whoever got it can stop the client. GET stops nothing."""

from http import HTTPStatus

from litestar import Router, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.authentication import origin_of
from app.audit.trail import Actor
from app.client_configurations.operator import change_status
from app.clients.models import ClientConfiguration
from app.clients.rules import ClientEvent, ClientStatus
from app.notices.models import Notice
from app.notices.queries import notice_of_link
from app.notices.rules import still_blocks
from app.settings import Settings
from app.state_machine import WrongState
from app.web.forms import PageRequest, own_form
from app.web.languages import Language, chosen_language
from app.web.pages import EXCEPTION_HANDLERS, Answer, Page, language_of, message, show


@get("/block-client/{token:str}")
async def block_page(request: PageRequest, token: FromPath[str]) -> Answer:
    return await _page(request, token, language_of(request))


@post("/block-client/{token:str}")
async def block(request: PageRequest, token: FromPath[str]) -> Answer:
    state = request.app.state
    fields = await own_form(request, state.settings.public_base_urls)
    async with state.database.sessions() as db:
        notice = await _notice(db, token, state.settings)
    if still_blocks(notice.created_at, state.clock()):
        await _block(request, notice)
    return await _page(request, token, chosen_language(fields.get("lang"), None))


async def _block(request: PageRequest, notice: Notice) -> None:
    state, origin = request.app.state, origin_of(request)
    actor = Actor(f"notice:{notice.id}", origin.address, origin.request_id)
    try:
        async with state.database.sessions() as db:
            version = await change_status(
                db,
                notice.client_id,
                ClientEvent.BLOCK,
                actor=actor,
                reason=f"by the link to the {notice.recipient}",
                now=state.clock(),
            )
    except WrongState:
        return  # it is blocked already, or closed: the page says so
    await state.published(notice.client_id, version)


async def _notice(db: AsyncSession, token: str, settings: Settings) -> Notice:
    notice = await notice_of_link(db, token, secret_key=settings.secret_key)
    if notice is None:
        raise NotFoundException
    return notice


async def _page(request: PageRequest, token: str, language: Language) -> Answer:
    state = request.app.state
    async with state.database.sessions() as db:
        notice = await _notice(db, token, state.settings)
        client = await db.get_one(ClientConfiguration, notice.client_id)
    address = f"/block-client/{token}"
    if client.status is not ClientStatus.ACTIVE:
        return message(
            request, "client_blocked", status=HTTPStatus.OK, language=language, address=address
        )
    if not still_blocks(notice.created_at, state.clock()):
        return message(
            request,
            "block_link_old",
            status=HTTPStatus.GONE,
            language=language,
            address=address,
            operator=state.settings.operator,
        )
    page = Page(
        template="block.html",
        language=language,
        address=address,
        shown={"facts": notice.facts, "when": notice.created_at, "address": address},
    )
    return show(request, page)


router = Router(
    "/",
    route_handlers=[block_page, block],
    exception_handlers=EXCEPTION_HANDLERS,
    include_in_schema=False,
)
