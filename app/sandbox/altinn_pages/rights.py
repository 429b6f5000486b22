"""The page where rights are given and withdrawn."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.delegations import Delegation
from app.sandbox.altinn.human_steps import NotNamed, named_delegation
from app.sandbox.altinn.numbers import SUPPLIERS
from app.sandbox.altinn.parties import Party
from app.sandbox.altinn.resources import DATA_PROCESSOR, RESOURCES, TAKE_INTO_USE, Kind
from app.sandbox.altinn_pages.visitors import ROOT, visitor
from app.sandbox.people import Person
from app.sandbox.token_issuer.forms import NO_STORE, IssuerRequest, parse_form
from app.sandbox.token_issuer.login import page

FIELDS = ("party", "to", "right")


@get("/")
async def rights_page(request: IssuerRequest, altinn: NamedDependency[Altinn]) -> Response[str]:
    """What stands in the query is filled in, so that a link can lead to one right."""
    filled = {name: request.query_params.get(name, "") for name in FIELDS}
    return _page(request, altinn, filled)


@post("/delegations", status_code=303)
async def change_rights(
    request: IssuerRequest, altinn: NamedDependency[Altinn]
) -> Response[str] | Redirect:
    form = parse_form(await request.body())
    filled = {name: form.get(name) or "" for name in FIELDS}
    if not visitor(request, altinn.people).manages_access(filled["party"]):
        return _page(request, altinn, filled, status_code=403)
    try:
        delegation = named_delegation(altinn, filled["party"], filled["to"], filled["right"])
        _check_kind(altinn, delegation)
    except NotNamed as problem:
        return _page(request, altinn, filled, problem=str(problem), status_code=400)
    change = altinn.withdraw if form.get("action") == "withdraw" else altinn.give
    change(delegation)
    return Redirect(f"{ROOT}/?party={delegation.giver}", status_code=303, headers=NO_STORE)


def _check_kind(altinn: Altinn, delegation: Delegation) -> None:
    if RESOURCES[delegation.resource].kind is not Kind.MASKINPORTEN_SCHEMA:
        return
    giver = altinn.register.find(delegation.giver)
    if delegation.is_to_person:
        raise NotNamed("Denne rettigheten kan bare gis til en virksomhet.")
    if giver is None or giver.is_sub_unit or giver.form == "ORGL":
        raise NotNamed("Denne rettigheten kan bare gis av en hovedenhet.")


def _page(
    request: IssuerRequest,
    altinn: Altinn,
    filled: dict[str, str],
    *,
    problem: str = "",
    status_code: int = 200,
) -> Response[str]:
    person = visitor(request, altinn.people)
    party = altinn.parties.organization(filled["party"])
    return page(
        "altinn_rights.html",
        status_code=status_code,
        root=ROOT,
        person=person,
        people=altinn.people,
        resources=RESOURCES.values(),
        filled=filled,
        party=party,
        given=_given(altinn, party) if party else [],
        problem=problem,
        may_give=_may_give(person, filled["party"]),
        managers=altinn.people.managers_of(filled["party"]),
    )


def _may_give(person: Person, number: str) -> bool:
    """Before an organisation is named: for any."""
    return person.manages_access(number) if number else person.manages != ()


def _given(altinn: Altinn, party: Party) -> list[tuple[Party, str, str]]:
    """Receiver, the right's identifier and its title. These pages see a change at once."""
    now = altinn.clock.now()
    found = []
    for delegation in _possible(altinn, party):
        change = altinn.delegations.last_made(delegation, now)
        receiver = altinn.parties.identified(delegation.receiver)
        if change is not None and change.held and receiver is not None:
            title = RESOURCES[delegation.resource].title["nb"]
            found.append((receiver, delegation.resource, title))
    return found


def _possible(altinn: Altinn, party: Party) -> list[Delegation]:
    """What was there from the beginning, and what somebody has asked about since."""
    number = party.identifier
    suppliers = [Delegation(number, one, DATA_PROCESSOR.identifier) for one in SUPPLIERS]
    persons = [Delegation(number, one.pid, TAKE_INTO_USE.identifier) for one in altinn.people]
    known = [one for one in altinn.delegations.known() if one.giver == number]
    return list(dict.fromkeys([*suppliers, *persons, *known]))
