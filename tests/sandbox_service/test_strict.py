"""What `--strict` adds: strange answers, alike each time, and nothing that the document denies."""

from random import Random
from typing import Any, cast
from uuid import uuid4

import httpx2
from jsonschema import Draft202012Validator
from litestar import Litestar, Response, get
from litestar.types import ASGIApp

from app.api_document import api_document
from app.sandbox_service.strict import NOVELTY, StrictAnswers, strange

SCOPES = [{"scope": f"nhn:{number}/api"} for number in range(20)]


@get(["/v1/client", "/v1/onboardings/{_:uuid}", "/health/ready"])
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


async def test_an_answer_is_alike_in_another_run_where_ids_are_others() -> None:
    runs = [await answers(7, f"/v1/onboardings/{uuid4()}") for _ in range(2)]
    assert runs[0][0].json() == runs[1][0].json()


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
