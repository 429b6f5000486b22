"""The buttons of the controls' own page. A plain form cannot send JSON, so they stand apart."""

from litestar import Response, Router, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.human_steps import STEPS, ApprovalFailed, NotNamed, named_delegation
from app.sandbox.altinn.requests import NotPossible, RequestUnknown
from app.sandbox.controls.guards import demand_same_origin
from app.sandbox.people import SYNNE
from app.sandbox.token_issuer.errors import OAuthError
from app.sandbox.token_issuer.forms import NO_STORE, IssuerRequest, parse_form
from app.sandbox.token_issuer.login import page

OVERVIEW = "/_sandbox/"


@post("/delegations", status_code=303)
async def press_delegation(request: IssuerRequest, altinn: NamedDependency[Altinn]) -> Redirect:
    form = parse_form(await request.body())
    names = [form.get(name) or "" for name in ("from", "to", "right")]
    change = altinn.withdraw if form.get("action") == "revoke" else altinn.give
    change(named_delegation(altinn, *names))
    return _back()


@post("/requests", status_code=303)
async def press_request(request: IssuerRequest, altinn: NamedDependency[Altinn]) -> Redirect:
    form = parse_form(await request.body())
    step = STEPS.get(form.get("step") or "")
    if step is None:
        raise NotPossible("no such step")
    step(altinn, form.get("id") or "", SYNNE.name)
    return _back()


def not_done(_: IssuerRequest, error: Exception) -> Response[str]:
    text = f"{error} ({type(error).__name__})"
    return page("message.html", status_code=400, title="Det gikk ikke", text=text)


def page_router() -> Router:
    """Below the controls, whose guard of the `Host` header holds here too."""
    failures = (OAuthError, NotNamed, NotPossible, RequestUnknown, ApprovalFailed)
    return Router(
        path="/page",
        guards=[demand_same_origin],
        route_handlers=[press_delegation, press_request],
        exception_handlers=dict.fromkeys(failures, not_done),
        include_in_schema=False,
    )


def _back() -> Redirect:
    return Redirect(OVERVIEW, status_code=303, headers=NO_STORE)
