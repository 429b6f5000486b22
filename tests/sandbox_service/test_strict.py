"""What `--strict` adds: strange answers, alike each time, and nothing that the document denies."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any, cast

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from jsonschema import Draft202012Validator
from litestar import Litestar, Response, get, post
from litestar.types import ASGIApp

from app.api_document import api_document
from app.sandbox.token_issuer.issuer import Issuer
from app.sandbox.token_issuer.strictness import StrictNonces
from app.sandbox_service.strict import NOVELTY, StrictAnswers, strange

SCOPES = [{"scope": f"nhn:{number}/api"} for number in range(20)]


@get(["/v1/client", "/health/ready"])
async def client() -> dict[str, Any]:
    return {"apiScopes": SCOPES, "steps": [{"id": "1", "code": "confirmClient"}]}


@get("/v1/nothing", status_code=304)
async def nothing() -> Response[None]:
    return Response(None, status_code=304, media_type="application/json")


def asked(app: ASGIApp) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(cast(Any, app))
    return httpx2.AsyncClient(transport=transport, base_url="http://strict")


async def answers(seed: int, path: str, times: int = 1) -> list[httpx2.Response]:
    app = StrictAnswers(Litestar([client, nothing], openapi_config=None), seed)
    async with asked(app) as http:
        return [await http.get(path) for _ in range(times)]


async def test_an_answer_is_strange_and_alike_each_time() -> None:
    first, second = await answers(7, "/v1/client", times=2)
    [other_run] = await answers(7, "/v1/client")
    [other_seed] = await answers(8, "/v1/client")
    assert first.json() == second.json() == other_run.json() != other_seed.json()
    body = first.json()
    assert NOVELTY in body
    assert all(NOVELTY in scope for scope in body["apiScopes"])
    order = [scope["scope"] for scope in body["apiScopes"]]
    known = [scope["scope"] for scope in SCOPES]
    assert order != known
    assert sorted(order) == sorted(known)
    assert [step["code"] for step in body["steps"]] == ["confirmClient", NOVELTY]
    assert int(first.headers["content-length"]) == len(first.content)


async def test_what_is_no_answer_of_the_api_stays_as_it_is() -> None:
    [ready] = await answers(7, "/health/ready")
    assert ready.json()["apiScopes"] == SCOPES
    [nothing] = await answers(7, "/v1/nothing")
    assert (nothing.status_code, nothing.content) == (304, b"")


def test_strange_answers_are_still_those_of_the_document() -> None:
    document = api_document()
    checked = 0
    for item in document["paths"].values():
        for operation in item.values():
            for answer in operation["responses"].values():
                for content in answer.get("content", {}).values():
                    schema = content["schema"] | {"components": document["components"]}
                    changed = strange(content["example"], Random(7))
                    Draft202012Validator(schema).validate(changed)
                    checked += 1
    assert checked > 5


def test_lists_with_an_order_keep_it() -> None:
    keys = [{"kid": str(number)} for number in range(20)]
    steps = [{"id": str(number), "code": "approveScope"} for number in range(20)]
    seen = strange({"items": keys, "steps": steps}, Random(7))
    assert [key["kid"] for key in seen["items"]] == [str(number) for number in range(20)]
    assert [step["id"] for step in seen["steps"][:-1]] == [str(number) for number in range(20)]


@post("/connect/token", status_code=200)
async def token() -> dict[str, str]:
    return {"access_token": "given"}


def proof_with(nonce: str | None) -> str:
    key = ECKey.generate_key("P-256")
    claims = {"jti": "1"} if nonce is None else {"jti": "1", "nonce": nonce}
    return jwt.encode({"alg": "ES256", "typ": "dpop+jwt"}, claims, key)


@asynccontextmanager
async def strict_issuer(seed: int) -> AsyncIterator[Callable[[str], Awaitable[httpx2.Response]]]:
    """What sends it a proof."""
    now = datetime.now(UTC)
    issuer = Issuer("http://strict/sts", registration_token="", login_client=None, now=now)
    app = StrictNonces(Litestar([token], openapi_config=None), issuer, seed)
    async with asked(app) as http:
        yield lambda proof: http.post("/connect/token", headers={"DPoP": proof})


async def statuses(seed: int, nonces: list[str]) -> list[int]:
    async with strict_issuer(seed) as ask:
        return [(await ask(proof_with(nonce))).status_code for nonce in nonces]


async def test_a_share_of_good_nonces_is_refused_by_the_seed() -> None:
    nonces = [f"good {number}" for number in range(60)]
    seen = await statuses(7, nonces)
    assert 10 < Counter(seen)[400] < 30
    assert seen == await statuses(7, nonces)
    assert seen != await statuses(8, nonces)


async def test_a_nonce_that_was_given_with_a_refusal_is_taken() -> None:
    refused = []
    async with strict_issuer(7) as ask:
        for number in range(60):
            answer = await ask(proof_with(f"good {number}"))
            if answer.status_code == 400:
                refused.append(answer.headers["dpop-nonce"])
                assert answer.json()["error"] == "use_dpop_nonce"
        assert refused
        for nonce in refused:
            assert (await ask(proof_with(nonce))).status_code == 200


@pytest.mark.parametrize("proof", ["", "nonsense", proof_with(None)])
async def test_without_a_nonce_the_issuer_itself_answers(proof: str) -> None:
    async with strict_issuer(7) as ask:
        assert {(await ask(proof)).status_code for _ in range(20)} == {200}
