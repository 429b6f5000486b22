"""ks-no/fiks-helseid-client: Kotlin. It fetches tokens, and nothing else."""

from typing import Any

import httpx2

from tests.installers.keys import ASSERTION_TYPE, InstallersKey, assertion, proof
from tests.sandboxes import Ready


class FiksClient:
    def __init__(
        self, service: Ready, http: httpx2.Client, client_id: str, key: InstallersKey
    ) -> None:
        self.issuer = service.issuer
        self.endpoint = f"{service.issuer}/connect/token"
        self.http = http
        self.client_id = client_id
        self.key = key

    def fetch_token(self) -> dict[str, Any]:
        """By default without a proof, for a bearer token."""
        return _read(self.http.post(self.endpoint, data=self._form()), "Bearer")

    def fetch_bound_token(self) -> dict[str, Any]:
        """It insists on being asked for a nonce first, and by a 400."""
        first = self.http.post(self.endpoint, data=self._form(), headers={"DPoP": self._proof()})
        assert first.status_code == 400, first.text
        assert first.json()["error"] == "use_dpop_nonce"
        headers = {"DPoP": self._proof(nonce=first.headers["DPoP-Nonce"])}
        return _read(self.http.post(self.endpoint, data=self._form(), headers=headers), "DPoP")

    def _proof(self, nonce: str | None = None) -> str:
        return proof(self.key, "POST", self.endpoint, alg="PS512", nonce=nonce)

    def _form(self) -> dict[str, str]:
        """No scope. The signature is PS512 whatever the key says of itself."""
        return {
            "client_id": self.client_id,
            "client_assertion": assertion(
                self.client_id, self.issuer, self.key, seconds=5, alg="PS512"
            ),
            "client_assertion_type": ASSERTION_TYPE,
            "grant_type": "client_credentials",
        }


def _read(answer: httpx2.Response, token_type: str) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["token_type"] == token_type
    assert isinstance(body["scope"], str)
    assert isinstance(body["expires_in"], int)
    return body
