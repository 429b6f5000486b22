"""Everything below /sts."""

from litestar import Response, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException

from app.sandbox.token_issuer.client_info import client_info, user_info
from app.sandbox.token_issuer.discovery import not_served, openid_configuration, published_keys
from app.sandbox.token_issuer.end_session import end_session
from app.sandbox.token_issuer.errors import OAuthError, invalid_request
from app.sandbox.token_issuer.forms import IssuerRequest, oauth_error
from app.sandbox.token_issuer.issuer import Issuer
from app.sandbox.token_issuer.login import authorize, log_in
from app.sandbox.token_issuer.pushed_requests import pushed_authorization_request
from app.sandbox.token_issuer.registration import (
    RegistrationError,
    registration_error,
    registration_router,
)
from app.sandbox.token_issuer.token_endpoint import token


def framework_error(request: IssuerRequest, error: HTTPException) -> Response[dict[str, str]]:
    """A body that is too large, say: in OAuth's words too."""
    return oauth_error(request, invalid_request(error.detail))


def issuer_router(issuer: Issuer) -> Router:
    return Router(
        path="/sts",
        route_handlers=[
            openid_configuration,
            published_keys,
            not_served,
            pushed_authorization_request,
            authorize,
            log_in,
            token,
            end_session,
            registration_router,
            client_info,
            user_info,
        ],
        dependencies={"issuer": Provide(lambda: issuer, sync_to_thread=False)},
        exception_handlers={
            OAuthError: oauth_error,
            RegistrationError: registration_error,
            HTTPException: framework_error,
        },
        include_in_schema=False,
    )
