"""What schemathesis loads: each request gets what authenticates it, made for this request.

Half of the requests that may succeed also get what no generator finds by chance: an organization
that exists, a key, a proof that it is held, the name of something that is the caller's own.
"""

import json
import os
import zlib
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import httpx2
import msgspec
import schemathesis
from msgspec import Struct
from schemathesis import AuthContext, Case, HookContext, Response

from tests.fuzz.running import READY_FILE
from tests.installers.keys import ec_key, key_proof
from tests.installers.plain import CLIENT_SCOPE, EDI, EPJ, PlainInstaller
from tests.sandboxes import Ready

AnyCase: TypeAlias = Case[Any]
Body: TypeAlias = dict[str, Any]
# Then a new one, so that tokens stay fresh and no client has all the keys that it may have.
CALLS_OF_ONE_CLIENT = 100
OPEN_TO_ALL = ["getCatalogue", "activateClient"]
# The fewer drafts for each: there is a limit.
ORGANIZATIONS = ["310620009", "310620017", "310620025", "310620033", "310620041", "310620068"]
SCOPES = {EPJ: [CLIENT_SCOPE, "nhn:msh/api"], EDI: [CLIENT_SCOPE]}


class Caller(Struct, frozen=True):
    """A client, and the delegations that it needs."""

    installer: PlainInstaller
    delegation_ids: list[str]


class Callers:
    """In turns of a system whose scopes need no right, and of one whose scopes do."""

    def __init__(self) -> None:
        ready = Path(os.environ[READY_FILE]).read_bytes()
        self.ready = msgspec.json.decode(ready, type=Ready)
        self.http = httpx2.Client(trust_env=False, timeout=30)
        self.calls = count(1)
        self.onboarding_tokens: dict[str, str] = {}
        self.current = self._new(EDI)

    def next(self) -> Caller:
        turn, rest = divmod(next(self.calls), CALLS_OF_ONE_CLIENT)
        if not rest:
            self.current = self._new([EDI, EPJ][turn % 2])
        return self.current

    def _new(self, api_key: str) -> Caller:
        installer = PlainInstaller(
            self.ready, self.http, organization=ORGANIZATIONS[0], api_key=api_key
        ).set_up()
        delegations = installer.call("GET", "client/delegations").json()["items"]
        return Caller(installer, [each["id"] for each in delegations])


CALLERS = Callers()


@schemathesis.auth(refresh_interval=None).skip_for(operation_id=OPEN_TO_ALL)
class Signer:
    def get(self, case: AnyCase, context: AuthContext) -> dict[str, str]:
        if operation_of(case) == "createClientDraft":
            return {"api-key": EPJ}
        caller = CALLERS.next()
        if may_succeed(case) and drawn(case.headers) % 2:
            aim(case, caller)
        client_id = str(case.path_parameters.get("client_id"))
        if token := CALLERS.onboarding_tokens.get(client_id):
            return {"Authorization": f"Bearer {token}"}
        path = case.formatted_path.removeprefix("/v1/")
        return caller.installer.authorization(case.method, path)

    def set(self, case: AnyCase, data: dict[str, str], context: AuthContext) -> None:
        case.headers.update(data)


@schemathesis.hook
def before_call(context: HookContext, case: AnyCase, kwargs: dict[str, Any]) -> None:
    made = REAL_BODIES.get(operation_of(case))
    if made is None or not may_succeed(case) or not isinstance(case.body, dict):
        return
    number = drawn(case.body)
    if number % 2:
        case.body = made(case.body, case.formatted_path, number // 2)
        case.headers.pop("If-Match", None)
        case.headers.pop("Idempotency-Key", None)


@schemathesis.hook
def after_call(context: HookContext, case: AnyCase, response: Response) -> None:
    if response.status_code == 201:
        created = response.json()
        CALLERS.onboarding_tokens[created["clientId"]] = created["onboardingToken"]


def operation_of(case: AnyCase) -> str:
    operation: str = case.operation.definition.raw["operationId"]
    return operation


def may_succeed(case: AnyCase) -> bool:
    """By the schema."""
    return case.meta is not None and case.meta.generation.mode.is_positive


def drawn(generated: Mapping[str, Any]) -> int:
    """A number that is the same in each run."""
    return zlib.crc32(json.dumps(dict(generated), sort_keys=True).encode())


def aim(case: AnyCase, caller: Caller) -> None:
    """At what is there. A link has aimed already, and better."""
    if case.meta is not None and case.meta.phase.name.value == "stateful":
        return
    aims = {
        "thumbprint": [caller.installer.key.thumbprint],
        "delegation_id": caller.delegation_ids,
        "client_id": list(CALLERS.onboarding_tokens),
    }
    for name in case.path_parameters:
        if aims[name]:
            case.path_parameters[name] = aims[name][-1]
    case.headers.pop("If-Match", None)


def a_real_draft(body: Body, path: str, number: int) -> Body:
    """With all that was generated, or with what does not depend on the catalogue."""
    organization = ORGANIZATIONS[number % len(ORGANIZATIONS)]
    real = {"organizationNumber": organization, "publicJwk": json.dumps(ec_key().members)}
    if number % 4 == 0:
        return body | real
    kept = {name: body[name] for name in ("externalRef", "pairing") if name in body}
    return kept | real | ({"apiScopes": SCOPES[EPJ]} if number % 2 else {})


def a_real_key(body: Body, path: str, number: int) -> Body:
    return dict(ec_key().members)


def a_real_proof(body: Body, path: str, number: int) -> Body:
    installer = CALLERS.current.installer
    address = f"{installer.service.base_url}{path}"
    return {"proof": key_proof(installer.key, installer.client_id, address, jti=uuid4().hex)}


def a_real_update(body: Body, path: str, number: int) -> Body:
    return {"apiScopes": SCOPES[CALLERS.current.installer.api_key], "redirectUris": []}


REAL_BODIES: Mapping[str, Callable[[Body, str, int], Body]] = {
    "createClientDraft": a_real_draft,
    "addClientSecret": a_real_key,
    "checkClientSecret": a_real_proof,
    "updateClient": a_real_update,
}
