"""How the story looks in a terminal: plain text, with colours where they can be seen."""

import os
import sys
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import click
import httpx2
import msgspec

SHOWN_OF_A_SECRET = 18
LONGEST_VALUE = 96
# Tokens, signatures and keys: nobody reads them, and the first ones belong to their owner.
SECRETS = frozenset(
    {"Authorization", "DPoP", "access_token", "client_assertion", "activation", "x", "y"}
)
ALWAYS_ALIKE = frozenset({"client_assertion_type"})


class Teller:
    """Prints step by step. NO_COLOR is honoured (no-color.org)."""

    def __init__(self) -> None:
        self._steps = 0
        self._colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def headline(self, text: str) -> None:
        self._steps += 1
        self._print("")
        self._print(f"{self._steps}. {text}", bold=True, fg="cyan")

    def say(self, text: str) -> None:
        for line in text.splitlines():
            self._print(f"   {line}")

    def sent(
        self, method: str, url: str, headers: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> None:
        self._print(f"   → {method} {url}", fg="yellow")
        for name, value in {**headers, **(body or {})}.items():
            if name not in ALWAYS_ALIKE:
                self._member(name, value)

    def answered(self, answer: httpx2.Response, members: Sequence[str]) -> None:
        """The status, and of headers and body what is named."""
        status = HTTPStatus(answer.status_code)
        self._print(f"   ← {status.value} {status.phrase}", fg="red" if status >= 400 else "green")
        body = answer.json() if answer.content else {}
        for name in members:
            if name in answer.headers:
                self._member(name, answer.headers[name])
            elif name in body:
                self._member(name, body[name])

    def scopes(self, client: Mapping[str, Any]) -> None:
        for scope in client["apiScopes"]:
            pending = scope["status"] != "ok"
            why = f" ({scope['statusReason']})" if scope["statusReason"] else ""
            line = f"       {scope['scope']}: {scope['status']}{why}"
            self._print(line, fg="magenta" if pending else "green")

    def _member(self, name: str, value: object) -> None:
        self._print(f"       {name}: {_shown(name, value)}", dim=True)

    def _print(self, text: str, **style: Any) -> None:
        click.echo(click.style(text, **style) if self._colours else text)


def _shown(name: str, value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if name in SECRETS:
        return f"{text[:SHOWN_OF_A_SECRET]}… ({len(text)} characters)"
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
