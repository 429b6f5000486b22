"""The sandbox's journal: what was wrong with a refused call, beside what was expected."""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from app.sandbox.controls.token_routes import BROKEN_PROOFS, BROKEN_TOKENS
from tests.installers.keys import assertion, ec_key, proof
from tests.sandboxes import Ready, eventually

pytestmark = pytest.mark.journey

HEARD_WITHIN_SECONDS = 5
PERSON_NUMBER = "12838540056"
TOKEN = "/connect/token"


class Journalled:
    """A confirmed client, and what the sandbox tells of its calls."""

    def __init__(self, sandbox: Ready, http: httpx2.Client) -> None:
        self.sandbox, self.http, self.key = sandbox, http, ec_key()
        asked = {"organizationNumber": "310000019", "publicJwk": self.key.members}
        draft = http.post(
            f"{sandbox.base_url}/v1/client-drafts", json=asked, headers={"api-key": "sandbox-epj"}
        )
        self.client_id = draft.json()["clientId"]
        decided = http.post(
            f"{sandbox.control_url}/clients/{self.client_id}/decision", json={"decision": "approve"}
        )
        assert decided.status_code == 200, decided.text

    def token(self, **wanted: str) -> dict[str, str]:
        made = self.http.post(
            f"{self.sandbox.control_url}/tokens", json={"clientId": self.client_id, **wanted}
        )
        assert made.status_code == 200, made.text
        headers: dict[str, str] = made.json()["headers"]
        return headers

    def read(self, headers: dict[str, str]) -> httpx2.Response:
        return self.http.get(f"{self.sandbox.base_url}/v1/client", headers=headers)

    def entries(self, **query: str) -> list[dict[str, Any]]:
        answer = self.http.get(
            f"{self.sandbox.control_url}/requests", params={"clientId": self.client_id, **query}
        )
        found: list[dict[str, Any]] = answer.json()
        return found

    def refused(self, path: str) -> dict[str, Any]:
        """The newest refusal, once the journal has heard of it."""
        until = time.monotonic() + HEARD_WITHIN_SECONDS
        while time.monotonic() < until:
            refused = [one for one in self.entries(path=path) if one["status"] >= 400]
            if refused:
                return refused[-1]
            time.sleep(0.05)
        raise AssertionError("The journal has not heard of it.")

    def to_change(self, path: str) -> dict[str, str]:
        checks = self.refused(path)["checks"]
        assert all(check["ok"] == (not check["change"]) for check in checks)
        return {check["name"]: check["change"] for check in checks if not check["ok"]}

    def ask_for_token(self, *, sent_proof: str | None = None, **change: Any) -> httpx2.Response:
        url = f"{self.sandbox.issuer}/connect/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "scope": "nhn:selvbetjening/client",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion(
                self.client_id, self.sandbox.issuer, self.key, seconds=30, **change
            ),
        }
        sent_proof = sent_proof or proof(self.key, "POST", url)
        return self.http.post(url, data=form, headers={"DPoP": sent_proof})

    def wrong(self, path: str) -> dict[str, tuple[str, str]]:
        """What was wrong: expected, and got."""
        return {
            check["name"]: (check["expected"], check["got"])
            for check in self.refused(path)["checks"]
            if not check["ok"]
        }


@pytest.fixture
def journalled(sandbox: Ready, http: httpx2.Client) -> Journalled:
    return Journalled(sandbox, http)


def test_a_whole_token_opens_the_service_and_is_no_refusal(journalled: Journalled) -> None:
    assert journalled.read(journalled.token()).status_code == 200
    heard: list[dict[str, Any]] = []

    def of_the_read() -> bool:
        told = journalled.entries(path="/v1/client", since="2026-01-01T00:00:00Z")
        heard[:] = [entry for entry in told if entry["path"] == "/v1/client"]
        return bool(heard)

    assert eventually(of_the_read)
    assert [(entry["to"], entry["status"], entry["checks"]) for entry in heard] == [
        ("service", 200, [])
    ]


FAULT_OF = {
    "expired": "token exp",
    "wrongIssuer": "token iss",
    "wrongAudience": "token aud",
    "noScope": "token scope",
    "noBinding": "token cnf.jkt",
    "otherBinding": "token cnf.jkt",
    "proofOld": "proof iat",
    "proofAhead": "proof iat",
    "proofWrongMethod": "proof htm",
    "proofWrongUrl": "proof htu",
    "proofOfOtherToken": "proof ath",
    "proofWrongTyp": "proof typ",
    "proofWithPrivateKey": "proof jwk",
}


@pytest.mark.parametrize("broken", [*BROKEN_TOKENS, *BROKEN_PROOFS])
def test_each_broken_token_and_proof_is_refused_and_explained(
    journalled: Journalled, broken: str
) -> None:
    answer = journalled.read(journalled.token(broken=broken))
    assert answer.status_code == (403 if broken == "noScope" else 401)
    wrong = journalled.wrong("/v1/client")
    if broken in FAULT_OF:
        assert list(wrong) == [FAULT_OF[broken]]
    else:
        assert journalled.refused("/v1/client")["answer"]["detail"]


def test_a_wrong_address_is_shown_beside_the_right_one(
    journalled: Journalled, sandbox: Ready
) -> None:
    journalled.read(journalled.token(url=f"{sandbox.base_url}/v1/clients"))
    expected, got = journalled.wrong("/v1/client")["proof htu"]
    assert f"{sandbox.base_url}/v1/client" in expected.split(" or ")
    assert got == f"{sandbox.base_url}/v1/clients"
    assert journalled.to_change("/v1/client") == {
        "proof htu": "Set `htu` to the address that is called, without query and fragment. Its "
        "path is not that of this call."
    }


