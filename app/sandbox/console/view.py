"""What stands on the page: the stand-ins' own state, and what the service tells of its own."""

import json
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.requests import NEXT, DelegationRequest, Status
from app.sandbox.altinn.resources import RESOURCES
from app.sandbox.clock import Clock
from app.sandbox.journal.entries import Entry, Journal
from app.sandbox.neighbours import Neighbours
from app.sandbox.numbers import NUMBERS

MOST_ROWS = 100
MOST_CALLS = 30
JUMPS = {"1 minute": 60, "1 hour": 3_600, "1 day": 86_400, "30 days": 2_592_000}
BUTTONS = {
    Status.PENDING: ("confirm", "Confirm"),
    Status.APPROVED: ("approve", "Approve"),
    Status.REJECTED: ("reject", "Reject"),
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
    }


def of_altinn(altinn: Altinn) -> dict[str, Any]:
    return {
        "people": altinn.people,
        "given": _given(altinn),
        "requests": [_request_row(request) for request in altinn.requests.all()],
    }


def of_time(clock: Clock) -> dict[str, Any]:
    return {"now": clock.now(), "ahead": clock.ahead, "jumps": JUMPS}


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


def of_journal(journal: Journal) -> dict[str, Any]:
    """What installers asked, newest first. The control tells what the service asked besides."""
    asked = [
        call for call in journal.found() if call.to in ("service", "issuer") and _is_asked(call)
    ]
    return {"calls": asked[-MOST_CALLS:][::-1]}


def _is_asked(call: Entry) -> bool:
    return not call.path.startswith(("/sts/connect/register", "/sts/.well-known"))


def shown(call: Entry) -> str:
    """All of a call but its checks, which stand in a table."""
    told = msgspec.to_builtins(msgspec.structs.replace(call, checks=[]))
    return json.dumps(
        {name: value for name, value in told.items() if value}, indent=2, ensure_ascii=False
    )


def moment(value: str | datetime | None) -> str:
    """A time as the page writes it; all are in UTC."""
    if value is None:
        return ""
    when = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{when:%Y-%m-%d %H:%M:%S}"
