"""FHIDev/Fhi.HelseId.Tools, `helseid-cli`: C#, November 2025. It works with files of JWKs."""

import json
from datetime import datetime
from typing import Any

import httpx2

from tests.installers.issuer import ask_with_proof, discover
from tests.installers.keys import ASSERTION_TYPE, InstallersKey, assertion, proof, rsa_key
from tests.installers.samples import JSON_UTF_8, csharp_json, streamed
from tests.sandboxes import Ready

CLIENT_SCOPE = "nhn:selvbetjening/client"


def key_file(key: InstallersKey) -> str:
    """The file of the public key: pretty-printed, with line breaks at its end."""
    return json.dumps(key.members, indent=2) + "\r\n\n"


class FhiCli:
    """Each method is one command, with a DPoP key of its own."""

    def __init__(
        self, service: Ready, http: httpx2.Client, client_id: str, key: InstallersKey
    ) -> None:
        self.service = service
        self.http = http
        self.client_id = client_id
        self.key = key

    @staticmethod
    def new_key() -> InstallersKey:
        """As its generator makes them; files of another's making are taken as well."""
        return rsa_key(4096, "RS512")

    def update_client_key(self, new: InstallersKey) -> httpx2.Response:
        """The file's content as a JSON string."""
        return self._call("POST", csharp_json(key_file(new)))

    def read_client_secret_expiration(self) -> tuple[int, str]:
        """The exit code, and what is printed: the end of the key in the file, in epoch seconds."""
        answer = self._call("GET")
        if not answer.is_success:
            return 1, answer.text
        secrets: list[dict[str, Any]] = answer.json()
        kid = self.key.members.get("kid", self.key.thumbprint)
        for secret in secrets:
            if secret["kid"] == kid and secret["expiration"] is not None:
                end = datetime.fromisoformat(secret["expiration"])
                return 0, str(int(end.timestamp()))
        return 1, f"No secret with the kid {kid}"

    def _call(self, method: str, body: bytes | None = None) -> httpx2.Response:
        dpop_key = rsa_key(4096, "PS256")
        url = f"{self.service.base_url}/v1/client-secret"
        token = self._fetch_token(dpop_key)
        headers = {
            "Authorization": f"DPoP {token}",
            "DPoP": proof(dpop_key, method, url, token=token),
            **(JSON_UTF_8 if body else {"Accept": "application/json"}),
        }
        content = streamed(body) if body else None
        return self.http.request(method, url, content=content, headers=headers)

    def _fetch_token(self, dpop_key: InstallersKey) -> str:
        endpoint = discover(self.http, self.service.issuer)["token_endpoint"]
        answer = ask_with_proof(
            self.http,
            endpoint,
            self._form,
            lambda nonce: proof(dpop_key, "POST", endpoint, nonce=nonce),
        )
        assert answer.is_success, answer.text
        token: str = answer.json()["access_token"]
        return token

    def _form(self) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "scope": CLIENT_SCOPE,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion(
                self.client_id,
                self.service.issuer,
                self.key,
                seconds=10,
                alg=self.key.members.get("alg", "RS256"),
            ),
        }
