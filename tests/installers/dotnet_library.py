"""NorskHelsenett/HelseID.Library, module Selvbetjening: C#, March 2026. It renews keys."""

import secrets
from datetime import datetime

import httpx2

from tests.installers.issuer import ask_with_proof, discover
from tests.installers.keys import ASSERTION_TYPE, InstallersKey, assertion, proof, rsa_key
from tests.installers.samples import csharp_json, streamed
from tests.sandboxes import Ready


class SecretUpdateFailed(Exception):
    """Any answer that is no success: the whole body is the message."""


class DotnetLibrary:
    def __init__(
        self, service: Ready, http: httpx2.Client, client_id: str, key: InstallersKey
    ) -> None:
        self.service = service
        self.http = http
        self.client_id = client_id
        self.key = key

    @staticmethod
    def new_key() -> InstallersKey:
        return rsa_key(4096, "PS256", kid=secrets.token_hex(16), use="sig")

    def fetch_token(self, scope: str = "nhn:selvbetjening/client") -> str:
        endpoint = discover(self.http, self.service.issuer)["token_endpoint"]
        answer = ask_with_proof(
            self.http,
            endpoint,
            lambda: self._form(scope),
            lambda nonce: self._proof("POST", endpoint, nonce=nonce),
            # Whatever went wrong, the header makes it a challenge.
            is_challenge=lambda got: not got.is_success and "DPoP-Nonce" in got.headers,
        )
        assert answer.is_success, answer.text
        body = answer.json()
        assert body["scope"]
        assert isinstance(body["expires_in"], int)
        token: str = body["access_token"]
        return token

    def _form(self, scope: str) -> dict[str, str]:
        return {
            "client_id": self.client_id,
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion(
                self.client_id, self.service.issuer, self.key, seconds=10
            ),
        }

    def _proof(
        self, method: str, url: str, *, nonce: str | None = None, token: str | None = None
    ) -> str:
        """For RSA the algorithm stands inside the key too."""
        jwk = self.key.bare | {"alg": self.key.alg} if "n" in self.key.bare else self.key.bare
        return proof(self.key, method, url, nonce=nonce, token=token, header={"jwk": jwk})

    def update_secret(self, new: InstallersKey) -> datetime:
        """The JWK as an object, without `Accept`; afterwards the new key is used."""
        url = f"{self.service.base_url}/v1/client-secret"
        token = self.fetch_token()
        request = self.http.build_request(
            "POST",
            url,
            content=streamed(csharp_json(new.members)),
            headers={
                "Authorization": f"DPoP {token}",
                "DPoP": self._proof("POST", url, token=token),
                "Content-Type": "application/json; charset=utf-8",
            },
        )
        del request.headers["Accept"]
        answer = self.http.send(request)
        if not answer.is_success:
            raise SecretUpdateFailed(answer.text)
        self.key = new
        return datetime.fromisoformat(answer.json()["expiration"])
