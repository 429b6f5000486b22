"""What stands on the page: the stand-ins' own state, and what the service tells of its own."""

import re
from datetime import UTC, datetime
from typing import Any, get_args

from markupsafe import Markup, escape
from msgspec import Struct

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.calls import Calls
from app.sandbox.altinn.requests import NEXT, DelegationRequest, Status
from app.sandbox.altinn.resources import RESOURCES
from app.sandbox.clock import Clock
from app.sandbox.controls.register_routes import STANDINGS
from app.sandbox.controls.token_routes import BROKEN
from app.sandbox.faults import TARGETS, Special
from app.sandbox.neighbours import Neighbours
from app.sandbox.numbers import NUMBERS
from app.sandbox.token_issuer.issuer import Issuer

_CODE = re.compile(r"`([^`]+)`")
MOST_ROWS = 100
MOST_LETTERS = 30
JUMPS = {"1 minute": 60, "1 hour": 3_600, "1 day": 86_400, "30 days": 2_592_000}
BUTTONS = {
    Status.PENDING: ("confirm", "Confirm"),
    Status.APPROVED: ("approve", "Approve"),
    Status.REJECTED: ("reject", "Reject"),
}
PARTS = {
    "clients": "Clients",
    "calls": "Calls",
    "time": "Time",
    "mail": "Mail",
    "altinn": "Altinn",
    "faults": "Faults",
    "where": "What is where",
    "numbers": "Numbers",
}
LANGUAGES = {"en": "English", "nb": "Bokmål", "nn": "Nynorsk"}
ACTORS = {
    "supplier": "the supplier",
    "endUser": "the user",
    "accessManager": "who manages access",
    "apiOwner": "the API's owner",
    "altinn": "Altinn",
    "platform": "nobody: it goes by itself",
}
RECIPIENTS = {
    "organization": "the organization",
    "supplier": "the supplier",
    "apiOwner": "the API's owner",
}


class GivenRow(Struct, frozen=True):
    """A right between organisations that somebody has asked about, or any that was changed."""

    giver: str
    receiver: str
    receiver_name: str
    right: str
    held: bool


class RequestRow(Struct, frozen=True):
    request: DelegationRequest
    buttons: list[tuple[str, str]]


def of_sandbox(neighbours: Neighbours) -> dict[str, Any]:
    """What does not change while it runs."""
    return {
        "base_url": neighbours.base_url,
        "addresses": {
            "The service's reference": f"{neighbours.base_url}/docs/v1/index.html",
            "Its document": f"{neighbours.base_url}/openapi.json",
            "The controls": f"{neighbours.neighbours_url}/_sandbox/openapi.json",
            "The token issuer": f"{neighbours.issuer_url}/.well-known/openid-configuration",
            "Altinn's pages": f"{neighbours.altinn_pages_url}/",
            "Enhetsregisteret": f"{neighbours.enhetsregisteret_url}/enheter/310000019",
        },
        "numbers": NUMBERS,
        "rights": RESOURCES.values(),
        "parts": PARTS,
        "languages": LANGUAGES,
        "actors": ACTORS,
        "recipients": RECIPIENTS,
        "broken": BROKEN,
        "targets": TARGETS,
        "specials": get_args(Special),
        "standings": STANDINGS,
    }


def of_altinn(altinn: Altinn, calls: Calls) -> dict[str, Any]:
    return {
        "people": altinn.people,
        "given": _given(altinn),
        "requests": [_request_row(request) for request in altinn.requests.all()],
        "manner": altinn.settings,
        "counts": calls.counts(),
    }


def of_time(clock: Clock) -> dict[str, Any]:
    return {"now": clock.now(), "ahead": clock.ahead, "jumps": JUMPS}


def of_issuer(issuer: Issuer) -> dict[str, Any]:
    return {"known_to_issuer": issuer.clients.all(), "real_now": datetime.now(UTC)}


def of_mail(letters: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Newest first; None where the service does not tell."""
    if letters is None:
        return {"mail": None}
    numbered = [{**letter, "number": number} for number, letter in enumerate(letters, 1)]
    return {"mail": numbered[-MOST_LETTERS:][::-1]}


def _given(altinn: Altinn) -> list[GivenRow]:
    now, rows = altinn.clock.now(), []
    shown = [
        one
        for one in altinn.delegations.known()
        # Whoever logs in makes the service ask for all of his organisations.
        if not one.is_to_person or altinn.delegations.is_touched(one)
    ]
    for one in shown[-MOST_ROWS:]:
        change = altinn.delegations.last_made(one, now)
        receiver = altinn.parties.identified(one.receiver)
        if change is not None and receiver is not None:
            to = receiver.name if receiver.person else receiver.identifier
            rows.append(GivenRow(one.giver, to, receiver.name, one.resource, change.held))
    return rows


def _request_row(request: DelegationRequest) -> RequestRow:
    possible = NEXT.get(request.status, set())
    return RequestRow(request, [BUTTONS[one] for one in Status if one in possible & BUTTONS.keys()])


def moment(value: str | datetime | None) -> str:
    """A time as the page writes it; all are in UTC."""
    when = _read(value)
    return f"{when:%Y-%m-%d %H:%M:%S}" if when else ""


def time_of_day(value: str | datetime | None) -> str:
    when = _read(value)
    return f"{when:%H:%M:%S}" if when else ""


def coded(text: str) -> Markup:
    """What stands between backticks, as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704  # it is escaped


def _read(value: str | datetime | None) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
