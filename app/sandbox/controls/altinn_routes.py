"""Controls of Altinn: what is given, how it behaves, and how often it was called."""

from typing import Any, Literal

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.calls import Calls
from app.sandbox.altinn.human_steps import STEPS, ApprovalFailed, NotNamed, named_delegation
from app.sandbox.altinn.request_bodies import request_body
from app.sandbox.altinn.requests import Notice, NotPossible, RequestUnknown
from app.sandbox.altinn.resources import RESOURCES
from app.sandbox.altinn.switches import AltinnSettings
from app.sandbox.people import SYNNE


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
    try:
        delegation = named_delegation(altinn, data.giver, data.to, data.right)
    except NotNamed as error:
        raise HTTPException(status_code=400, detail=str(error)) from error
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
    unknown = [name for name in data.never_logged_in if altinn.people.named(name) is None]
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


@get("/altinn/requests", summary="The requests for rights, as Altinn answers them")
async def list_requests(altinn: NamedDependency[Altinn]) -> list[dict[str, Any]]:
    return [request_body(altinn, request) for request in altinn.requests.all()]


@get("/altinn/notices", summary="The mails that Altinn sends about requests")
async def list_notices(altinn: NamedDependency[Altinn]) -> list[Notice]:
    return altinn.requests.notices


@post(
    "/altinn/requests/{identifier:str}/{step:str}",
    status_code=200,
    summary="Press what a person presses about a request: confirm, approve or reject",
)
async def press(
    altinn: NamedDependency[Altinn], identifier: FromPath[str], step: FromPath[str]
) -> dict[str, Any]:
    if step not in STEPS:
        raise NotFoundException(f"The steps are {', '.join(STEPS)}.")
    try:
        return request_body(altinn, STEPS[step](altinn, identifier, SYNNE.name))
    except RequestUnknown as unknown:
        raise NotFoundException("There is no such request.") from unknown
    except NotPossible as not_possible:
        raise HTTPException(status_code=409, detail=str(not_possible)) from not_possible
    except ApprovalFailed as failed:
        detail = "Altinn's check failed; the request is still pending."
        raise HTTPException(status_code=409, detail=detail) from failed


@post(
    "/altinn/resources/{identifier:str}/rules",
    status_code=204,
    summary="Let the rules of a right change, so that the list of changes tells of it",
)
async def change_rules(altinn: NamedDependency[Altinn], identifier: FromPath[str]) -> None:
    if identifier not in RESOURCES:
        raise NotFoundException(f"The rights are {', '.join(RESOURCES)}.")
    altinn.rules_changed[identifier] = altinn.clock.now()


ALTINN_CONTROLS = (
    change_rules,
    change_delegation,
    show_settings,
    change_settings,
    show_calls,
    forget_calls,
    list_requests,
    list_notices,
    press,
)
