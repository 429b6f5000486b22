"""The pages of a person who may not decide: who can help, a text to send them, the way back."""

from urllib.parse import quote

from litestar import Response, post
from litestar.params import FromPath
from msgspec import Struct

from app.client_drafts.outcomes import REJECTED, target_of
from app.client_drafts.page_view import code_is_typed
from app.client_drafts.pairing import pairing_code
from app.client_drafts.parking import pass_on_client_draft
from app.client_drafts.redirects import page_address
from app.client_drafts.rights import MayDecide, other_organizations
from app.client_drafts.visits import Visit, goal_of, visit_of
from app.settings import Settings
from app.web.forms import PageRequest, form_token, is_form_token, own_form
from app.web.languages import OWN_NAMES, Language, written_moment, written_number
from app.web.pages import Answer, Link, Page, go_to, message, show, texts, with_lang


class ReadyText(Struct, frozen=True):
    """What can be sent to somebody else as it is, in one language."""

    language: Language
    language_name: str
    text: str
    mail: str
    """An address that opens a new mail with the text in it."""


@post("/confirm-client/{client_id:str}/pass-on")
async def pass_on(request: PageRequest, client_id: FromPath[str]) -> Answer:
    """The person cannot decide and asks others to: the draft lives on for them."""
    state = request.app.state
    fields = await own_form(request, state.settings.public_base_urls)
    visit = await visit_of(request, goal_of(request, client_id, fields))
    if not isinstance(visit, Visit):
        return visit
    is_ours = is_form_token(fields.get("formToken"), state.settings.secret_key, *visit.bound_to)
    if is_ours and visit.may is MayDecide.NO:
        async with state.database.sessions() as db:
            await pass_on_client_draft(
                db,
                visit.session.user,
                visit.draft.client_id,
                catalogue=visit.catalogue,
                settings=state.settings,
                now=state.clock(),
            )
    return go_to(with_lang(visit.address, visit.language))


async def no_right_page(visit: Visit, *, status: int) -> Response[str]:
    """What the public register and the catalogue say, and nothing more of the draft."""
    state, draft = visit.request.app.state, visit.draft
    settings: Settings = state.settings
    right = visit.catalogue.person_right
    assert right is not None  # else nobody lacks it
    page = Page(
        template="no_right.html",
        language=visit.language,
        address=visit.address,
        status=status,
        shown={
            "draft": visit.shown,
            "right": getattr(right.title, visit.language),
            "person": visit.session.user.name,
            "others": await other_organizations(
                state.person_rights, visit.catalogue, visit.decider, draft.organization_number
            ),
            "ready_texts": _ready_texts(visit) if draft.escalated_at else [],
            "address": page_address(draft.client_id),
            "again": with_lang(visit.address, visit.language),
            "shared": visit.shared,
            "altinn_pages": settings.altinn_ui_url,
            "leave": target_of(draft, REJECTED, shared=visit.shared),
            "form_token": form_token(settings.secret_key, *visit.bound_to),
        },
    )
    return show(visit.request, page)


def leave_page(visit: Visit, *, status: int) -> Response[str]:
    """Nobody can say whether the person may decline: the draft stays as it is."""
    said, leave = texts(visit.language), target_of(visit.draft, REJECTED, shared=visit.shared)
    back = (
        Link(leave, said["no_right"]["leave"])
        if leave
        else Link(with_lang(visit.address, visit.language), said["decline"]["back"])
    )
    return message(
        visit.request,
        "cannot_decline",
        status=status,
        language=visit.language,
        address=visit.address,
        back=back,
    )


def _ready_texts(visit: Visit) -> list[ReadyText]:
    return [_ready_text(visit, language) for language in Language]


def _ready_text(visit: Visit, language: Language) -> ReadyText:
    draft, shown = visit.draft, visit.shown
    settings: Settings = visit.request.app.state.settings
    right = visit.catalogue.person_right
    assert right is not None  # else nobody lacks it
    said = texts(language)["pass_on"]
    code = pairing_code(
        draft.client_id, draft.public_key.thumbprint, secret_key=settings.secret_key
    )
    # A system that has it typed shows it to whoever sits at the program: he is to be asked.
    hidden = code_is_typed(draft, visit.catalogue.systems[draft.client_system_id])
    gaps = {
        "supplier": shown.supplier.name or shown.supplier.number,
        "system": shown.system,
        "organization": shown.organization.name or written_number(shown.organization.number),
        "right": getattr(right.title, language),
        "link": settings.base_url + with_lang(page_address(draft.client_id, shared=True), language),
        "when": written_moment(draft.expires_at, language),
        "code": said["ask_for_code"] if hidden else said["code"].format(code=code),
    }
    paragraphs = said["text_at_program"] if shown.activates else said["text"]
    text = "\n\n".join(paragraph.format_map(gaps) for paragraph in paragraphs)
    subject = said["subject"].format_map(gaps)
    mail = (
        f"mailto:?subject={quote(subject)}&body={quote(text.replace(chr(10), chr(13) + chr(10)))}"
    )
    return ReadyText(language, OWN_NAMES[language], text, mail)
