"""Controls of Altinn: what is given, how it behaves, and how often it was called."""

from typing import Literal

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import JSONBody
from msgspec import Struct

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.calls import Calls
from app.sandbox.altinn.delegations import Delegation
from app.sandbox.altinn.resources import RESOURCES
from app.sandbox.altinn.switches import AltinnSettings
from app.sandbox.people import person_named


class Given(Struct, frozen=True, rename={"giver": "from"}, forbid_unknown_fields=True):
    giver: str
    """Organisation number of the one who gives."""
    to: str
    """Organisation number, or a test person's name."""
    right: str
    """The resource's identifier."""
    action: Literal["grant", "revoke"] = "grant"


@post("/delegations", status_code=200, summary="Give or withdraw a right in Altinn")
async def change_delegation(altinn: NamedDependency[Altinn], data: JSONBody[Given]) -> Given:
    delegation = delegation_of(altinn, data.giver, data.to, data.right)
    change = altinn.give if data.action == "grant" else altinn.withdraw
    change(delegation)
    return data


@get("/altinn/settings", summary="How Altinn behaves")
async def show_settings(altinn: NamedDependency[Altinn]) -> AltinnSettings:
    return altinn.settings


@put("/altinn/settings", summary="Set how Altinn behaves; what is left out is as at the start")
async def change_settings(
    altinn: NamedDependency[Altinn], data: JSONBody[AltinnSettings]
) -> AltinnSettings:
    unknown = [name for name in data.never_logged_in if person_named(name) is None]
    if unknown:
        raise HTTPException(status_code=400, detail=f"Nobody is named {', '.join(unknown)}.")
    altinn.settings = data
    return data


@get("/altinn/calls", summary="How often each product of Altinn was called")
async def show_calls(calls: NamedDependency[Calls]) -> dict[str, int]:
    return calls.counts()


@delete("/altinn/calls", summary="Count from nought again")
async def forget_calls(calls: NamedDependency[Calls]) -> None:
    calls.forget()


def delegation_of(altinn: Altinn, giver: str, to: str, right: str) -> Delegation:
    """What the words mean, or 400 with the word that means nothing."""
    person = person_named(to)
    receiver = altinn.parties.person(person.pid) if person else altinn.parties.organization(to)
    if altinn.parties.organization(giver) is None:
        raise HTTPException(status_code=400, detail=f"Altinn knows no organisation {giver!r}.")
    if receiver is None:
        raise HTTPException(status_code=400, detail=f"Altinn knows nobody as {to!r}.")
    if right not in RESOURCES:
        known = ", ".join(RESOURCES)
        raise HTTPException(status_code=400, detail=f"The rights are {known}; not {right!r}.")
    return Delegation(giver, receiver.identifier, right)
