"""The page of one request: who wants it confirms it, who has the right gives it or says no."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect
from msgspec import Struct

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.human_steps import STEPS, ApprovalFailed
from app.sandbox.altinn.requests import DelegationRequest, NotPossible, RequestUnknown, Status
from app.sandbox.altinn.resources import RESOURCES
from app.sandbox.altinn_pages.visitors import ROOT, visitor
from app.sandbox.people import Person
from app.sandbox.token_issuer.forms import NO_STORE, IssuerRequest, parse_form
from app.sandbox.token_issuer.login import page


class Step(Struct, frozen=True):
    name: str
    label: str


STEPS_IN = {
    Status.DRAFT: [Step("confirm", "Bekreft forespørselen")],
    Status.PENDING: [Step("approve", "Godkjenn"), Step("reject", "Avslå")],
}
TEXTS = {
    Status.DRAFT: "Den som vil ha rettigheten, må bekrefte forespørselen før den sendes.",
    Status.PENDING: "Forespørselen venter på den som kan gi rettigheten.",
    Status.APPROVED: "Rettigheten er gitt. Det er ikke mer å gjøre.",
    Status.REJECTED: "Forespørselen er avslått.",
    Status.WITHDRAWN: "Forespørselen er trukket tilbake.",
}


@get("/requests/resource")
async def request_page(request: IssuerRequest, altinn: NamedDependency[Altinn]) -> Response[str]:
    person = visitor(request, altinn.people)
    return _page(altinn, request.query_params.get("requestId", ""), person)


@post("/requests/resource", status_code=303)
async def press(
    request: IssuerRequest, altinn: NamedDependency[Altinn]
) -> Response[str] | Redirect:
    person = visitor(request, altinn.people)
    form = parse_form(await request.body())
    identifier, step = form.get("requestId") or "", form.get("step") or ""
    try:
        asked = altinn.requests.find(identifier)
        if step not in [one.name for one in STEPS_IN.get(asked.status, [])]:
            raise NotPossible
        if not _may_press(asked, person):
            return _page(altinn, identifier, person, status_code=403)
        STEPS[step](altinn, identifier, person.name)
    except NotPossible:
        return _page(altinn, identifier, person, problem="Det er ikke mulig nå.", status_code=409)
    except ApprovalFailed:
        problem = "Altinn kunne ikke gi rettigheten nå. Forespørselen venter fortsatt."
        return _page(altinn, identifier, person, problem=problem, status_code=409)
    address = f"{ROOT}/requests/resource?requestId={identifier}"
    return Redirect(address, status_code=303, headers=NO_STORE)


def unknown_request(_: IssuerRequest, __: RequestUnknown) -> Response[str]:
    text = "Lenken er feil, eller sandkassen er startet på nytt siden."
    return page("message.html", status_code=404, title="Forespørselen finnes ikke", text=text)


def _may_press(asked: DelegationRequest, person: Person) -> bool:
    """A person who wants something confirms it himself; an organisation's access managers do."""
    if asked.status is Status.DRAFT and asked.wanted.is_to_person:
        return person.pid == asked.wanted.receiver
    return person.manages_access(_acting(asked))


def _acting(asked: DelegationRequest) -> str:
    """The organisation that has the next word."""
    wanted = asked.wanted
    return wanted.receiver if asked.status is Status.DRAFT else wanted.giver


def _who_may(altinn: Altinn, asked: DelegationRequest) -> list[str]:
    if asked.status is Status.DRAFT and asked.wanted.is_to_person:
        wanting = altinn.parties.person(asked.wanted.receiver)
        return [wanting.name] if wanting else []
    return [manager.name for manager in altinn.people.managers_of(_acting(asked))]


def _page(
    altinn: Altinn, identifier: str, person: Person, *, problem: str = "", status_code: int = 200
) -> Response[str]:
    asked = altinn.requests.find(identifier)
    steps = STEPS_IN.get(asked.status, [])
    return page(
        "altinn_request.html",
        status_code=status_code,
        root=ROOT,
        person=person,
        asked=asked,
        giver=altinn.parties.identified(asked.wanted.giver),
        receiver=altinn.parties.identified(asked.wanted.receiver),
        title=RESOURCES[asked.wanted.resource].title["nb"],
        text=TEXTS[asked.status],
        steps=steps if _may_press(asked, person) else [],
        others=_who_may(altinn, asked) if steps and not _may_press(asked, person) else [],
        problem=problem,
    )