def test_a_replayed_proof_is_shown_with_its_first_use(journalled: Journalled) -> None:
    headers = journalled.token()
    assert [journalled.read(headers).status_code for _ in range(2)] == [200, 401]
    expected, got = journalled.wrong("/v1/client")["proof jti"]
    assert expected == "one that was not used before"
    assert "GET /v1/client" in got
    assert "a new `jti`, for each request" in journalled.to_change("/v1/client")["proof jti"]


def test_a_wrong_audience_is_explained(journalled: Journalled) -> None:
    journalled.read(journalled.token(broken="wrongAudience"))
    assert journalled.wrong("/v1/client")["token aud"] == ("nhn:selvbetjening", "another:api")
    [change] = journalled.to_change("/v1/client").values()
    assert change.startswith("Ask the issuer for `scope=nhn:selvbetjening/client`")


def test_at_the_issuer_a_wrong_address_and_a_replayed_proof_are_explained(
    journalled: Journalled, sandbox: Ready
) -> None:
    url = f"{sandbox.issuer}/connect/token"
    asked = journalled.ask_for_token()
    assert asked.json()["error"] == "use_dpop_nonce"
    assert "proof with this answer's `DPoP-Nonce`" in journalled.to_change(TOKEN)["proof nonce"]
    elsewhere = proof(journalled.key, "POST", url.replace("127.0.0.1", "localhost"))
    journalled.ask_for_token(sent_proof=elsewhere)
    assert journalled.to_change(TOKEN)["proof htu"].endswith("Its host is not that of this call.")
    good = proof(journalled.key, "POST", url, nonce=asked.headers["dpop-nonce"])
    answers = [journalled.ask_for_token(sent_proof=good).status_code for _ in range(2)]
    assert answers == [200, 400]
    assert "POST /sts/connect/token" in journalled.wrong(TOKEN)["proof jti"][1]
    assert list(journalled.to_change(TOKEN)) == ["proof jti"]


def test_only_refusals_are_told_when_only_they_are_asked_for(journalled: Journalled) -> None:
    journalled.read(journalled.token())
    journalled.read(journalled.token(broken="expired"))
    journalled.refused("/v1/client")
    assert {one["status"] for one in journalled.entries(refused="true")} == {401}
    assert {one["status"] for one in journalled.entries()} >= {200, 401}


@pytest.mark.parametrize(
    ("change", "name", "says"),
    [
        (
            lambda: {"exp": int(time.time()) - 60, "iat": int(time.time()) - 120},
            "assertion exp",
            "an assertion for each token request",
        ),
        (lambda: {"aud": "https://other.example"}, "assertion aud", "discovery document"),
        (lambda: {"iss": str(uuid4())}, "assertion iss", "the client's id"),
    ],
)
def test_a_refused_assertion_is_explained(
    journalled: Journalled, change: Callable[[], dict[str, Any]], name: str, says: str
) -> None:
    answer = journalled.ask_for_token(**change())
    assert answer.status_code == 400
    assert name in journalled.wrong(TOKEN)
    assert says in journalled.to_change(TOKEN)[name]


HOSTILE = [b'{"a": "\\ud800"}', b'{"\\udfff": 1}', b'{"a": 1' + b"0" * 4_000 + b"}", b'{"a": NaN}']


def test_a_hostile_call_does_not_end_the_journal(
    journalled: Journalled, sandbox: Ready, http: httpx2.Client
) -> None:
    for body in HOSTILE * 4:  # each of the two processes gets some of them
        http.post(
            f"{sandbox.base_url}/v1/client-drafts",
            content=body,
            headers={"api-key": "sandbox-epj", "content-type": "application/json"},
        )
    for _ in range(6):
        known = len(journalled.entries())
        assert journalled.read(journalled.token(broken="expired")).status_code == 401
        until = time.monotonic() + HEARD_WITHIN_SECONDS
        while len(journalled.entries()) == known:
            assert time.monotonic() < until, "The journal has not heard of it."


def test_the_journal_holds_nothing_to_do_anything_with(
    journalled: Journalled, sandbox: Ready, http: httpx2.Client
) -> None:
    headers = journalled.token()
    journalled.read(headers)
    private = journalled.key.private()
    body = {"organizationNumber": "310000019", "publicJwk": private, "externalRef": PERSON_NUMBER}
    url = f"{sandbox.base_url}/v1/client-drafts"
    told = f"{sandbox.control_url}/requests"

    def drafts() -> list[int]:
        return [
            entry["id"] for entry in http.get(told, params={"path": "/v1/client-drafts"}).json()
        ]

    known = drafts()
    http.post(url, json=body, headers={"api-key": "sandbox-epj"})
    http.post(url, json=body | {"publicJwk": str(private).replace("'", '"')})
    assert eventually(lambda: len(set(drafts()) - set(known)) == 2)
    shown = http.get(told).text
    for secret in (
        private["d"],
        headers["DPoP"],
        headers["DPoP"].rpartition(".")[2],
        headers["Authorization"].rpartition(" ")[2],
        headers["Authorization"].rpartition(".")[2],
        "sandbox-epj",
        PERSON_NUMBER,
    ):
        assert secret not in shown
