"""What the document says is what the service does: status, headers, media type and body."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from jsonschema import Draft202012Validator

from app.api_document.refusals import REFUSALS
from tests.installers.keys import ec_key, key_proof
from tests.installers.plain import CLIENT_SCOPE, EDI, PlainInstaller
from tests.installers.sky import SkyInstaller
from tests.journeys.onboarding_stories import onboardings, replacements
from tests.journeys.stored import Stored
from tests.sandboxes import Ready, eventually

pytestmark = pytest.mark.journey

# What a test cannot bring about from outside: a limit, a bug, an outage.
NOT_TRIED = {"429", "500", "503"}
THUMBPRINT = "x" * 43
OF_CLIENTS = {
    "getClient": ("GET", "client"),
    "updateClient": ("PUT", "client"),
    "getClientStatus": ("GET", "client-status"),
    "addClientSecret": ("POST", "client-secret"),
    "getClientSecrets": ("GET", "client-secret"),
    "retireClientSecret": ("DELETE", f"client-secret/{THUMBPRINT}"),
    "checkClientSecret": ("POST", f"client-secret/{THUMBPRINT}/checks"),
    "getDelegations": ("GET", "client/delegations"),
    "getDelegation": ("GET", f"client/delegations/{UUID(int=1)}"),
    "checkDelegation": ("POST", f"client/delegations/{UUID(int=1)}/checks"),
    "requestDelegation": ("POST", f"client/delegations/{UUID(int=1)}/requests"),
    "getMultiTenantDelegations": ("GET", "multi-tenant-delegations"),
    "getKeyReplacement": ("GET", "client/key-replacement"),
    "stopKeyReplacement": ("DELETE", "client/key-replacement"),
}
STALE = {"If-Match": 'W/"0-nb"'}
ONCE = {"Idempotency-Key": "once"}
Answered = tuple[str, httpx2.Response]


class Document:
    def __init__(self, content: dict[str, Any]) -> None:
        self.components = content["components"]
        self.operations = {
            operation["operationId"]: operation
            for item in content["paths"].values()
            for operation in item.values()
        }

    def resolved(self, part: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in part:
            _, _, kind, name = part["$ref"].split("/")
            part = self.components[kind][name]
        return part

    def check(self, operation: str, answer: httpx2.Response) -> None:
        said = self.operations[operation]["responses"].get(str(answer.status_code))
        assert said is not None, (operation, answer.status_code, answer.text)
        said = self.resolved(said)
        promised = {name.lower() for name in said["headers"]}
        if answer.is_error:
            promised &= {*promised_with(answer), "traceparent"}
        promised -= {"idempotency-replayed"}  # only on an answer that was given before
        if "prefer" not in answer.request.headers:
            promised -= {"preference-applied"}
        assert promised - set(answer.headers) == set(), (operation, answer.status_code)
        if "content" not in said:
            assert answer.content == b""
            return
        ((media_type, content),) = said["content"].items()
        assert answer.headers["content-type"].partition(";")[0] == media_type
        schema = content["schema"] | {"components": self.components}
        Draft202012Validator(schema).validate(answer.json())
        if media_type == "application/problem+json":
            assert answer.json()["type"].rpartition("/")[2] in content["examples"]


def promised_with(answer: httpx2.Response) -> set[str]:
    """What all examples of this type of problem carry: one status may hold several types."""
    slug = answer.json()["type"].rpartition("/")[2]
    examples = [example for refusal in REFUSALS.values() for example in refusal.examples]
    carried = [set(example.headers) for example in examples if example.slug == slug]
    return {name.lower() for name in set.intersection(*carried)}


@pytest.fixture(scope="module")
def document(sandbox: Ready, http: httpx2.Client) -> Document:
    return Document(http.get(f"{sandbox.base_url}/openapi.json").json())


@pytest.fixture
def client(sandbox: Ready, http: httpx2.Client) -> PlainInstaller:
    return PlainInstaller(sandbox, http).set_up(
        redirectUris=["http://localhost:1337/callback"], externalRef="7"
    )


def drafts(client: PlainInstaller) -> Iterator[Answered]:
    other = PlainInstaller(client.service, client.http)
    private = json.dumps(other.key.private())
    answers = [
        other.draft(externalRef="installation 7"),
        other.draft(organizationNumber="1", apiScopes=[]),
        other.draft(publicJwk=private),
        other.draft(publicJwk=json.dumps(client.key.members)),
        other.post_draft(b"{}", {"api-key": "unknown"}),
        other.post_draft(b"[" + b" " * 70_000 + b"]"),
        other.post_draft(b"{}", {"Content-Type": "text/plain"}),
        other.post_draft(json.dumps(other.body()).encode(), ONCE),
        other.post_draft(json.dumps(other.body(externalRef="another")).encode(), ONCE),
    ]
    yield from (("createClientDraft", answer) for answer in answers)


def reads(client: PlainInstaller) -> Iterator[Answered]:
    first = client.call("GET", "client")
    yield "getClient", first
    again = {"If-None-Match": first.headers["etag"]}
    yield "getClient", client.call("GET", "client", headers=again)
    for operation in ("getClientStatus", "getClientSecrets", "getMultiTenantDelegations"):
        _, path = OF_CLIENTS[operation]
        read = client.call("GET", path)
        yield operation, read
        known = {"If-None-Match": read.headers["etag"]}
        yield operation, client.call("GET", path, headers=known)
    yield "getClientSecrets", client.call("GET", "client-secret?include=some")
    catalogue = client.http.get(client.url("catalogue"))
    known = {"If-None-Match": catalogue.headers["etag"]}
    yield "getCatalogue", catalogue
    yield "getCatalogue", client.http.get(client.url("catalogue"), headers=known)
    yield "getCatalogue", client.http.get(client.url("catalogue?cursor=x"))


def changes(client: PlainInstaller) -> Iterator[Answered]:
    fine = {"apiScopes": [CLIENT_SCOPE, "nhn:msh/api"], "redirectUris": []}
    answers = [
        client.put_client(fine),
        client.put_client(fine, {"Prefer": "return=representation"}),
        client.put_client({"apiScopes": None}),
        client.put_client(fine, STALE),
        client.put_client({"apiScopes": ["x" * 70_000]}),
        client.put_client(fine, {"Content-Type": "text/plain"}),
    ]
    yield from (("updateClient", answer) for answer in answers)


def keys(client: PlainInstaller) -> Iterator[Answered]:
    taken = PlainInstaller(client.service, client.http).set_up().key
    added = ec_key()
    answers = [
        client.post_key(added.members),
        client.post_key(added.private()),
        client.post_key(ec_key(kid=added.thumbprint).members),
        client.post_key(taken.members),
        client.post_key({"x": "x" * 70_000}),
        client.post_key(added.members, {"Content-Type": "text/plain"}),
        client.post_key(ec_key().members, STALE),
        client.post_key(added.members, ONCE),
        client.post_key(added.members | {"kid": "other"}, ONCE),
    ]
    yield from (("addClientSecret", answer) for answer in answers)
    paths = [
        f"client-secret/{added.thumbprint}?graceSeconds=soon",
        f"client-secret/{THUMBPRINT}",
        f"client-secret/{added.thumbprint}",
        f"client-secret/{client.key.thumbprint}",
    ]
    yield "retireClientSecret", client.call("DELETE", paths[2], headers=STALE)
    yield from (("retireClientSecret", client.call("DELETE", path)) for path in paths)


def key_checks(client: PlainInstaller) -> Iterator[Answered]:
    def check(thumbprint: str, body: object, **headers: str) -> Answered:
        path = f"client-secret/{thumbprint}/checks"
        return "checkClientSecret", client.call("POST", path, json.dumps(body).encode(), headers)

    own = client.key.thumbprint
    address = client.url(f"client-secret/{own}/checks")
    held = {"proof": key_proof(client.key, client.client_id, address, jti=str(uuid4()))}
    yield check(own, held)
    yield check(own, {"proof": "x"})
    yield check(THUMBPRINT, held)
    yield check(own, {"proof": "x" * 70_000})
    yield check(own, held, **{"Content-Type": "text/plain"})


def activations(client: PlainInstaller) -> Iterator[Answered]:
    sky = SkyInstaller(client.service, client.http).ask()
    came_to = sky.decide().json()["redirectUri"]

    def post(content: bytes, address: str = "", kind: str = "application/json") -> Answered:
        address = address or sky.activation_url
        answer = sky.http.post(address, content=content, headers={"Content-Type": kind})
        return "activateClient", answer

    yield post(b'{"activation": "x"}')
    yield post(b'{"activation": "x"}', client.url(f"client-drafts/{UUID(int=1)}/activation"))
    yield post(b" " * 70_000)
    yield post(b"{}", kind="text/plain")
    twin = SkyInstaller(client.service, client.http)
    twin.key = sky.key
    came_to_twin = twin.ask().decide().json()["redirectUri"]
    yield "activateClient", sky.activate(came_to, STALE)
    yield "activateClient", sky.activate(came_to)
    yield "activateClient", twin.activate(came_to_twin)


def delegations(client: PlainInstaller) -> Iterator[Answered]:
    """Of a client that needs a right which nobody has given, until somebody does."""
    edi = PlainInstaller(client.service, client.http, organization="310000183", api_key=EDI)
    edi.set_up()
    assert eventually(lambda: listed(edi).json()["items"][0]["state"] == "missing")
    first = listed(edi)
    one = f"client/delegations/{first.json()['items'][0]['id']}"
    unknown = f"client/delegations/{UUID(int=1)}"
    known = {"If-None-Match": first.headers["etag"]}
    yield "getDelegations", first
    yield "getDelegations", edi.call("GET", "client/delegations", headers=known)
    yield "getDelegations", edi.call("GET", "client/delegations?limit=0&cursor=x")
    yield "getDelegation", edi.call("GET", one)
    yield "getDelegation", edi.call("GET", one, headers=known)
    yield "getDelegation", edi.call("GET", unknown)
    yield "requestDelegation", edi.call("POST", f"{one}/requests", headers=STALE)
    yield "requestDelegation", edi.call("POST", f"{one}/requests", b'{"why": 1}')
    yield "requestDelegation", edi.call("POST", f"{one}/requests", headers=ONCE)
    yield "requestDelegation", edi.call("POST", f"{one}/requests", b"{}", headers=ONCE)
    yield "requestDelegation", edi.call("POST", f"{unknown}/requests")
    yield "checkDelegation", edi.call("POST", f"{one}/checks", b'{"why": 1}')

    body = {"from": edi.organization, "to": "310700029", "right": "nhn-helseid-databehandler"}
    given = edi.http.post(f"{edi.service.control_url}/delegations", json=body)
    assert given.is_success
    try:
        checked = edi.call("POST", f"{one}/checks")
        yield "checkDelegation", checked
        yield "checkDelegation", edi.call("POST", f"{one}/checks")
        yield "checkDelegation", edi.call("POST", f"{unknown}/checks")
        assert eventually(lambda: edi.call("GET", one).json()["state"] == "active")
        yield "requestDelegation", edi.call("POST", f"{one}/requests")
    finally:
        edi.http.post(f"{edi.service.control_url}/delegations", json=body | {"action": "revoke"})


def listed(client: PlainInstaller) -> httpx2.Response:
    return client.call("GET", "client/delegations")


def refused_callers(client: PlainInstaller, stored: Stored) -> Iterator[Answered]:
    for operation, (method, path) in OF_CLIENTS.items():
        nobody = client.http.request(method, client.url(path))
        yield operation, nobody
        wrong_proof = {"DPoP": client.proof("PATCH", path)}
        yield operation, client.call(method, path, headers=wrong_proof)
    stored.rows(
        "UPDATE client_configurations SET status = 'blocked' WHERE client_id = $1",
        client.client_id,
    )
    bodies = {
        "updateClient": json.dumps({"apiScopes": [CLIENT_SCOPE]}),
        "addClientSecret": json.dumps(ec_key().members),
        "checkClientSecret": json.dumps({"proof": "x"}),
    }
    onboarding = f"onboardings/{client.client_id}"
    yield "getOnboarding", client.call("GET", onboarding)
    for operation, (method, path) in OF_CLIENTS.items():
        body = bodies[operation].encode() if operation in bodies else None
        yield operation, client.call(method, path, body)


STORIES = (
    drafts,
    reads,
    changes,
    keys,
    key_checks,
    activations,
    delegations,
    onboardings,
    replacements,
)


def test_every_answer_is_as_the_document_says(
    client: PlainInstaller, document: Document, stored: Stored
) -> None:
    seen: dict[str, set[str]] = {}
    for story in STORIES:
        for operation, answer in story(client):
            document.check(operation, answer)
            seen.setdefault(operation, set()).add(str(answer.status_code))
    for operation, answer in refused_callers(client, stored):
        document.check(operation, answer)
        seen[operation].add(str(answer.status_code))
    said = {name: set(each["responses"]) - NOT_TRIED for name, each in document.operations.items()}
    assert {name: statuses - NOT_TRIED for name, statuses in seen.items()} == said


def test_a_parameter_is_named_as_it_is_written(client: PlainInstaller) -> None:
    path = f"client-secret/{client.key.thumbprint}?graceSeconds=-1"
    answer = client.call("DELETE", path)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "#/graceSeconds"
    assert answer.json()["property"] == "graceSeconds"
    assert "`graceSeconds`" in answer.json()["message"]
