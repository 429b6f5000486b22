"""Calls as the page shows them: which ones, why they were refused, and how to make them again."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from app.sandbox.journal.entries import LEAST_REFUSAL, Entry, Journal
from app.sandbox.journal.masking import MASK
from app.sandbox.journal.recording import WANTS_NONCE
from app.sandbox.neighbours import Neighbours

MOST_CALLS = 40
OF_INSTALLERS = ("service", "issuer")
RECEIVERS = {
    "": "service and issuer",
    "service": "the service",
    "issuer": "the token issuer",
    "everybody": "everybody, Altinn too",
}
# What the journal masks; whoever sends the call again puts his own there.
OWN = {"authorization": "Authorization: DPoP $ACCESS_TOKEN", "api-key": "api-key: $API_KEY"}


class Query(Struct, frozen=True, kw_only=True):
    """What somebody looks for. It stands in the page's address."""

    find: str = ""
    lang: str = "en"
    client: str = ""
    path: str = ""
    to: str = ""
    refused: str = ""

    @property
    def all_calls(self) -> bool:
        return not (self.client or self.path or self.to or self.refused)


def with_changes(query: Query, **changes: str) -> str:
    """The page's address, where something else is looked for."""
    sought = msgspec.structs.asdict(query) | changes
    words = {name: value for name, value in sought.items() if value}
    return f"?{urlencode(words)}"


def of_journal(journal: Journal, query: Query) -> dict[str, Any]:
    """The newest of those that are looked for, newest first."""
    found = [call for call in _found(journal, query) if call.id]
    shown = found[-MOST_CALLS:][::-1]
    return {"calls": shown, "more_calls": len(found) - len(shown), "receivers": RECEIVERS}


def _found(journal: Journal, query: Query) -> Iterator[Entry]:
    for call in journal.found(path=query.path or None, refused=bool(query.refused)):
        if query.client and not (call.client_id or "").startswith(query.client.strip()):
            continue
        if query.to != "everybody" and not _is_asked(call, query.to):
            continue
        yield call


def _is_asked(call: Entry, to: str) -> bool:
    """By an installer. What the service asks of the issuer is no concern of his."""
    wanted = (to,) if to else OF_INSTALLERS
    own = call.path.startswith(("/sts/connect/register", "/sts/.well-known"))
    return call.to in wanted and not own


def reasons(call: Entry) -> str:
    """Why it was refused, in a few words."""
    if is_handshake(call):
        return "sends its nonce: nothing is wrong"
    wrong = [check.name for check in call.checks if not check.ok]
    if wrong:
        return ", ".join(wrong)
    answer = call.answer if isinstance(call.answer, dict) and _is_refused(call) else {}
    return str(answer.get("title") or answer.get("error") or "")


def is_handshake(call: Entry) -> bool:
    """The issuer's first answer to everybody, which only tells its nonce."""
    return isinstance(call.answer, dict) and call.answer.get("error") == WANTS_NONCE


def kind(call: Entry) -> str:
    if is_handshake(call):
        return "waiting"
    return "failed" if _is_refused(call) else "ok"


def errors(call: Entry) -> Sequence[Mapping[str, str]]:
    """What its answer says is wrong."""
    answer = call.answer
    if not isinstance(answer, dict) or not _is_refused(call):
        return []
    told = answer.get("errors")
    if isinstance(told, list) and told:
        return [
            {"pointer": str(one.get("pointer", "")), "detail": str(one.get("detail", ""))}
            for one in told
            if isinstance(one, dict)
        ]
    said = answer.get("detail") or answer.get("error_description")
    return [{"pointer": "", "detail": str(said)}] if said else []


def _is_refused(call: Entry) -> bool:
    return call.status >= LEAST_REFUSAL


def shown(call: Entry) -> str:
    """All of a call but its checks, which are written out."""
    told = msgspec.to_builtins(msgspec.structs.replace(call, checks=[]))
    return json.dumps(
        {name: value for name, value in told.items() if value}, indent=2, ensure_ascii=False
    )


def as_curl(call: Entry, neighbours: Neighbours) -> str:
    """The call in a shell. Tokens, proofs and keys are the sender's to put in."""
    base = neighbours.base_url if call.to == "service" else neighbours.neighbours_url
    address = f"{base}{call.path}{f'?{call.query}' if call.query else ''}"
    parts = [f"curl -i -X {call.method} {shlex.quote(address)}"]
    for name, value in call.headers.items():
        if name in OWN:
            parts.append(f'-H "{OWN[name]}"')
        elif name != "user-agent" and MASK not in value:
            parts.append(f"-H {shlex.quote(f'{name}: {value}')}")
    if "DPoP" in call.jwts:
        parts.append('-H "DPoP: $PROOF"')
    return " \\\n  ".join([*parts, *_body(call)])


def _body(call: Entry) -> Iterator[str]:
    if call.body is None:
        return
    is_form = "form-urlencoded" in call.headers.get("content-type", "")
    if not is_form:
        yield f"-d {shlex.quote(json.dumps(call.body, ensure_ascii=False))}"
        return
    for name, value in call.body.items():
        is_masked = isinstance(value, str) and MASK in value
        said = f'"{name}=${name.upper()}"' if is_masked else shlex.quote(f"{name}={value}")
        yield f"--data-urlencode {said}"
