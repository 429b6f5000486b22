"""A notice as a letter: in each of our languages, one below the other."""

from app.notices.mail import Letter
from app.notices.models import Notice
from app.notices.rules import MAY_BLOCK, NoticeKind, block_token
from app.settings import Settings
from app.web.languages import Language, written_moment
from app.web.pages import texts, with_lang

STOPPABLE = (NoticeKind.KEYS_TO_BE_REPLACED,)
BETWEEN = "\n\n-- \n\n"


def letter_of(notice: Notice, settings: Settings) -> Letter:
    parts = [_text(notice, language, settings) for language in Language]
    said = texts(Language.NB)["notice"][notice.kind]
    return Letter(
        message_id=f"<notice-{notice.id}@{settings.host}>",
        to=notice.address or "",
        subject=said["subject"].format_map(notice.facts),
        text=BETWEEN.join(parts) + "\n",
    )


def _text(notice: Notice, language: Language, settings: Settings) -> str:
    said = texts(language)["notice"]
    gaps = {
        **notice.facts,
        "operator": settings.operator,
        "when": written_moment(notice.created_at, language),
        "link": with_lang(link_address(notice, settings), language),
    }
    paragraphs = [*said[notice.kind]["text"]]
    if notice.recipient in MAY_BLOCK:
        paragraphs.append(said["stop" if notice.kind in STOPPABLE else "block"])
    paragraphs.append(said["sender"])
    return "\n\n".join(paragraph.format_map(gaps) for paragraph in paragraphs)


def link_address(notice: Notice, settings: Settings) -> str:
    """Where the receiver can stop what he is told of."""
    token = block_token(notice.id, notice.client_id, secret_key=settings.secret_key)
    page = "stop-replacement" if notice.kind in STOPPABLE else "block-client"
    return f"{settings.base_url}/{page}/{token}"
