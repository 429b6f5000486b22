"""A setup wizard: from nothing to a working token, with every step shown on the way.

Read it from `main` downwards. It needs the standard library, and `joserfc` for signatures:
    pip install joserfc
    python wizard.py --organization 310000019

For a wizard of your own: make the draft, open its page, show the steps, and ask again with
`Prefer: wait` until `outcome` is no longer `pending`. The service decides what the steps are.
"""

import argparse
import json
import sys
import threading
import time
import uuid
import webbrowser
from collections.abc import Callable, Sequence
from functools import partial
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypedDict
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import Request, urlopen

from joserfc import jwt
from joserfc.jwk import ECKey

ASSERTION = "client-authentication+jwt"
TOKEN_ATTEMPTS = 15
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
WAIT_SECONDS = 25  # the longest that the service holds a request
AGAIN_AFTER_SECONDS = 2  # when it is away
BROWSER_COMES_WITHIN = 3
MARKS = {"done": "✓", "current": "▶", "waiting": "…", "blocked": "·", "failed": "✗"}


class Step(TypedDict):
    """What this wizard uses of `OnboardingStep` in the service's document."""

    id: str
    status: str
    actorName: str
    title: dict[str, str]
    help: dict[str, str]
    actionUrl: str | None


class Onboarding(TypedDict):
    """What it uses of `Onboarding`."""

    outcome: str
    steps: list[Step]
    usableScopes: list[str]


class Draft(TypedDict):
    """And of `ClientDraftCreated`."""

    clientId: str
    confirmUrl: str
    onboardingUrl: str
    onboardingToken: str
    pairingCode: str
    activationUrl: str  # only where the system asks for activation


class Refused(Exception):
    """What the service said, in its own words: they say what to do."""


class Away(Exception):
    """No answer, or not now: ask again after so many seconds."""

    def __init__(self, why: str, seconds: int = AGAIN_AFTER_SECONDS) -> None:
        super().__init__(why)
        self.seconds = seconds


