"""NorskHelsenett/HelseID.Library.Java, module selfservice: April 2026. It renews keys.

`posted_by_java` is a real Java; where a machine has none, `posted_as_java` sends the same bytes.
"""

import http.client
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
from msgspec import Struct

from tests.installers.issuer import ask_with_proof, discover
from tests.installers.keys import (
    ASSERTION_TYPE,
    InstallersKey,
    assertion,
    claims_of,
    proof,
    rsa_key,
)
from tests.sandboxes import Ready

PROGRAM = Path(__file__).with_name("Post.java")
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
UPGRADE = {
    "Connection": "Upgrade, HTTP2-Settings",
    "Upgrade": "h2c",
    "HTTP2-Settings": "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
    "User-Agent": "Java-http-client/17.0.15",
}


class Answer(Struct, frozen=True):
    status: int
    content_type: str
    body: str


class ProblemRead(Struct, frozen=True):
    """What the library makes of a refusal; five members, and no other type in any of them."""

    type: str | None = None
    title: str | None = None
    status: int | None = None
    detail: str | None = None
    instance: str | None = None


@cache
def java() -> str | None:
    """A Java with an HTTP client and single-file programs, that is 11 or newer."""
    found = shutil.which("java")
    if found is None:
        return None
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    return found if version and int(version[1]) >= 11 else None


def posted_by_java(url: str, body: bytes, headers: Mapping[str, str], folder: Path) -> Answer:
    file = folder / "body.json"
    file.write_bytes(body)
    given = [part for header in headers.items() for part in header]
    # The C1 compiler alone: a program this short is over before the other pays.
    command = [str(java()), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", str(PROGRAM)]
    done = subprocess.run(
        [*command, url, str(file), *given], capture_output=True, text=True, check=True, timeout=60
    )
    status, content_type, answer = done.stdout.split("\n", 2)
    return Answer(int(status), content_type, answer.rstrip("\n"))


def posted_as_java(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request("POST", parts.path, body, dict(headers) | UPGRADE)
        response = connection.getresponse()
        content_type = response.headers.get("Content-Type", "")
        return Answer(response.status, content_type, response.read().decode())
    finally:
        connection.close()


def read_problem(answer: Answer) -> ProblemRead:
    """Strictly: an object, strings, and a whole number. Anything else is an exception in Java."""
    members = json.loads(answer.body)
    read = {name: members.get(name) for name in ProblemRead.__struct_fields__}
    for name, value in read.items():
        assert value is None or type(value) is (int if name == "status" else str), (name, value)
    return ProblemRead(**read)


class JavaLibrary:
    def __init__(
        self,
        service: Ready,
        http: httpx2.Client,
        client_id: str,
        key: InstallersKey,
        scopes: list[str],
    ) -> None:
        self.service = service
        self.http = http
        self.client_id = client_id
        self.key = key
        self.scopes = scopes

    @staticmethod
    def new_key() -> InstallersKey:
        return rsa_key(4096, "PS256", kid=str(uuid4()), use="sig")

    def fetch_token(self) -> str:
        """All of the client's scopes, and no `client_id`."""
        endpoint = discover(self.http, self.service.issuer)["token_endpoint"]
        answer = ask_with_proof(
            self.http,
            endpoint,
            self._form,
            lambda nonce: proof(self.key, "POST", endpoint, nonce=nonce),
        )
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        assert claims_of(token)["cnf"]["jkt"] == self.key.thumbprint
        return token

    def _form(self) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "scope": " ".join(self.scopes),
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion(self.client_id, self.service.issuer, self.key, seconds=5),
        }

    def secret_request(self, jwk: Mapping[str, Any]) -> tuple[str, bytes, dict[str, str]]:
        """The address, the body (the JWK as an object) and the headers of a new secret."""
        url = f"{self.service.base_url}/v1/client-secret"
        token = self.fetch_token()
        authorization = {
            "Authorization": f"DPoP {token}",
            "DPoP": proof(self.key, "POST", url, token=token),
        }
        return url, json.dumps(jwk).encode(), authorization | JSON


def read_expiration(answer: Answer) -> datetime:
    """`ZonedDateTime.parse` of a member that must be a string."""
    value = json.loads(answer.body)["expiration"]
    assert isinstance(value, str)
    end = datetime.fromisoformat(value)
    assert end.tzinfo is not None
    return end
