"""The page for people: what the sandbox is made of, and which numbers do what."""

from typing import Any

from litestar import Response
from msgspec import Struct

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.requests import NEXT, DelegationRequest, Status
from app.sandbox.altinn.resources import RESOURCES
from app.sandbox.neighbours import Neighbours
from app.sandbox.people import PEOPLE
from app.sandbox.token_issuer.issuer import Issuer
from app.sandbox.token_issuer.login import page

BEHAVIOURS = {
    "310000019": "alt går bra: klar rett etter bekreftelsen",
    "310000027": "den som bekrefter, sier nei",
    "310000035": "Kari har ikke rett før Synne gir den",
    "310000043": "kladden er utløpt når personen kommer",
    "310000051": "tilganger venter på API-eieren",
    "310000078": "én tilgang er klar, én godkjennes etter 60 s",
    "310000086": "API-eieren avslår én tilgang",
    "310000094": "en endret claim venter mens den gamle verdien gjelder",
    "310000108": "token-utstederen får vite om klienten 20 s for sent",
    "310000124": "finnes ikke i Enhetsregisteret",
    "310000132": "slettet i Enhetsregisteret",
    "310000175": "underenhet av 310000019",
    "310000183": "ingenting er delegert",
    "310000191": "delegert, og trukket tilbake etter 60 s",
    "310000205": "delegert, men Altinn ser det 30 s for sent",
    "310000213": "Altinn svarer 503",
    "310000221": "svarene fra Altinn strider mot hverandre",
    "310900028": "fjernet fra Enhetsregisteret (410 med innhold)",
    "310900036": "fjernet fra Enhetsregisteret (410 uten innhold)",
    "310900044": "konkurs",
    "310900052": "under avvikling",
    "310900060": "kommune, hovedenhet",
    "310900079": "organisasjonsledd under 310900060",
    "310900087": "underenhet av 310900079",
}


MOST_ROWS = 100
BUTTONS = {
    Status.PENDING: ("confirm", "Bekreft"),
    Status.APPROVED: ("approve", "Godkjenn"),
    Status.REJECTED: ("reject", "Avslå"),
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


def overview(neighbours: Neighbours, issuer: Issuer, altinn: Altinn) -> Response[str]:
    addresses = {
        "Tjenesten": f"{neighbours.base_url}/docs/v1/index.html",
        "Token-utstederen": f"{neighbours.issuer_url}/.well-known/openid-configuration",
        "Enhetsregisteret": f"{neighbours.enhetsregisteret_url}/enheter/310000019",
        "Altinns sider": f"{neighbours.altinn_pages_url}/",
        "Kontrollene": f"{neighbours.neighbours_url}/_sandbox/openapi.json",
    }
    return page(
        "overview.html",
        addresses=addresses,
        people=PEOPLE.values(),
        behaviours=BEHAVIOURS,
        clients=issuer.clients.all(),
        **_of_altinn(altinn),
    )


def _of_altinn(altinn: Altinn) -> dict[str, Any]:
    return {
        "given": _given(altinn),
        "requests": [_request_row(request) for request in altinn.requests.all()],
        "rights": RESOURCES.values(),
    }


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