def main() -> int:
    options = read_options()
    key = installation_key(options.key_file)
    with Callback() as callback:
        draft = make_draft(options, key, callback.address)
        callback.returned = partial(activate, draft, key)
        open_page(options, draft)
        onboarding = follow(draft, options.language)
    if onboarding["outcome"] != "ready":
        return 1
    scopes = onboarding["usableScopes"]
    access_token(options.issuer, draft["clientId"], key, scopes)
    print(f"\nThe client {draft['clientId']} has a token for {', '.join(scopes)}.")
    return 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base-url", default="http://127.0.0.1:8080")
    parser.add_argument("--issuer", default="http://127.0.0.1:8081/sts")
    parser.add_argument("--api-key", default="sandbox-sky")
    parser.add_argument("--organization", required=True, metavar="NUMBER")
    parser.add_argument("--claim", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--key-file", type=Path, default=Path("client-key.json"))
    parser.add_argument("--language", choices=["nb", "nn", "en"], default="en")
    parser.add_argument("--no-browser", action="store_true", help="print the link instead")
    return parser.parse_args()


def installation_key(file: Path) -> ECKey:
    """Kept for this user alone. Keep the draft, too, to go on with it after a new start."""
    if file.exists():
        return ECKey.import_key(json.loads(file.read_text("utf-8")))
    key = ECKey.generate_key("P-256")
    file.touch(mode=0o600)
    file.write_text(json.dumps(key.as_dict(private=True)), "utf-8")
    return key


def signed(key: ECKey, typ: str, claims: dict[str, Any], **header: Any) -> str:
    now = int(time.time())
    times = {"iat": now, "exp": now + 60, "jti": str(uuid.uuid4())}
    return jwt.encode({"alg": "ES256", "typ": typ, **header}, times | claims, key)


def make_draft(options: argparse.Namespace, key: ECKey, callback: str) -> Draft:
    claims = [claim.partition("=") for claim in options.claim]
    asked = {
        "organizationNumber": options.organization,
        "publicJwk": key.as_dict(private=False) | {"alg": "ES256"},
        "audienceSpecificClientClaims": [{"key": name, "value": text} for name, _, text in claims],
        "postClientConfirmationRedirectUri": callback,
    }
    headers = {"api-key": options.api_key}
    draft: Draft = call("POST", f"{options.base_url}/v1/client-drafts", headers, asked).json
    return draft


def open_page(options: argparse.Namespace, draft: Draft) -> None:
    print(f"Confirm here:  {draft['confirmUrl']}")
    print(f"Pairing code:  {draft['pairingCode']}\n", flush=True)
    if not options.no_browser:
        webbrowser.open(draft["confirmUrl"])


class Callback:
    """Where the browser comes back to: a server on this machine, for one visit."""

    def __enter__(self) -> "Callback":
        wizard, self.visited = self, threading.Event()
        self.returned: Callable[[str], None] = print

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                for code in parse_qs(urlsplit(self.path).query).get("code", []):
                    wizard.returned(code)
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.end_headers()
                self.wfile.write(b"Du kan lukke dette vinduet. / You can close this.")
                wizard.visited.set()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/callback"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.visited.wait(BROWSER_COMES_WITHIN)  # a no is known here before the browser is back
        self._server.shutdown()


def activate(draft: Draft, key: ECKey, code: str) -> None:
    """Show that the person who confirmed came back to this program and no other."""
    client_id, url = draft["clientId"], draft["activationUrl"]
    claims = {"iss": client_id, "sub": client_id, "aud": url, "code": code}
    try:
        call("POST", url, {}, {"activation": signed(key, "key-proof+jwt", claims)})
    except Away as away:
        time.sleep(away.seconds)
        activate(draft, key, code)
    except Refused as refused:
        print(refused, file=sys.stderr)


def follow(draft: Draft, language: str) -> Onboarding:
    """Show the steps, and wait for what changes: nothing is polled, and nothing is missed."""
    shown: dict[str, str] = {}
    headers = {"Authorization": f"Bearer {draft['onboardingToken']}"}
    while True:
        try:
            answer = call("GET", draft["onboardingUrl"], headers, refusals=(304,))
        except Away as away:
            time.sleep(away.seconds)
            continue
        if answer.status == 200:
            onboarding: Onboarding = answer.json
            for step in onboarding["steps"]:
                show(step, language, shown)
            if onboarding["outcome"] != "pending":
                return onboarding
        # From the second time on: only when something is new, and as soon as it is.
        headers |= {"If-None-Match": answer.headers["ETag"], "Prefer": f"wait={WAIT_SECONDS}"}


def show(step: Step, language: str, shown: dict[str, str]) -> None:
    """A line for each step that is new or has moved, with the help and link of who must act."""
    line = f"{MARKS.get(step['status'], '?')} {step['title'][language]}"
    if step["status"] in ("current", "waiting"):
        line += f" ({step['actorName']})"
    if step["status"] in ("current", "waiting", "failed"):
        line += f"\n    {step['help'][language]}"
        if step["actionUrl"]:
            line += f"\n    {step['actionUrl']}"
    if shown.get(step["id"]) != line:
        shown[step["id"]] = line
        print(line, flush=True)


def access_token(issuer: str, client_id: str, key: ECKey, scopes: list[str]) -> str:
    """The issuer answers the first request with a nonce, and the second with the token.

    It may want a newer nonce at any time, and may learn of a new client some seconds late.
    """
    url, nonce = f"{issuer}/connect/token", None
    for attempt in range(TOKEN_ATTEMPTS):
        who = {"iss": client_id, "sub": client_id, "aud": issuer}
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "scope": " ".join(scopes),
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": signed(key, ASSERTION, who, kid=key.thumbprint()),
        }
        # Without a token. A proof beside one has its hash, too (RFC 9449, `ath`).
        this = {"htm": "POST", "htu": url} | ({"nonce": nonce} if nonce else {})
        headers = {"DPoP": signed(key, "dpop+jwt", this, jwk=key.as_dict(private=False))}
        answer = call("POST", url, headers, urlencode(form).encode(), refusals=(400,))
        if answer.status == 200:
            return str(answer.json["access_token"])
        error, nonce = answer.json.get("error"), answer.headers["DPoP-Nonce"]
        if error == "invalid_client" and attempt < TOKEN_ATTEMPTS - 1:
            time.sleep(1)
        elif error != "use_dpop_nonce":
            raise Refused(f"{answer.json.get('error')}: {answer.json.get('error_description')}")
    raise Refused("The issuer did not take its own nonces.")


class Answer:
    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers = status, headers
        self.json: Any = json.loads(body) if "json" in headers.get("Content-Type", "") else None


def call(
    method: str, url: str, headers: dict[str, str], body: Any = None, refusals: Sequence[int] = ()
) -> Answer:
    """With JSON, or with the octets of a form. `refusals` are those that the caller understands."""
    if body is not None and not isinstance(body, bytes):
        body, headers = json.dumps(body).encode(), headers | {"Content-Type": "application/json"}
    try:
        with answered(Request(url, body, headers, method=method)) as response:
            answer = Answer(response.status, response.headers, response.read())
    except (OSError, HTTPException, ValueError) as error:
        raise Away(f"{url}: {error}") from None
    if answer.status in (429, 502, 503, 504):
        raise Away(said(answer), int(answer.headers.get("Retry-After", AGAIN_AFTER_SECONDS)))
    if answer.status >= 300 and answer.status not in refusals:
        raise Refused(said(answer))
    return answer


def answered(request: Request) -> Any:
    try:
        return urlopen(request, timeout=WAIT_SECONDS + 15)
    except HTTPError as refusal:
        return refusal  # which is an answer like others


def said(answer: Answer) -> str:
    problem: dict[str, Any] = answer.json or {}
    faults = [f"  {one['pointer']}: {one['detail']}" for one in problem.get("errors", [])]
    return "\n".join([f"{answer.status} {problem.get('detail', '')}", *faults])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Away, Refused) as why:
        sys.exit(str(why))
