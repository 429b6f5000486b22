"""Where a person goes once a draft is decided, and the page that says what has become of it."""

from http import HTTPStatus

from litestar import Response

from app.client_drafts.decision_form import Action
from app.client_drafts.login_pages import page_address
from app.client_drafts.models import ClientDraft
from app.client_drafts.redirects import redirect_target
from app.client_drafts.rules import DraftOutdated, DraftStatus
from app.web.forms import PageRequest
from app.web.languages import Language
from app.web.pages import Link, message, texts, with_lang

# The program is told in these words, exactly; old ones know only the first.
SUCCESS, CANCELLED, EXPIRED, ERROR = "Success", "Cancelled", "Expired", "Error"

WORDS = {
    DraftStatus.CONFIRMED: SUCCESS,
    DraftStatus.DECLINED: CANCELLED,
    DraftStatus.EXPIRED: EXPIRED,
    DraftStatus.PENDING: ERROR,
}
_DECIDED = {Action.CONFIRM: DraftStatus.CONFIRMED, Action.DECLINE: DraftStatus.DECLINED}


def address_after(
    draft: ClientDraft, status: DraftStatus, action: Action, language: Language
) -> str:
    """Back to the program when the draft is as the person wants it, else to what is so."""
    target = target_of(draft, WORDS[status]) if status is _DECIDED[action] else None
    return target or with_lang(page_address(draft.client_id), language)


def target_of(draft: ClientDraft, word: str) -> str | None:
    return redirect_target(
        draft.asked.post_client_confirmation_redirect_uri,
        draft.redirect_port,
        draft.redirect_path,
        status=word,
    )


def outcome_page(
    request: PageRequest,
    draft: ClientDraft,
    status: DraftStatus,
    language: Language,
    *,
    name: str | None = None,
    http_status: int = HTTPStatus.OK,
) -> Response[str]:
    """What is so, with a link back to the program. `name` is that of another text than usual."""
    target = target_of(draft, WORDS[status])
    return message(
        request,
        name or status.value,
        status=http_status,
        language=language,
        address=page_address(draft.client_id),
        back=Link(target, texts(language)["site"]["back"]) if target else None,
    )


def outdated_page(
    request: PageRequest, draft: ClientDraft, why: DraftOutdated, language: Language
) -> Response[str]:
    name = "organization_refused" if why.organization_refused else "no_longer_offered"
    return outcome_page(request, draft, DraftStatus.PENDING, language, name=name)
