"""GET and POST /connect/authorize: a page where a test person is chosen by a button."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from app.sandbox.people import Person
from app.sandbox.token_issuer.errors import OAuthError
from app.sandbox.token_issuer.forms import NO_STORE, IssuerRequest, parse_form
from app.sandbox.token_issuer.grant_state import AuthorizationRequest, UserGrant
from app.sandbox.token_issuer.issuer import Issuer

CODE_LIFE = timedelta(minutes=1)
CANCEL = "cancel"

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
)
# `form-action` is left out: it would also bind the redirect to the client that follows.
PAGE_HEADERS = NO_STORE | {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def page(template: str, *, status_code: int = 200, **values: object) -> Response[str]:
    text = TEMPLATES.get_template(template).render(**values)
    return Response(text, status_code=status_code, media_type=MediaType.HTML, headers=PAGE_HEADERS)


def lost_page() -> Response[str]:
    return page("message.html", status_code=400, title="Innloggingen er for gammel", text=LOST)


LOST = (
    "Forespørselen er ukjent, brukt eller eldre enn ti minutter. Gå tilbake til programmet du kom "
    "fra, og begynn på nytt. (The request is unknown, used or too old. It must have been pushed: "
    "see /connect/par.)"
)


@get("/connect/authorize")
async def authorize(request: IssuerRequest, issuer: NamedDependency[Issuer]) -> Response[str]:
    """Nobody is remembered here, so `prompt=login` and `max_age` always get what they ask for."""
    request_uri = request.query_params.get("request_uri", "")
    asked = issuer.requests.get(request_uri, datetime.now(UTC))
    if asked is None or request.query_params.get("client_id") != asked.client_id:
        return lost_page()
    client = issuer.clients.registered(asked.client_id)
    name = client.metadata.client_name if client else ""
    return page(
        "login.html",
        client_name=name or asked.client_id,
        people=issuer.people,
        request_uri=request_uri,
    )


@post("/connect/authorize", status_code=303)
async def log_in(
    request: IssuerRequest, issuer: NamedDependency[Issuer]
) -> Response[str] | Redirect:
    now = datetime.now(UTC)
    try:
        form = parse_form(await request.body())
    except OAuthError:
        return lost_page()
    choice = form.get("person") or ""
    person = issuer.people.at(choice)
    if choice != CANCEL and person is None:
        return lost_page()
    asked = issuer.requests.take(form.get("request_uri") or "", now)
    if asked is None:
        return lost_page()
    return Redirect(_answer(issuer, asked, person, now), status_code=303, headers=NO_STORE)


def _answer(
    issuer: Issuer, asked: AuthorizationRequest, person: Person | None, now: datetime
) -> str:
    if person is None:
        values = {"error": "access_denied", "error_description": "the person cancelled"}
    else:
        values = {"code": _code(issuer, asked, person, now)}
    if asked.state is not None:
        values["state"] = asked.state
    return with_query(asked.redirect_uri, values | {"iss": issuer.url})


def _code(issuer: Issuer, asked: AuthorizationRequest, person: Person, now: datetime) -> str:
    code = secrets.token_urlsafe(32)
    grant = UserGrant(
        request=asked,
        person=person,
        session_id=secrets.token_hex(16).upper(),
        authenticated=now,
    )
    issuer.codes.put(code, grant, until=now + CODE_LIFE, now=now)
    return code


def with_query(uri: str, values: dict[str, str]) -> str:
    parts = urlsplit(uri)
    query = "&".join(filter(None, (parts.query, urlencode(values))))
    return parts._replace(query=query).geturl()
