"""What this service asks of the token issuer when a person logs in, whoever the issuer is."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from app.access.person_numbers import PersonNumber


class LoginRequest(Struct, frozen=True, kw_only=True):
    """A login that is about to begin. Only the issuer and we see what stands in it."""

    state: str
    nonce: str
    code_challenge: str
    redirect_uri: str
    language: str
    """Asked for with `ui_locales`; an issuer may not have it."""


class IssuedCode(Struct, frozen=True, kw_only=True):
    """What the browser brought back, with what is needed to turn it into an identity."""

    code: str
    code_verifier: str
    redirect_uri: str
    nonce: str


class Identity(Struct, frozen=True):
    """Who has logged in, in the issuer's own words, checked. Never logged."""

    subject: str
    """The issuer's name for the person, the same at each login."""
    name: str
    security_level: int
    """3 or 4; 0 when the issuer does not say."""
    auth_time: datetime
    person: PersonNumber | None = None
    """None where it is not asked for, or the issuer does not say."""


class LoginRefused(Exception):
    """What came back cannot be believed, or the person did not log in. The text is for the log."""


class LoginUnavailable(Exception):
    """The issuer gave no usable answer just now. The text is for the log."""


class LoginIssuer(Protocol):
    async def begin(self, request: LoginRequest) -> str:
        """The address to send the browser to. Raises `LoginUnavailable`."""
        ...

    async def finish(self, code: IssuedCode) -> Identity:
        """Who it was. Raises `LoginRefused` and `LoginUnavailable`."""
        ...
