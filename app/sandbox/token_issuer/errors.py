"""Refusals in OAuth's form. Every one of them is HTTP 400, also the ones other servers call 401."""

from collections.abc import Mapping


class OAuthError(Exception):
    def __init__(
        self, error: str, description: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.headers = dict(headers or {})


def invalid_client(description: str) -> OAuthError:
    return OAuthError("invalid_client", description)


def invalid_request(description: str) -> OAuthError:
    return OAuthError("invalid_request", description)
