"""Logging in and out at Altinn's pages: a test person is chosen by a button."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn_pages.visitors import COOKIE, ROOT, login_cookie, page_after_login
from app.sandbox.token_issuer.forms import NO_STORE, IssuerRequest, parse_form
from app.sandbox.token_issuer.login import page


@get("/login")
async def login_page(request: IssuerRequest, altinn: NamedDependency[Altinn]) -> Response[str]:
    back = page_after_login(request.query_params.get("next"))
    return page("altinn_login.html", people=altinn.people, root=ROOT, back=back)


@post("/login", status_code=303)
async def log_in(request: IssuerRequest, altinn: NamedDependency[Altinn]) -> Redirect:
    form = parse_form(await request.body())
    person = altinn.people.at(form.get("person") or "")
    back = page_after_login(form.get("next"))
    cookies = [login_cookie(person)] if person else []
    return Redirect(back, status_code=303, headers=NO_STORE, cookies=cookies)


@post("/logout", status_code=303)
async def log_out() -> Redirect:
    answer = Redirect(ROOT, status_code=303, headers=NO_STORE)
    answer.delete_cookie(COOKIE, path="/am-ui")
    return answer
