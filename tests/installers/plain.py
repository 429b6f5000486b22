"""An installer without habits of its own: what the tests of single rules start from."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Self, TypeAlias
from uuid import uuid4

import httpx2

from tests.installers.issuer import ask_with_proof
from tests.installers.keys import (
    ASSERTION_TYPE,
    InstallersKey,
    assertion,
    ec_key,
    key_proof,
    proof,
)
from tests.sandboxes import Ready

CLIENT_SCOPE = "nhn:selvbetjening/client"
ORGANIZATION = "310000019"
JSON = {"Content-Type": "application/json"}
Content: TypeAlias = bytes | Iterable[bytes]
Headers: TypeAlias = Mapping[str, str]
EPJ, EDI, VKP, REVOKED = "sandbox-epj", "sandbox-edi", "sandbox-vkp", "sandbox-revoked"


class PlainInstaller:
    def __init__(
        self,
        service: Ready,
        http: httpx2.Client,
        key: InstallersKey | None = None,
        *,
        organization: str = ORGANIZATION,
        api_key: str = EPJ,
    ) -> None:
        self.service = service
        self.http = http
        self.key = key or ec_key()
        self.organization = organization
        self.api_key = api_key
        self.client_id = ""
        self.token = ""
        self.assertion_claims: dict[str, Any] = {}

    def body(self, **more: Any) -> dict[str, Any]:
        """A draft that is fine. A member that is None is sent as null."""
        standard = {
            "organizationNumber": self.organization,
            "publicJwk": json.dumps(self.key.members),
            "postClientConfirmationRedirectUri": "http://localhost:1337/callback",
        }
        return standard | more

    def draft(self, **more: Any) -> httpx2.Response:
        return self.post_draft(json.dumps(self.body(**more)).encode())

    def post_draft(self, content: Content, headers: Headers | None = None) -> httpx2.Response:
        answer = self.http.post(
            f"{self.service.base_url}/v1/client-drafts",
            content=content,
            headers={"api-key": self.api_key, **JSON, **(headers or {})},
        )
        if answer.is_success:
            self.client_id = answer.json()["clientId"]
        return answer

    def decide(self, decision: str = "approve") -> httpx2.Response:
        """What a person would do at the page, by the sandbox's control."""
        address = f"{self.service.control_url}/clients/{self.client_id}/decision"
        return self.http.post(address, json={"decision": decision})

    def approve(self, decision: str = "approve", **what: str) -> httpx2.Response:
        """What an API's owner would do."""
        body = {"clientId": self.client_id, "decision": decision, **what}
        return self.http.post(f"{self.service.control_url}/approvals", json=body)

    def pass_time(self, seconds: float) -> dict[str, Any]:
        """Move the sandbox's time on; what has happened on the way."""
        answer = self.http.post(
            f"{self.service.control_url}/clock/advance", json={"seconds": seconds}, timeout=120
        )
        assert answer.status_code == 200, answer.text
        moved: dict[str, Any] = answer.json()
        return moved

    def set_up(self, **more: Any) -> Self:
        """From the draft to the token."""
        assert (answer := self.draft(**more)).status_code == 201, answer.text
        decided = self.decide()
        assert decided.json()["status"] == "Success", decided.text
        self.log_in()
        return self

    def log_in(self, **form: Any) -> httpx2.Response:
        answer = self.ask_for_token(**form)
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]
        return answer

    def ask_for_token(self, *, bound: bool = True, **form: str | None) -> httpx2.Response:
        endpoint = self.token_endpoint
        if not bound:
            return self.http.post(endpoint, data=self.form(**form))
        return ask_with_proof(
            self.http,
            endpoint,
            lambda: self.form(**form),
            lambda nonce: proof(self.key, "POST", endpoint, nonce=nonce),
        )

    @property
    def token_endpoint(self) -> str:
        return f"{self.service.issuer}/connect/token"

    def form(self, **changes: str | None) -> dict[str, str]:
        """A field that is None is left out."""
        fields = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "scope": CLIENT_SCOPE,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
        }
        return {name: value for name, value in (fields | changes).items() if value is not None}

    def assertion(self, **changes: Any) -> str:
        return assertion(
            self.client_id,
            self.service.issuer,
            self.key,
            **({"seconds": 10} | self.assertion_claims | changes),
        )

    def url(self, path: str) -> str:
        return f"{self.service.base_url}/v1/{path}"

    def proof(self, method: str, path: str, **changes: Any) -> str:
        url = self.url(path).partition("?")[0]
        return proof(self.key, method, url, **({"token": self.token} | changes))

    def authorization(self, method: str, path: str) -> dict[str, str]:
        return {"Authorization": f"DPoP {self.token}", "DPoP": self.proof(method, path)}

    def call(
        self,
        method: str,
        path: str,
        content: Content | None = None,
        headers: Headers | None = None,
    ) -> httpx2.Response:
        """With a token and a new proof, unless `headers` say otherwise; a body is JSON."""
        sent = self.authorization(method, path) | (JSON if content is not None else {})
        sent |= headers or {}
        return self.http.request(method, self.url(path), content=content, headers=sent)

    def put_client(self, body: object, headers: Headers | None = None) -> httpx2.Response:
        return self.call("PUT", "client", json.dumps(body).encode(), headers)

    def post_key(self, jwk: object, headers: Headers | None = None) -> httpx2.Response:
        return self.call("POST", "client-secret", json.dumps(jwk).encode(), headers)

    def check_key(self, key: InstallersKey) -> dict[str, Any]:
        """Whether the issuer takes `key`, asked with a proof that it has signed."""
        path = f"client-secret/{key.thumbprint}/checks"
        proof = key_proof(key, self.client_id, self.url(path), jti=uuid4().hex)
        answer = self.call("POST", path, json.dumps({"proof": proof}).encode())
        assert answer.status_code == 200, answer.text
        checked: dict[str, Any] = answer.json()
        return checked

    def client(self) -> dict[str, Any]:
        answer = self.call("GET", "client")
        assert answer.status_code == 200, answer.text
        client: dict[str, Any] = answer.json()
        return client

    def onboarding(self) -> dict[str, Any]:
        """What it lacks, asked with its own token."""
        answer = self.call("GET", f"onboardings/{self.client_id}")
        assert answer.status_code == 200, answer.text
        onboarding: dict[str, Any] = answer.json()
        return onboarding

    def scopes(self) -> dict[str, tuple[str, str | None]]:
        """Each scope's status, and the code of the reason."""
        return {
            entry["scope"]: (entry["status"], entry["statusReasonCode"])
            for entry in self.client()["apiScopes"]
        }

    def live_keys(self) -> list[dict[str, Any]]:
        answer = self.call("GET", "client-secret")
        assert answer.status_code == 200, answer.text
        keys: list[dict[str, Any]] = answer.json()
        return keys
