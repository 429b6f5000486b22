"""Client authentication: private_key_jwt (RFC 7523), with the real clients' habits."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.sandbox.token_issuer.client_store import Client
from app.sandbox.token_issuer.errors import OAuthError, invalid_client
from app.sandbox.token_issuer.forms import Form
from app.sandbox.token_issuer.issuer import Issuer
from app.sandbox.token_issuer.jose import (
    NotAToken,
    UnverifiedToken,
    as_moment,
    is_signed_by,
    read_unverified,
)

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
STRICT_TYP = "client-authentication+jwt"

MAX_LIFE = timedelta(seconds=60)
SKEW = timedelta(seconds=5)
MAX_JTI_LENGTH = 256


def authenticate(issuer: Issuer, form: Form, now: datetime) -> tuple[Client, Mapping[str, Any]]:
    """The client, and the claims of its assertion. The assertion is spent by this."""
    assertion, unverified = _unverified_assertion(form)
    client = _client(issuer, form, unverified, now)
    check_signature(client, assertion, unverified, now)
    claims = unverified.claims
    _check_audience(issuer, unverified)
    ends = _check_times(claims, now)
    spent_name = f"{client.client_id} {_jti(claims)}"
    if not issuer.used_assertions.spend(spent_name, until=ends + SKEW, now=now):
        raise invalid_client("this assertion was used before: make a new jti for each request")
    return client, claims


def _unverified_assertion(form: Form) -> tuple[str, UnverifiedToken]:
    assertion = form.get("client_assertion")
    if assertion is None or form.get("client_assertion_type") != ASSERTION_TYPE:
        raise invalid_client(f"client_assertion and the type {ASSERTION_TYPE} are needed")
    try:
        unverified = read_unverified(assertion)
    except NotAToken as error:
        raise invalid_client(f"client_assertion: {error}") from error
    typ = unverified.header.get("typ", "JWT")
    if not isinstance(typ, str) or typ.lower() not in ("jwt", STRICT_TYP):
        raise invalid_client(f"client_assertion: typ must be {STRICT_TYP}")
    return assertion, unverified


def _client(issuer: Issuer, form: Form, unverified: UnverifiedToken, now: datetime) -> Client:
    subject = unverified.claims.get("sub")
    if not isinstance(subject, str) or unverified.claims.get("iss") != subject:
        raise invalid_client("client_assertion: iss and sub must both be the client_id")
    if form.get("client_id") not in (None, subject):
        raise invalid_client("client_id is another than the assertion's sub")
    client = issuer.clients.in_effect(subject, now)
    if client is None:
        raise invalid_client("unknown client")
    if client.metadata.blocked:
        raise invalid_client("the client is blocked")
    return client


def check_signature(client: Client, token: str, unverified: UnverifiedToken, now: datetime) -> None:
    """`kid` is a hint: old clients put another key's there. The named key is tried first."""
    kid = unverified.header.get("kid")
    keys = sorted(client.keys, key=lambda key: key.kid != kid)
    fitting = next((key for key in keys if is_signed_by(token, key.key)), None)
    if fitting is None:
        raise invalid_client("no key of the client fits the signature")
    if not fitting.is_live(now):
        raise invalid_client(f"the key {fitting.thumbprint} has ended")


def _check_audience(issuer: Issuer, unverified: UnverifiedToken) -> None:
    audience = unverified.claims.get("aud")
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    accepted = {issuer.url}
    if str(unverified.header.get("typ", "")).lower() != STRICT_TYP:
        accepted |= {issuer.token_endpoint, issuer.par_endpoint}
    if not isinstance(audience, str) or audience.removesuffix("/") not in accepted:
        raise invalid_client(f"client_assertion: aud must be {issuer.url} alone")


def _check_times(claims: Mapping[str, Any], now: datetime) -> datetime:
    """When the assertion ends. Some clients send `iat` and `nbf` as strings."""
    ends = as_moment(claims.get("exp"))
    if ends is None:
        raise invalid_client("client_assertion: exp is missing or not a number")
    if ends <= now - SKEW:
        raise invalid_client("client_assertion: has expired")
    if ends > now + MAX_LIFE + SKEW:
        raise invalid_client(f"client_assertion: lives longer than {MAX_LIFE.seconds} s")
    for name in ("iat", "nbf"):
        _check_not_in_the_future(name, claims.get(name), now)
    return ends


def _check_not_in_the_future(name: str, value: object, now: datetime) -> None:
    if value is None:
        return
    moment = as_moment(int(value) if isinstance(value, str) and _is_digits(value) else value)
    if moment is None:
        raise invalid_client(f"client_assertion: {name} is not a time")
    if moment > now + SKEW:
        raise invalid_client(f"client_assertion: {name} is in the future")


def _is_digits(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 16


def _jti(claims: Mapping[str, Any]) -> str:
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI_LENGTH:
        raise invalid_client(f"client_assertion: jti must be 1 to {MAX_JTI_LENGTH} characters")
    return jti


def check_grant_type(client: Client, grant_type: str) -> None:
    if grant_type not in client.metadata.grant_types:
        raise OAuthError("unauthorized_client", f"the client may not use {grant_type}")
