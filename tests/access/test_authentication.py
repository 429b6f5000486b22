"""Who is calling: every kind of credential, and every refusal with its headers."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import select, update

from app.access.api_keys import issue_api_key, revoke_api_key
from app.access.models import ApiKey, UsedProof
from app.audit.trail import OPERATOR
from app.client_configurations.operator import change_status
from app.client_keys.models import ClientKey
from app.client_keys.rules import KeyState
from app.clients.rules import ClientEvent
from tests.examples import NOW
from tests.installers.keys import ec_key, proof, rsa_key
from tests.serving import BASE, FJORD, REVOKED, Client, Service, a_draft, problem_of, serving

ALGS = 'algs="PS256 PS384 PS512 RS256 RS384 RS512 ES256 ES384 ES512"'
PATH = "/v1/client"


@pytest.fixture
async def client(service: Service) -> Client:
    return await service.client()


def refusal(answer: httpx2.Response) -> tuple[int, str, str | None]:
    kind = problem_of(answer)["type"].rpartition("/")[2]
    return answer.status_code, kind, answer.headers.get("www-authenticate")


async def test_one_refusal_for_every_api_key_that_does_not_fit(service: Service) -> None:
    expected = (401, "api-key-rejected", 'ApiKey realm="client-drafts"')
    bodies = set()
    for key in (None, "", "nonsense", REVOKED, FJORD.upper(), "x" * 20_000):
        answer = await service.draft(a_draft(), api_key=key)
        assert refusal(answer) == expected, key
        bodies.add(answer.json()["detail"])
    assert len(bodies) == 1
    twice: Any = [("api-key", FJORD), ("api-key", FJORD)]
    assert refusal(await service.http.post("/v1/client-drafts", headers=twice)) == expected
    strange: Any = [(b"api-key", b"\xff\xfe")]
    assert refusal(await service.http.post("/v1/client-drafts", headers=strange)) == expected


async def test_the_body_of_a_refused_caller_is_not_read(service: Service) -> None:
    answer = await service.draft(b"x" * 1_000_000, api_key="nonsense")
    assert answer.status_code == 401


async def test_several_api_keys_are_good_until_each_is_revoked(service: Service) -> None:
    async with service.database.sessions() as db:
        text = await issue_api_key(db, client_system_id="fjord-epj", label="x", now=NOW)
    for key in (text, FJORD):
        assert (await service.draft(a_draft(), api_key=key)).status_code == 201
    async with service.database.sessions() as db:
        await revoke_api_key(db, text[: len("ok_12345678")], NOW)
    assert (await service.draft(a_draft(), api_key=text)).status_code == 401
    assert (await service.draft(a_draft())).status_code == 201


async def test_the_last_use_of_an_api_key_is_kept_by_the_minute(service: Service) -> None:
    used = select(ApiKey.last_used_at).where(ApiKey.prefix == FJORD)
    assert await service.ask(used) == [None]
    for later, kept in ((0, 0), (59, 0), (61, 61), (30, 61)):
        service.now = NOW + timedelta(seconds=later)
        await service.draft(a_draft())
        assert await service.ask(used) == [NOW + timedelta(seconds=kept)]


@pytest.mark.usefixtures("early_in_the_minute")
async def test_who_guesses_is_told_to_wait_and_shuts_out_nobody(seeded_url: str) -> None:
    async with serving(seeded_url, failed_logins_per_minute=3) as service:
        answers = [await service.draft(a_draft(), api_key="guess") for _ in range(6)]
        assert {answer.status_code for answer in answers[:3]} == {401}
        assert {answer.status_code for answer in answers[-2:]} == {429}
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert problem_of(answers[-1])["type"].endswith("/too-many-requests")
        assert (await service.draft(a_draft())).status_code == 201
        assert (await service.draft(a_draft(), api_key="other")).status_code == 401


@pytest.mark.usefixtures("early_in_the_minute")
async def test_bad_tokens_and_proofs_are_counted_by_the_token(seeded_url: str) -> None:
    async with serving(seeded_url, failed_logins_per_minute=3) as service:
        client = await service.client()
        token = client.token()
        bad = {"Authorization": f"DPoP {token}", "DPoP": "nonsense"}
        statuses = [(await service.http.get(PATH, headers=bad)).status_code for _ in range(6)]
        assert statuses[:3] == [401, 401, 401]
        assert statuses[-2:] == [429, 429]
        assert (await client.get()).status_code == 200


async def test_no_credentials_are_told_of_no_error(service: Service) -> None:
    for headers in ({}, {"Authorization": ""}, {"Authorization": "Basic eA=="}, {"DPoP": "x"}):
        answer = await service.http.get(PATH, headers=headers)
        assert refusal(answer) == (401, "access-token-rejected", f"DPoP {ALGS}, Bearer")


async def test_without_bearer_only_dpop_is_offered(seeded_url: str) -> None:
    async with serving(seeded_url, allow_bearer=False) as service:
        client = await service.client()
        unbound = {"Authorization": f"Bearer {client.token(cnf=None)}"}
        for headers in ({}, unbound):
            answer = await service.http.get(PATH, headers=headers)
            assert answer.status_code == 401
            assert "Bearer" not in answer.headers["www-authenticate"]
        assert (await client.get()).status_code == 200


async def test_dpop_and_bearer_tokens_open_what_they_are_for(client: Client) -> None:
    http = client.service.http
    assert (await client.get()).status_code == 200
    unbound, bound = client.token(cnf=None), client.token()
    for name in ("Bearer", "bearer", "BEARER"):
        answer = await http.get(PATH, headers={"Authorization": f"{name} {unbound}"})
        assert answer.status_code == 200
    assert (await http.get(PATH, headers={"Authorization": f"Bearer {bound}"})).status_code == 401
    under_dpop = client.headers("GET", PATH, unbound)
    assert (await http.get(PATH, headers=under_dpop)).status_code == 401


async def test_a_proof_of_another_key_than_the_clients_is_fine_where_the_token_says_so(
    client: Client,
) -> None:
    for fresh in (ec_key("P-384"), rsa_key(2048, "PS256")):
        token = client.token(cnf={"jkt": fresh.thumbprint})
        made = proof(fresh, "GET", BASE + PATH, token=token)
        headers = {"Authorization": f"DPoP {token}", "DPoP": made}
        assert (await client.service.http.get(PATH, headers=headers)).status_code == 200


@pytest.mark.parametrize("base", [BASE, "http://localhost:8080", "HTTP://LocalHost:8080"])
async def test_a_proof_may_name_any_public_address(client: Client, base: str) -> None:
    token = client.token()
    made = proof(client.key, "GET", f"{base}{PATH}?x=1#y", token=token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": made}
    answer = await client.service.http.get(f"{PATH}?z=2", headers=headers)
    assert answer.status_code == 200, answer.text


async def test_each_bad_token_is_refused_alike(client: Client) -> None:
    challenge = f'DPoP error="invalid_token", {ALGS}, Bearer error="invalid_token"'
    tokens = {
        "no JWT": "nonsense",
        "expired": client.token(exp=1),
        "other audience": client.token(aud="nhn:msh"),
        "other issuer": client.token(iss="https://evil.example"),
        "no client": client.token(client_id=None),
        "client of another kind": client.token(client_id="the-service"),
        "too long": client.token(more="x" * 9000),
    }
    for what, token in tokens.items():
        headers = client.headers("GET", PATH, token)
        answer = await client.service.http.get(PATH, headers=headers)
        assert refusal(answer) == (401, "access-token-rejected", challenge), what
        assert token not in answer.text


async def test_each_bad_proof_is_refused_alike(client: Client) -> None:
    token, url, http = client.token(), BASE + PATH, client.service.http
    good = proof(client.key, "GET", url, token=token)
    proofs: dict[str, list[str]] = {
        "none": [],
        "two": [good, good],
        "no JWT": ["nonsense"],
        "other method": [proof(client.key, "PUT", url, token=token)],
        "other address": [proof(client.key, "GET", f"{url}-status", token=token)],
        "other token": [proof(client.key, "GET", url, token="another")],
        "old": [proof(client.key, "GET", url, token=token, iat=1)],
        "too long": [proof(client.key, "GET", url, token=token, more="x" * 9000)],
    }
    for what, sent in proofs.items():
        headers = [("Authorization", f"DPoP {token}"), *(("DPoP", each) for each in sent)]
        answer = await http.get(PATH, headers=headers)
        expected = (401, "dpop-proof-rejected", f'DPoP error="invalid_dpop_proof", {ALGS}')
        assert refusal(answer) == expected, what
        assert "dpop-nonce" not in answer.headers


async def test_a_key_that_the_token_is_not_bound_to_is_refused(client: Client) -> None:
    token = client.token()
    made = proof(ec_key(), "GET", BASE + PATH, token=token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": made}
    assert refusal(await client.service.http.get(PATH, headers=headers))[:2] == (
        401,
        "access-token-rejected",
    )


async def test_two_authorizations_are_refused(client: Client) -> None:
    given = client.headers("GET", PATH)
    headers = [*given.items(), ("Authorization", given["Authorization"])]
    assert (await client.service.http.get(PATH, headers=headers)).status_code == 401


async def test_a_missing_scope_is_named(client: Client) -> None:
    headers = client.headers("GET", PATH, client.token(scope=["nhn:msh/api"]))
    assert refusal(await client.service.http.get(PATH, headers=headers)) == (
        403,
        "insufficient-scope",
        'DPoP error="insufficient_scope", scope="nhn:selvbetjening/client"',
    )


async def test_a_proof_is_good_once_also_where_the_request_fails(client: Client) -> None:
    http = client.service.http
    read = client.headers("GET", PATH)
    assert (await http.get(PATH, headers=read)).status_code == 200
    again = await http.get(PATH, headers=read)
    assert refusal(again)[:2] == (401, "dpop-proof-rejected")
    change = client.headers("PUT", PATH) | {"Content-Type": "application/json"}
    assert (await http.put(PATH, headers=change, content=b"{")).status_code == 400
    assert (await http.put(PATH, headers=change, content=b"{")).status_code == 401


async def test_a_refused_proof_is_not_remembered(client: Client) -> None:
    token = client.token()
    made = proof(client.key, "PUT", BASE + PATH, token=token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": made}
    assert (await client.service.http.get(PATH, headers=headers)).status_code == 401
    assert await client.service.ask(select(UsedProof.jti)) == []


async def requests_of(client: Client) -> list[httpx2.Response]:
    """Everything that a client may ask."""
    return [
        await client.get(),
        await client.get("/v1/client-status"),
        await client.get("/v1/client-secret"),
        await client.get("/v1/multi-tenant-delegations"),
        await client.put({"apiScopes": ["nhn:selvbetjening/client"], "redirectUris": []}),
        await client.post_key(ec_key().members),
        await client.call("DELETE", "/v1/client-secret/x"),
    ]


@pytest.mark.parametrize("event", [ClientEvent.BLOCK, ClientEvent.CLOSE])
async def test_a_block_holds_at_once_whatever_the_token_says(
    client: Client, event: ClientEvent
) -> None:
    async with client.service.database.sessions() as db:
        await change_status(db, client.client_id, event, actor=OPERATOR, now=NOW)
    for answer in await requests_of(client):
        assert refusal(answer)[:2] == (403, "client-blocked"), answer.request.url
    keys = select(ClientKey.thumbprint).where(ClientKey.client_id == client.client_id)
    assert await client.service.ask(keys) == [client.key.thumbprint]


async def test_a_client_that_was_not_made_here_is_told_so(client: Client) -> None:
    stranger = Client(client.service, uuid4(), ec_key())
    for answer in await requests_of(stranger):
        assert refusal(answer)[:2] == (403, "client-unknown"), answer.request.url


@pytest.mark.parametrize("state", [KeyState.RETIRED, KeyState.EXPIRED, KeyState.REVOKED])
async def test_access_ends_with_the_key(client: Client, state: KeyState) -> None:
    second = ec_key()
    assert (await client.post_key(second.members)).status_code == 200
    async with client.service.database.sessions.begin() as db:
        await db.execute(
            update(ClientKey)
            .where(ClientKey.thumbprint == client.key.thumbprint)
            .values(state=state)
        )
    for answer in await requests_of(client):
        assert refusal(answer)[:2] == (401, "dpop-proof-rejected"), answer.request.url
    assert (await Client(client.service, client.client_id, second).get()).status_code == 200


async def test_a_key_that_has_ended_for_another_client_is_no_matter(service: Service) -> None:
    one, other = await service.client(), await service.client()
    async with service.database.sessions.begin() as db:
        await db.execute(
            update(ClientKey)
            .where(ClientKey.client_id == one.client_id)
            .values(state=KeyState.RETIRED)
        )
    borrowed = Client(service, other.client_id, one.key)
    assert (await borrowed.get()).status_code == 200


async def test_one_client_never_sees_another(service: Service) -> None:
    one = await service.client(childOrganizationNumbers=["310000175"])
    other = await service.client()
    assert (await one.get()).json()["childOrganizationNumbers"] == ["310000175"]
    assert (await other.get()).json()["childOrganizationNumbers"] == []
    theirs = (await other.get("/v1/client-secret")).json()
    assert [key["jwkThumbprint"] for key in theirs] == [other.key.thumbprint]
    stolen = await other.call("DELETE", f"/v1/client-secret/{one.key.thumbprint}")
    assert refusal(stolen)[:2] == (404, "key-not-found")
