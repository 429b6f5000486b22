"""NorskHelsenett/Selvbetjening.Samples: C#, the official sample."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2

from tests.installers.issuer import ask_with_proof, discover
from tests.installers.keys import ASSERTION_TYPE, InstallersKey, assertion, proof, rsa_key
from tests.sandboxes import Ready

CLIENT_SCOPE = "nhn:selvbetjening/client"
SCOPES = [CLIENT_SCOPE, "nhn:kjernejournal/innlogging", "nhn:pit/api.read"]
JSON_UTF_8 = {"Accept": "application/json", "Content-Type": "application/json; charset=utf-8"}
FIXED_UPDATE = {
    "apiScopes": [CLIENT_SCOPE, "magnusbv:api/api"],
    "redirectUris": ["http://localhost:1337/callback", "http://localhost:1337/other"],
}


class ClientStops(Exception):
    """What makes the sample print a message and end."""


def csharp_json(value: object) -> bytes:
    """System.Text.Json: null members left out, and what could end an HTML attribute escaped."""
    text = json.dumps(_without_nulls(value), separators=(",", ":"))
    text = text.replace('\\"', "\\u0022")
    for character in "&'+<>`":
        text = text.replace(character, f"\\u{ord(character):04X}")
    return text.encode("ascii")


def _without_nulls(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _without_nulls(v) for name, v in value.items() if v is not None}
    return value


def streamed(body: bytes) -> Iterator[bytes]:
    """Without a length, hence chunked."""
    yield body[:200]
    yield body[200:]


class Samples:
    assertion_typ: str = "client-authentication+jwt"
    confirmation_query = "?redirectPort=<port>&redirectPath=<path>"

    def __init__(
        self, service: Ready, http: httpx2.Client, *, use_dpop: bool = True, version: str = "v1"
    ) -> None:
        self.service = service
        self.use_dpop = use_dpop
        self.api = f"{service.base_url}/{version}"
        self.http = http
        self.key = self.new_key()
        self.client_id = ""

    @staticmethod
    def new_key() -> InstallersKey:
        return rsa_key(2048, "RS512")

    def draft_body(self, redirect_address: str | None) -> dict[str, Any]:
        return {
            "organizationNumber": "310000019",
            "publicJwk": json.dumps(self.key.members, separators=(",", ":")),
            "apiScopes": SCOPES,
            "audienceSpecificClientClaims": None,
            "redirectUris": ["http://localhost:1337/callback"],
            "postLogoutRedirectUris": None,
            "childOrganizationNumbers": None,
            "postClientConfirmationRedirectUri": redirect_address,
        }

    def create_draft(self, redirect_address: str | None) -> httpx2.Response:
        answer = self.http.post(
            f"{self.api}/client-drafts",
            content=streamed(csharp_json(self.draft_body(redirect_address))),
            headers={"api-key": self.service.api_key, **JSON_UTF_8},
        )
        if answer.is_success:
            self.client_id = answer.json()["clientId"]
        return answer

    def confirm_link(self) -> str:
        """The settings' address, whose placeholders nobody fills in any more."""
        return f"{self.service.base_url}/confirm-client/{self.client_id}{self.confirmation_query}"

    def fetch_token(self) -> str:
        """Discovery is asked each time."""
        endpoint = discover(self.http, self.service.issuer)["token_endpoint"]
        if not self.use_dpop:
            answer = self.http.post(endpoint, data=self._form())
        else:
            answer = ask_with_proof(
                self.http,
                endpoint,
                self._form,
                lambda nonce: self._proof("POST", endpoint, nonce=nonce),
            )
        if not answer.is_success:
            raise ClientStops(answer.text)
        token = answer.json()
        if token["token_type"] != ("DPoP" if self.use_dpop else "Bearer"):
            raise ClientStops(token["token_type"])
        access_token: str = token["access_token"]
        return access_token

    def _form(self) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "scope": CLIENT_SCOPE,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion(
                self.client_id, self.service.issuer, self.key, seconds=60, typ=self.assertion_typ
            ),
        }

    def _proof(
        self, method: str, url: str, *, nonce: str | None = None, token: str | None = None
    ) -> str:
        kid = {"kid": self.key.members["kid"]}
        return proof(self.key, method, url, nonce=nonce, token=token, header=kid)

    def call(self, method: str, path: str, token: str, body: object = None) -> httpx2.Response:
        """The proof is for the whole address of the endpoint."""
        url = f"{self.api}/{path}"
        headers = {"Accept": "application/json", "Authorization": f"Bearer {token}"}
        if self.use_dpop:
            headers["Authorization"] = f"DPoP {token}"
            headers["DPoP"] = self._proof(method, url, token=token)
        if body is None:
            return self.http.request(method, url, headers=headers)
        content = streamed(csharp_json(body))
        return self.http.request(method, url, content=content, headers=headers | JSON_UTF_8)

    def wait_until_all_is_ok(self, token: str) -> dict[str, Any]:
        """One look, and it stops unless everything can be used."""
        answer = self.call("GET", "client", token)
        if not answer.is_success:
            raise ClientStops(answer.text)
        client: dict[str, Any] = answer.json()
        for entry in [*client["apiScopes"], *client["audienceSpecificClientClaims"]]:
            if entry["status"] != "ok":
                raise ClientStops(f"{entry}: {entry['statusReason']}")
        return client

    def post_new_key(self, token: str) -> httpx2.Response:
        """The JWK's text as a JSON string; afterwards the new key is used."""
        key = self.new_key()
        jwk = json.dumps(key.members, separators=(",", ":"))
        answer = self.call("POST", "client-secret", token, jwk)
        if answer.is_success:
            self.key = key
        return answer
