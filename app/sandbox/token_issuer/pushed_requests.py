"""POST /connect/par: the authorization request, checked before the browser is sent (RFC 9126)."""

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from litestar import Response, route
from litestar.di import NamedDependency

from app.sandbox.token_issuer.assertions import authenticate, check_grant_type, check_signature
from app.sandbox.token_issuer.authorization_details import (
    read_organizations,
    refuse_details_in_code_flow,
)
from app.sandbox.token_issuer.client_store import Client
from app.sandbox.token_issuer.errors import OAuthError, invalid_request
from app.sandbox.token_issuer.forms import (
    EVERY_METHOD,
    NO_STORE,
    Form,
    IssuerRequest,
    read_form,
)
from app.sandbox.token_issuer.grant_state import AuthorizationRequest
from app.sandbox.token_issuer.issuer import Issuer
from app.sandbox.token_issuer.jose import NotAToken, as_moment, read_unverified
from app.sandbox.token_issuer.proofs import check_proof
from app.sandbox.token_issuer.scopes import (
    IDENTITY_SCOPES,
    asked_scopes,
    narrowed_to,
    refuse_scopes,
)

REQUEST_URI_PREFIX = "urn:ietf:params:oauth:request_uri:"
# Long for a machine, but a person sits between: a page left open for a while still works.
LIFE = timedelta(minutes=10)
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
LOOPBACK_HOSTS = {"127.0.0.1", "::1", "localhost"}


@route("/connect/par", http_method=EVERY_METHOD)
async def pushed_authorization_request(
    request: IssuerRequest, issuer: NamedDependency[Issuer]
) -> Response[dict[str, Any]]:
    form = await read_form(request)
    proofs = request.headers.getall("dpop", [])
    request_uri = push_request(issuer, form, proofs, datetime.now(UTC))
    body = {"request_uri": request_uri, "expires_in": int(LIFE.total_seconds())}
    return Response(body, status_code=201, headers=NO_STORE)


def push_request(issuer: Issuer, form: Form, proofs: list[str], now: datetime) -> str:
    client, assertion = authenticate(issuer, form, now)
    check_grant_type(client, "authorization_code")
    refuse_details_in_code_flow(assertion)
    jkt = check_proof(issuer, client, proofs, issuer.par_endpoint, now)
    claims = _request_object(issuer, client, form, now)
    checked = _checked(client, _merged(form, claims), claims, jkt)
    request_uri = REQUEST_URI_PREFIX + secrets.token_urlsafe(32)
    issuer.requests.put(request_uri, checked, until=now + LIFE, now=now)
    return request_uri


def _request_object(issuer: Issuer, client: Client, form: Form, now: datetime) -> Mapping[str, Any]:
    """The claims of a signed request object (RFC 9101); none without one."""
    token = form.get("request")
    if token is None:
        return {}
    try:
        unverified = read_unverified(token)
    except NotAToken as error:
        raise invalid_request(f"HID-1007: request: {error}") from error
    check_signature(client, token, unverified, now)
    claims = unverified.claims
    ends = as_moment(claims.get("exp"))
    if claims.get("iss") != client.client_id or claims.get("aud") not in (
        issuer.url,
        f"{issuer.url}/",
    ):
        raise invalid_request("HID-1007: request: iss is the client_id and aud is the issuer")
    if ends is None or ends <= now:
        raise invalid_request("HID-1007: request: exp is missing or past")
    return claims


def _merged(form: Form, claims: Mapping[str, Any]) -> Form:
    resource = claims.get("resource", [])
    resources = resource if isinstance(resource, list) else [resource]
    values = {name: value for name, value in claims.items() if isinstance(value, str)}
    values.pop("resource", None)
    return form.replaced_by(values, [str(value) for value in resources])


def _checked(
    client: Client, form: Form, claims: Mapping[str, Any], jkt: str | None
) -> AuthorizationRequest:
    if form.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code")
    if form.get("response_mode") not in (None, "query"):
        raise invalid_request("response_mode must be query")
    challenge = form.required("code_challenge")
    if form.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(challenge):
        raise invalid_request("PKCE with code_challenge_method S256 is required")
    redirect_uri = form.required("redirect_uri")
    if not is_registered(redirect_uri, client.metadata.redirect_uris):
        raise invalid_request("redirect_uri is not registered for the client")
    scopes = asked_scopes(form.required("scope"))
    refuse_scopes(scopes, [*client.api_scopes, *IDENTITY_SCOPES])
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        scopes=narrowed_to(scopes, form.resources),
        code_challenge=challenge,
        state=form.get("state"),
        nonce=form.get("nonce"),
        organizations=read_organizations(client, claims),
        jkt=jkt or form.get("dpop_jkt"),
    )


def is_registered(uri: str, registered: list[str]) -> bool:
    """Exactly, but for the port of a loopback address (RFC 8252 section 7.3)."""
    return uri in registered or any(_same_but_port(uri, other) for other in registered)


def _same_but_port(uri: str, other: str) -> bool:
    try:
        one, two = urlsplit(uri), urlsplit(other)
        # Reading a port may raise; only an address that has a proper one is compared.
        _ = one.port, two.port
    except ValueError:
        return False
    loopback = one.scheme == "http" and one.hostname in LOOPBACK_HOSTS
    plain = "@" not in one.netloc and not one.fragment
    rest = (one.scheme, one.hostname, one.path, one.query)
    return loopback and plain and rest == (two.scheme, two.hostname, two.path, two.query)
