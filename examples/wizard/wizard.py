"""A setup wizard: from nothing to a working token, with every step shown on the way.

Read it from `main` downwards. It needs the standard library, and `joserfc` for signatures:
    pip install joserfc
    python wizard.py --organization 310000019

For a wizard of your own: make the draft, open its page, show the steps, and ask again with
`Prefer: wait` until `outcome` is no longer `pending`. The service decides what the steps are.
It may be ended at any time: started again, it goes on where it was.
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
from typing import Any
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
AT_THE_PAGE = ("waitingForConfirmation", "waitingForActivation")  # it leads back here
MARKS = {"done": "✓", "current": "▶", "waiting": "…", "blocked": "·", "failed": "✗"}

Json = dict[str, Any]  # as the service's document describes it


class Refused(Exception):
    """What the service said, in its own words: they say what to do."""


class Away(Exception):
    """No answer, or not now: ask again after so many seconds."""

    def __init__(self, why: str, seconds: int = AGAIN_AFTER_SECONDS) -> None:
        super().__init__(why)
        self.seconds = seconds


def main() -> int:
    options = read_options()
    kept = Kept(options.file or Path(f"client-{options.organization}.json"))
    with Callback(kept) as callback:
        if kept.draft:
            print(f"Going on with {kept.file}. To begin anew, remove it.\n", flush=True)
        else:
            kept.save()  # first: if the answer is lost, the next start asks for the same draft
            kept.draft = make_draft(options, kept.key, callback.address)
            kept.save()
        onboarding = follow(kept.draft, options, callback)
    if onboarding["outcome"] != "ready":
        return 1
    client_id, scopes = kept.draft["clientId"], onboarding["usableScopes"]
    access_token(options.issuer, client_id, kept.key, scopes)
    print(f"\nThe client {client_id} has a token for {', '.join(scopes)}.")
    return 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base-url", default="http://127.0.0.1:8080")
    parser.add_argument("--issuer", default="http://127.0.0.1:8081/sts")
    parser.add_argument("--api-key", default="sandbox-sky")
    parser.add_argument("--organization", required=True, metavar="NUMBER")
    parser.add_argument("--claim", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--file", type=Path, help="what is kept [client-NUMBER.json]")
    parser.add_argument("--language", choices=["nb", "nn", "en"], default="en")
    parser.add_argument("--no-browser", action="store_true", help="print the link instead")
    return parser.parse_args()


class Kept:
    """What this machine keeps of an installation, for this user alone."""

    def __init__(self, file: Path) -> None:
        kept = json.loads(file.read_text("utf-8")) if file.exists() else {}
        self.file = file
        self.key = ECKey.import_key(kept["key"]) if kept else ECKey.generate_key("P-256")
        self.port: int = kept.get("port", 0)  # where the browser comes back to; 0 is a free one
        self.draft: Json | None = kept.get("draft")

    def save(self) -> None:
        """In one step: whatever ends the wizard meanwhile, a whole file is there."""
        kept = {"key": self.key.as_dict(private=True), "port": self.port, "draft": self.draft}
        unfinished = self.file.with_name(f"{self.file.name}.new")
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(kept), "utf-8")
        unfinished.replace(self.file)


def signed(key: ECKey, typ: str, claims: Json, **header: Any) -> str:
    now = int(time.time())
    times = {"iat": now, "exp": now + 60, "jti": str(uuid.uuid4())}
    return jwt.encode({"alg": "ES256", "typ": typ, **header}, times | claims, key)


def make_draft(options: argparse.Namespace, key: ECKey, callback: str) -> Json:
    claims = [claim.partition("=") for claim in options.claim]
    asked = {
        "organizationNumber": options.organization,
        "publicJwk": key.as_dict(private=False) | {"alg": "ES256"},
        "audienceSpecificClientClaims": [{"key": name, "value": text} for name, _, text in claims],
        "postClientConfirmationRedirectUri": callback,
    }
    headers = {"api-key": options.api_key, "Idempotency-Key": key.thumbprint()}
    draft: Json = call("POST", f"{options.base_url}/v1/client-drafts", headers, asked).json
    return draft


class Callback:
    """Where the browser comes back to: a server on this machine, for one visit."""

    def __init__(self, kept: Kept) -> None:
        self.kept, self.awaited, self.visited = kept, False, threading.Event()

    def __enter__(self) -> "Callback":
        callback = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                for code in parse_qs(urlsplit(self.path).query).get("code", []):
                    activate(callback.kept, code)
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.end_headers()
                self.wfile.write(b"Du kan lukke dette vinduet. / You can close this.")
                callback.visited.set()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.kept.port), Handler)
        self.kept.port = self._server.server_port
        self.address = f"http://127.0.0.1:{self.kept.port}/callback"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        if self.awaited and not failure:
            self.visited.wait(BROWSER_COMES_WITHIN)  # a no is known here before it is back
        self._server.shutdown()


def activate(kept: Kept, code: str) -> None:
    """Show that the person who confirmed came back to this program and no other."""
    assert kept.draft
    client_id, url = kept.draft["clientId"], kept.draft["activationUrl"]
    claims = {"iss": client_id, "sub": client_id, "aud": url, "code": code}
    try:
        insist(
            lambda: call("POST", url, {}, {"activation": signed(kept.key, "key-proof+jwt", claims)})
        )
    except Refused as refused:
        print(refused, file=sys.stderr)


def follow(draft: Json, options: argparse.Namespace, callback: Callback) -> Json:
    """Show the steps, and wait for what changes: nothing is polled, and nothing is missed."""
    shown: dict[str, str] = {}
    headers = {"Authorization": f"Bearer {draft['onboardingToken']}"}
    while True:
        answer = insist(partial(call, "GET", draft["onboardingUrl"], headers, refusals=(304,)))
        if answer.status == 200:
            onboarding: Json = answer.json
            if onboarding["state"] in AT_THE_PAGE and not callback.awaited:
                callback.awaited = True
                open_page(options, draft)
            for step in onboarding["steps"]:
                show(step, options.language, shown)
            if onboarding["outcome"] != "pending":
                return onboarding
        # From the second time on: only when something is new, and as soon as it is.
        headers |= {"If-None-Match": answer.headers["ETag"], "Prefer": f"wait={WAIT_SECONDS}"}


def open_page(options: argparse.Namespace, draft: Json) -> None:
    print(f"Confirm here:  {draft['confirmUrl']}")
    print(f"Pairing code:  {draft['pairingCode']}\n", flush=True)
    if not options.no_browser:
        webbrowser.open(draft["confirmUrl"])


def show(step: Json, language: str, shown: dict[str, str]) -> None:
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
    url, nonce, why = f"{issuer}/connect/token", None, ""
    for _ in range(TOKEN_ATTEMPTS):
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
        error, nonce = answer.json["error"], answer.headers["DPoP-Nonce"]
        why = f"{error}: {answer.json.get('error_description')}"
        if error == "invalid_client":
            time.sleep(1)  # it does not say when it will know the client
        elif error != "use_dpop_nonce":
            break
    raise Refused(why)


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


def insist(ask: Callable[[], Answer]) -> Answer:
    """Until there is an answer. Who is away can only be asked again, when he has said or soon."""
    while True:
        try:
            return ask()
        except Away as away:
            time.sleep(away.seconds)


def answered(request: Request) -> Any:
    try:
        return urlopen(request, timeout=WAIT_SECONDS + 15)
    except HTTPError as refusal:
        return refusal  # which is an answer like others


def said(answer: Answer) -> str:
    problem: Json = answer.json or {}
    faults = [f"  {one['pointer']}: {one['detail']}" for one in problem.get("errors", [])]
    return "\n".join([f"{answer.status} {problem.get('detail', '')}", *faults])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Away, Refused, OSError) as why:
        sys.exit(str(why))
    except KeyboardInterrupt:
        sys.exit("Ended. Started again, it goes on from here.")
