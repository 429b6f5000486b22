"""The rules of a person's login: OpenID Connect's code flow with PKCE, state, nonce and `iss`.

Times here are real time: a login is not judged by the domain's clock.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from app.access.login_issuer import LoginRefused

ATTEMPT_LIFE = timedelta(minutes=10)
SESSION_LIFE = timedelta(minutes=30)
FRESH = timedelta(minutes=10)
"""A decision needs a login that is no older."""
LEEWAY = timedelta(seconds=5)


class CallbackAnswer(Struct, frozen=True):
    """What the browser brings back from the issuer (RFC 6749, RFC 9207). All of it unchecked."""

    code: str | None
    state: str | None
    iss: str | None
    error: str | None


class Standing(StrEnum):
    """Whether a person who has logged in may decide now."""

    GOOD = "good"
    TOO_OLD = "tooOld"
    TOO_WEAK = "tooWeak"


class LoginCancelled(LoginRefused):
    """The person turned round at the issuer."""


def new_secret() -> str:
    """A value of 256 random bits for a cookie, a state, a nonce or a PKCE verifier."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> bytes:
    """What is stored instead of a secret, so that a read of the table opens nothing."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def code_challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def checked_state(answer: CallbackAnswer, *, cookie: str | None) -> str:
    """The state, if this browser is the one that began."""
    state = answer.state or ""
    mine = hmac.compare_digest(digest_of(state), digest_of(cookie or ""))
    if not state or not mine:
        raise LoginRefused("the state is not that of this browser's attempt")
    return state


def issued_code(answer: CallbackAnswer, *, issuer: str) -> str:
    """The code of an answer that comes from the configured issuer (RFC 9207) and is a yes."""
    if answer.iss != issuer:
        raise LoginRefused("the answer's iss is not the configured issuer")
    if answer.error == "access_denied":
        raise LoginCancelled("access_denied")
    if answer.error is not None or not answer.code:
        raise LoginRefused("the issuer answered with an error")
    return answer.code


def pseudonym(subject: str, *, secret_key: str) -> str:
    """The person's name in the audit trail: keyed, because few subjects are quickly guessed."""
    said = b"person\0" + subject.encode()
    return hmac.digest(secret_key.encode(), said, "sha256").hex()[:32]


def standing(
    auth_time: datetime, security_level: int, *, required_level: int, now: datetime
) -> Standing:
    if security_level < required_level:
        return Standing.TOO_WEAK
    if not now - FRESH <= auth_time <= now + LEEWAY:
        return Standing.TOO_OLD
    return Standing.GOOD
