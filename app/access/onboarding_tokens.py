"""The token that comes with a draft and opens one onboarding, and nothing else (SECURITY.md 7.10).

It is made again whenever it is needed, so nothing of it is stored. Its `v1` names the key it is
made with; the client's own version is part of what is signed, so that raising it revokes what was
given out before.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import NewType
from uuid import UUID

OnboardingToken = NewType("OnboardingToken", str)
"""One that was presented and has the form of one. Nothing of it has been checked."""

KEY = "v1"
FIRST_VERSION = 1
_FORM = re.compile(r"v[0-9]{1,9}\.[A-Za-z0-9_-]{43}")


def onboarding_token(client_id: UUID, *, secret_key: str, version: int = FIRST_VERSION) -> str:
    said = b"onboarding token\0" + client_id.bytes + version.to_bytes(8)
    digest = hmac.digest(secret_key.encode(), said, sha256)
    return f"{KEY}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def looks_like_onboarding_token(token: str) -> bool:
    """Whether it can be one: an access token never has this form."""
    return _FORM.fullmatch(token) is not None


def opens_onboarding(
    token: OnboardingToken, client_id: UUID, *, secret_key: str, version: int
) -> bool:
    right = onboarding_token(client_id, secret_key=secret_key, version=version)
    return hmac.compare_digest(token.encode(), right.encode())


def opened_onboarding(
    token: OnboardingToken, client_id: UUID, *, secret_key: str, version: int
) -> bool:
    """Whether it did before it was revoked: who has it may know why it opens nothing now."""
    return any(
        opens_onboarding(token, client_id, secret_key=secret_key, version=earlier)
        for earlier in range(FIRST_VERSION, version)
    )
