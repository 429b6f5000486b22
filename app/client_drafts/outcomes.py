"""Where a person goes once a draft is decided, and the page that says what has become of it."""

from http import HTTPStatus

from litestar import Response

from app.access.callers import EndUser
from app.client_drafts.activation import activation_code
from app.client_drafts.decision_form import Action
from app.client_drafts.models import ClientDraft
from app.client_drafts.redirects import page_address, redirect_target
from app.client_drafts.rules import DeclineReason, DraftOutdated, DraftStatus
from app.web.forms import PageRequest
from app.web.languages import Language
from app.web.pages import Link, message, texts, with_lang

# The program is told in these words, exactly; old ones know only the first.
SUCCESS, CANCELLED, EXPIRED, ERROR = "Success", "Cancelled", "Expired", "Error"
PENDING, REJECTED = "Pending", "Rejected"

WORDS = {
    DraftStatus.CONFIRMED: SUCCESS,
    DraftStatus.AWAITING_ACTIVATION: SUCCESS,
    DraftStatus.AWAITING_EXCHANGE: PENDING,
    DraftStatus.VERIFYING_RIGHT: PENDING,
    DraftStatus.DECLINED: CANCELLED,
    DraftStatus.EXPIRED: EXPIRED,
    DraftStatus.PENDING: ERROR,
}
_DECIDED = {
    Action.CONFIRM: (
        DraftStatus.CONFIRMED,
        DraftStatus.VERIFYING_RIGHT,
        DraftStatus.AWAITING_ACTIVATION,
        DraftStatus.AWAITING_EXCHANGE,
    ),
    Action.DECLINE: (DraftStatus.DECLINED,),
}
_TEXTS = {
    DeclineReason.NO_RIGHT: "no_right_after_all",
    DeclineReason.NOT_VERIFIED: "not_verified",
    DeclineReason.ORGANIZATION_REFUSED: "organization_refused",
    DeclineReason.NO_LONGER_OFFERED: "no_longer_offered",
    DeclineReason.KEY_TAKEN: "key_taken",
    DeclineReason.STOPPED: "replacement_stopped",
}


def word_of(draft: ClientDraft, status: DraftStatus) -> str:
    if status is DraftStatus.DECLINED and draft.decline_reason in _TEXTS:
        return REJECTED if draft.decline_reason is DeclineReason.NO_RIGHT else ERROR
    return WORDS[status]


def address_after(
    draft: ClientDraft,
    status: DraftStatus,
    action: Action,
    language: Language,
    *,
    code: str | None,
    shared: bool,
) -> str:
    """Back to the program when the draft is as the person wants it, else to what is so."""
    decided = status in _DECIDED[action]
    target = target_of(draft, word_of(draft, status), code=code, shared=shared) if decided else None
    return target or with_lang(page_address(draft.client_id, shared=shared), language)


def target_of(
    draft: ClientDraft, word: str, *, code: str | None = None, shared: bool
) -> str | None:
    """Nobody waits on the machine of one to whom the link was passed on, or who did not confirm."""
    needs_code = word in (SUCCESS, PENDING) and awaits_activation(draft)
    if shared or (needs_code and code is None):
        return None
    return redirect_target(
        draft.asked.post_client_confirmation_redirect_uri,
        draft.redirect_port,
        draft.redirect_path,
        status=word,
        code=code if needs_code else None,
    )


def awaits_activation(draft: ClientDraft) -> bool:
    return draft.activation_until is not None and draft.activated_at is None


def code_for(draft: ClientDraft, user: EndUser, secret_key: str) -> str | None:
    """The activation code, for the browser of the person who confirmed and for no other."""
    if draft.decided_by != user.pseudonym:
        return None
    return activation_code(draft, secret_key=secret_key)


def outcome_page(
    request: PageRequest,
    draft: ClientDraft,
    status: DraftStatus,
    language: Language,
    *,
    name: str | None = None,
    http_status: int = HTTPStatus.OK,
    code: str | None = None,
    shared: bool,
) -> Response[str]:
    """What is so, with a link back to the program. `name` is that of another text than usual."""
    target = target_of(draft, word_of(draft, status), code=code, shared=shared)
    reason = draft.decline_reason if status is DraftStatus.DECLINED else None
    return message(
        request,
        name or (reason and _TEXTS.get(reason)) or status.value,
        status=http_status,
        language=language,
        address=page_address(draft.client_id, shared=shared),
        back=Link(target, texts(language)["site"]["back"]) if target else None,
    )


def outdated_page(
    request: PageRequest,
    draft: ClientDraft,
    why: DraftOutdated,
    language: Language,
    *,
    shared: bool,
) -> Response[str]:
    name = "organization_refused" if why.organization_refused else "no_longer_offered"
    if why.not_replaceable:
        name = "not_replaceable"
    return outcome_page(request, draft, DraftStatus.PENDING, language, name=name, shared=shared)
