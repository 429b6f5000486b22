"""Who has logged in at Altinn's pages, and what Altinn lets them do there."""

from urllib.parse import urlencode

from litestar.datastructures import Cookie
from litestar.response import Redirect

from app.sandbox.people import People, Person
from app.sandbox.token_issuer.forms import NO_STORE, IssuerRequest

ROOT = "/am-ui/accessmanagement/ui"
COOKIE = "sandbox-altinn-person"


class LoginNeeded(Exception):
    pass


def visitor(request: IssuerRequest, people: People) -> Person:
    """Anybody could write the cookie. They could as well press the button."""
    person = people.at(request.cookies.get(COOKIE, ""))
    if person is None:
        raise LoginNeeded
    return person


def to_login(request: IssuerRequest, _: LoginNeeded) -> Redirect:
    """Afterwards the person is taken to where the link led."""
    here = request.url.path
    back = f"{here}?{request.url.query}" if request.url.query else here
    query = urlencode({"next": back if request.method == "GET" else ROOT})
    return Redirect(f"{ROOT}/login?{query}", status_code=303, headers=NO_STORE)


def page_after_login(wanted: str | None) -> str:
    """One of these pages, wherever the address says to go."""
    inside = wanted is not None and (wanted == ROOT or wanted.startswith((f"{ROOT}/", f"{ROOT}?")))
    return str(wanted) if inside else ROOT


def login_cookie(person: Person) -> Cookie:
    return Cookie(key=COOKIE, value=person.slug, path="/am-ui", httponly=True, samesite="lax")
