"""What the scopes mean: whose API they open, and which of them are about a person."""

from collections.abc import Iterable

from app.sandbox.token_issuer.errors import OAuthError

CLIENT_INFO = "helseid://scopes/client/info"
OFFLINE_ACCESS = "offline_access"

# About the person who logs in: they are for users only and belong to no API.
IDENTITY_SCOPES = (
    "openid",
    "profile",
    OFFLINE_ACCESS,
    "helseid://scopes/client/client_name",
    "helseid://scopes/identity/assurance_level",
    "helseid://scopes/identity/pid",
    "helseid://scopes/identity/pid_pseudonym",
    "helseid://scopes/identity/security_level",
    "helseid://scopes/identity/network",
    "helseid://scopes/hpr/hpr_number",
    "nhn:tillitsrammeverk:parameters",
    "nhn:sfm:journal-id",
)
OWN_SCOPES = (*IDENTITY_SCOPES, CLIENT_INFO)

# Scopes that no bearer token is given for. The others go with a proof and without one: a request
# with a proof always gets a DPoP token, also for the scopes that are old enough to be bearer-only,
# because some clients cannot read another answer.
DPOP_ONLY = frozenset(
    {
        "e-helse:sfm.api/sfm.api2",
        "e-helse:sfm.api/sfm-migrering.api2",
        "nhn:cppa/access-with-dpop",
        "nhn:parek/rekvisisjon",
        "nhn:fullmakt/read",
        "nhn:maternity-record/api",
    }
)

# The client's own management, which no other organisation has a say in.
OWN_AUDIENCE = "nhn:selvbetjening"


def audience_of(scope: str) -> str:
    return scope.partition("/")[0]


def asked_scopes(text: str | None) -> list[str]:
    return list(dict.fromkeys((text or "").split()))


def api_scopes(scopes: Iterable[str]) -> list[str]:
    return [scope for scope in scopes if scope not in OWN_SCOPES]


def refuse_scopes(scopes: list[str], allowed: Iterable[str]) -> None:
    """All the scopes that are not allowed are named at once."""
    outside = sorted(set(scopes) - set(allowed))
    if outside:
        raise OAuthError("invalid_scope", f"not allowed for this client: {' '.join(outside)}")


def narrowed_to(scopes: list[str], resources: list[str]) -> list[str]:
    """The scopes of the named audiences, and those that belong to none (RFC 8707)."""
    if not resources:
        return scopes
    unknown = set(resources) - {audience_of(scope) for scope in api_scopes(scopes)}
    if unknown:
        names = " ".join(sorted(unknown))
        raise OAuthError("invalid_target", f"no scope of this request belongs to: {names}")
    return [s for s in scopes if s in OWN_SCOPES or audience_of(s) in resources]
