"""What a person sends from the page: a yes with an address to write to, or a no with a reason."""

import re
from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from app.client_drafts.page_view import ShownDraft
from app.client_drafts.pairing import is_same_code
from app.client_drafts.rules import REASONS_OF_PERSONS, DeclineReason
from app.web.forms import FormRefused

LONGEST_EMAIL = 254
_EMAIL = re.compile(r"[^\s@<>\"(),:;\\]{1,64}@[^\s@<>\"(),:;\\]+\.[^\s@<>\"(),:;\\.]{2,}")


class Action(StrEnum):
    CONFIRM = "confirm"
    DECLINE = "decline"


class DecisionForm(Struct, frozen=True, kw_only=True):
    """The fields as they came, the empty ones as such."""

    action: Action
    contact_email: str = ""
    pairing_code: str = ""
    reason: DeclineReason | None = None


def read_decision(fields: Mapping[str, str]) -> DecisionForm:
    action, reason = fields.get("action"), fields.get("reason")
    if action not in list(Action):
        raise FormRefused("The form says neither yes nor no.")
    return DecisionForm(
        action=Action(action),
        contact_email=fields.get("contactEmail", "").strip(),
        pairing_code=fields.get("pairingCode", "").strip()[:40],
        reason=DeclineReason(reason) if reason in REASONS_OF_PERSONS else None,
    )


def types_code(form: DecisionForm, shown: ShownDraft) -> bool:
    """Whether the form is an attempt to know the pairing code."""
    return form.action is Action.CONFIRM and shown.code_is_typed and bool(form.pairing_code)


def faults_of(form: DecisionForm, shown: ShownDraft, *, too_often: bool) -> dict[str, str]:
    """What the person has to correct: by the field's name, the name of the text that says it.

    `too_often`: codes have been typed so often that not even the right one is taken now.
    """
    if form.action is Action.DECLINE:
        return {} if form.reason else {"reason": "reason_missing"}
    faults: dict[str, str] = {}
    if too_often:
        faults["pairingCode"] = "code_too_often"
    elif shown.code_is_typed and not is_same_code(form.pairing_code, shown.pairing_code):
        faults["pairingCode"] = "code_differs" if form.pairing_code else "code_missing"
    if form.contact_email and not is_email(form.contact_email):
        faults["contactEmail"] = "email_malformed"
    return faults


def is_email(text: str) -> bool:
    """Only what cannot be one is refused: whether somebody reads it is known to nobody here."""
    return len(text) <= LONGEST_EMAIL and text.isprintable() and bool(_EMAIL.fullmatch(text))
