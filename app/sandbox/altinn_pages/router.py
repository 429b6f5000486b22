"""Everything below /am-ui."""

from litestar import Response, Router
from litestar.di import Provide

from app.sandbox.altinn.altinn import Altinn
from app.sandbox.altinn.requests import RequestUnknown
from app.sandbox.altinn_pages.login import log_in, log_out, login_page
from app.sandbox.altinn_pages.requests import press, request_page, unknown_request
from app.sandbox.altinn_pages.rights import change_rights, rights_page
from app.sandbox.altinn_pages.visitors import ROOT, LoginNeeded, to_login
from app.sandbox.token_issuer.errors import OAuthError
from app.sandbox.token_issuer.forms import IssuerRequest
from app.sandbox.token_issuer.login import page


def unreadable_form(_: IssuerRequest, error: OAuthError) -> Response[str]:
    return page("message.html", status_code=400, title="Skjemaet kan ikke leses", text=str(error))


def altinn_pages_router(altinn: Altinn) -> Router:
    return Router(
        path=ROOT,
        route_handlers=[
            login_page,
            log_in,
            log_out,
            rights_page,
            change_rights,
            request_page,
            press,
        ],
        dependencies={"altinn": Provide(lambda: altinn, sync_to_thread=False)},
        exception_handlers={
            LoginNeeded: to_login,
            RequestUnknown: unknown_request,
            OAuthError: unreadable_form,
        },
        include_in_schema=False,
    )
