"""What the sandbox's controls do with the service's own state."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import msgspec
import pytest
from litestar import Litestar
from sqlalchemy import func, select, update

from app.access.models import ApiKey, UsedProof
from app.apis.models import CatalogueVersion
from app.approvals.models import ScopeAccess
from app.audit.models import AuditEvent
from app.client_drafts.models import ClientDraft
from app.client_drafts.rules import DraftStatus
from app.clients.models import ClientConfiguration
from app.main import real_time
from app.publications.models import Publication
from app.sandbox_service.controls import create_app
from app.sandbox_service.seed import API_KEYS, seed
from app.sandbox_service.service import create_service
from app.sandbox_service.state import make_state
from app.settings import NOT_FROM_VARIABLES, Settings
from app.web.frame import Frame
from tests.applications import alive
from tests.installers.keys import ec_key
from tests.serving import CLIENT_SCOPE, REVOKED, Service, a_draft, problem_of, serving

SECRET = "the-secret-of-these-controls"
RETURN = "http://localhost:8765/callback"


def as_variables(settings: Settings) -> dict[str, str]:
    """The settings as a process gets them."""
    written = {}
    for name, value in msgspec.structs.asdict(settings).items():
        if value is not None and name not in NOT_FROM_VARIABLES:
            text = ",".join(value) if isinstance(value, list) else str(value)
            written[f"ONBOARDING_{name.upper()}"] = text
    return written


@pytest.fixture
async def service(seeded_url: str) -> AsyncIterator[Service]:
    async with serving(seeded_url, clock=real_time) as service:
        yield service


@asynccontextmanager
async def controlling(
    service: Service, folder: Path, monkeypatch: pytest.MonkeyPatch, *, auto_confirm: bool = False
) -> AsyncIterator[httpx2.AsyncClient]:
    told = folder / "neighbours.json"
    told.write_bytes(msgspec.json.encode({"controlsSecret": SECRET, "autoConfirm": auto_confirm}))
    for name, value in as_variables(service.settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SANDBOX_NEIGHBOURS_FILE", str(told))
    monkeypatch.setattr("app.main.ISSUER_KNOWS_WITHIN", timedelta(milliseconds=50))
    await make_state(service.settings.database_url)
    framed = create_app()
    assert isinstance(framed, Frame)
    assert isinstance(framed.app, Litestar)
    transport = httpx2.ASGITransport(app=framed)  # type: ignore[arg-type]  # Litestar's own types
    async with (
        alive(framed.app),
        httpx2.AsyncClient(
            transport=transport,
            base_url="http://127.0.0.1:9",
            headers={"Sandbox-Secret": SECRET},
        ) as http,
    ):
        yield http


@pytest.fixture
async def controls(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx2.AsyncClient]:
    async with controlling(service, tmp_path, monkeypatch) as http:
        yield http


async def new_draft(service: Service, **members: Any) -> str:
    given = {"postClientConfirmationRedirectUri": RETURN} | members
    answer = await service.draft(a_draft(**given))
    assert answer.status_code == 201, answer.text
    client_id: str = answer.json()["clientId"]
    return client_id


async def press(
    controls: httpx2.AsyncClient, client_id: object, decision: str = "approve", **more: Any
) -> httpx2.Response:
    return await controls.post(f"/clients/{client_id}/decision", json={"decision": decision} | more)


async def test_the_way_back_of_a_new_installer_brings_its_code(
    service: Service, controls: httpx2.AsyncClient
) -> None:
    body = a_draft(postClientConfirmationRedirectUri=RETURN)
    told = (await service.draft(body, api_key="sandbox-sky")).json()
    for _ in range(2):
        went = (await press(controls, told["clientId"])).json()
        assert went["status"] == "Success"
        assert went["redirectUri"].startswith(f"{RETURN}?status=Success&code=")


async def test_a_new_key_is_decided_on_by_the_client_that_gets_it(
    service: Service, controls: httpx2.AsyncClient
) -> None:
    client_id = await new_draft(service)
    await press(controls, client_id)
    assert await new_draft(service, replacesKeysOf=client_id) == client_id
    assert (await press(controls, client_id)).json() == {
        "clientId": client_id,
        "status": "Success",
        "redirectUri": f"{RETURN}?status=Success",
    }
    kinds = [(mail["kind"], mail["recipient"]) for mail in (await controls.get("/mailbox")).json()]
    assert kinds == [
        ("clientConfirmed", "organization"),
        ("clientConfirmed", "supplier"),
        ("keysReplaced", "organization"),
        ("keysReplaced", "supplier"),
    ]


async def test_without_the_secret_there_is_nothing(controls: httpx2.AsyncClient) -> None:
    for secret in ("", "wrong", SECRET + "x"):
        for path in ("/reset", "/approvals", f"/clients/{uuid4()}/decision"):
            answer = await controls.post(path, headers={"Sandbox-Secret": secret})
            assert answer.status_code == 404


async def test_a_person_presses_as_on_the_page(
    service: Service, controls: httpx2.AsyncClient
) -> None:
    client_id = await new_draft(service)
    for _ in range(2):
        answer = await press(controls, client_id, person="Synne Leder")
        assert (answer.status_code, answer.json()) == (
            200,
            {
                "clientId": client_id,
                "status": "Success",
                "redirectUri": f"{RETURN}?status=Success",
            },
        )
    clients = select(ClientConfiguration.client_id)
    assert UUID(client_id) in await service.ask(clients)
    actors = select(AuditEvent.actor).where(AuditEvent.happened == "clientDraft.confirmed")
    assert "Synne" not in str(await service.ask(actors))


async def test_a_person_may_decline(service: Service, controls: httpx2.AsyncClient) -> None:
    client_id = await new_draft(service)
    answer = await press(controls, client_id, "reject")
    assert answer.json()["redirectUri"] == f"{RETURN}?status=Cancelled"
    assert (await press(controls, client_id, "reject")).json()["status"] == "Cancelled"
    refused = await press(controls, client_id)
    assert refused.status_code == 409
    problem_of(refused)


async def test_the_organization_that_declines_always_does(
    service: Service, controls: httpx2.AsyncClient
) -> None:
    client_id = await new_draft(service, organizationNumber="310000027")
    assert (await press(controls, client_id)).json()["status"] == "Cancelled"
    assert await service.ask(select(ClientDraft.status)) == [DraftStatus.DECLINED]


async def test_the_organization_whose_drafts_expire(
    service: Service, controls: httpx2.AsyncClient
) -> None:
    client_id = await new_draft(service, organizationNumber="310000043")
    answer = await press(controls, client_id)
    assert answer.json()["redirectUri"] == f"{RETURN}?status=Expired"


async def test_what_cannot_be_pressed(controls: httpx2.AsyncClient) -> None:
    assert (await press(controls, uuid4())).status_code == 404
    assert (await press(controls, "nonsense")).status_code == 404
    for body in (b"", b"{}", b'{"decision":"perhaps"}', b'{"decision":"approve","x":1}'):
        answer = await controls.post(f"/clients/{uuid4()}/decision", content=body)
        assert answer.status_code == 400
        problem_of(answer)


async def test_an_owner_decides_by_the_control(
    service: Service, controls: httpx2.AsyncClient
) -> None:
    client_id = await new_draft(service, apiScopes=[CLIENT_SCOPE, "nhn:msh/api"])
    await press(controls, client_id)
    asked = {"clientId": client_id, "scope": "nhn:msh/api"}
    state = select(ScopeAccess.state).where(ScopeAccess.scope == "nhn:msh/api")
    for decision, expected in (("approve", "granted"), ("refuse", "revoked")):
        answer = await controls.post("/approvals", json=asked | {"decision": decision})
        assert (answer.status_code, answer.content) == (204, b"")
        assert await service.ask(state) == [expected]
    nothing = {"clientId": client_id, "scope": "nhn:no/such", "decision": "approve"}
    assert (await controls.post("/approvals", json=nothing)).status_code == 404


async def test_the_operator_speaks_by_the_control(
    service: Service, controls: httpx2.AsyncClient
) -> None:
    client = await service.client()
    address = f"/clients/{client.client_id}/operator"
    for action, status, answered in (("block", "blocked", 403), ("unblock", "active", 200)):
        said = await controls.post(address, json={"action": action, "reason": "a test"})
        assert said.json() == {"clientId": str(client.client_id), "status": status}
        assert (await client.get()).status_code == answered
    again = await controls.post(address, json={"action": "unblock"})
    assert again.status_code == 409
    assert problem_of(again)["type"].endswith("/wrong-state")
    trail = select(AuditEvent.actor).where(AuditEvent.happened == "client.blocked")
    assert await service.ask(trail) == ["sandbox"]


async def test_a_key_leaks_and_is_revoked_by_the_control(
    service: Service, controls: httpx2.AsyncClient
) -> None:
    client = await service.client()
    key = f"/clients/{client.client_id}/keys/{client.key.thumbprint}"
    for _ in range(2):
        leaked = await controls.post(f"{key}/leak")
        assert (leaked.status_code, leaked.json()["state"]) == (200, "activating")
    kinds = [mail["kind"] for mail in (await controls.get("/mailbox")).json()]
    assert kinds.count("keyLeaked") == 2  # to the organization and to the supplier
    assert (await client.get()).status_code == 200
    assert (await controls.post(f"{key}/revoke")).json()["state"] == "revoked"
    for word in ("leak", "revoke"):
        gone = await controls.post(f"{key}/{word}")
        assert gone.status_code == 404
        assert problem_of(gone)["type"].endswith("/key-not-found")


async def test_the_overview_tells_what_each_client_waits_for(
    service: Service, controls: httpx2.AsyncClient
) -> None:
    mine = await new_draft(service, externalRef="EPJ 7%")
    other = await new_draft(service)
    assert len((await controls.get("/overview")).json()["clients"]) >= 2
    for find in ("epj 7%", mine[:13], mine):
        [seen] = (await controls.get("/overview", params={"find": find})).json()["clients"]
        assert seen["clientId"] == mine
        assert seen["onboarding"]["state"] == "waitingForConfirmation"
        [first, *_] = seen["onboarding"]["steps"]
        assert (first["code"], first["status"]) == ("confirmClient", "current")
    await press(controls, other)
    [seen] = (await controls.get("/overview", params={"find": other})).json()["clients"]
    assert seen["onboarding"]["steps"][0]["status"] == "done"
    assert (await controls.get("/overview", params={"find": "_"})).json()["clients"] == []


async def begun_with(service: Service) -> dict[str, set[Any]]:
    return {
        "keys": set(await service.ask(select(ApiKey.prefix))),
        "clients": set(await service.ask(select(ClientConfiguration.client_id))),
        "drafts": set(await service.ask(select(ClientDraft.client_id))),
    }


async def test_a_reset_leaves_what_the_sandbox_begins_with_and_the_trail(
    service: Service, controls: httpx2.AsyncClient
) -> None:
    before = await begun_with(service)
    client = await service.client()
    await client.get()
    assert await begun_with(service) != before
    events = (await service.ask(select(func.max(AuditEvent.id))))[0]
    assert (await controls.post("/reset")).status_code == 204
    assert await begun_with(service) == before
    assert await service.ask(select(UsedProof.jti)) == []
    assert (await service.ask(select(func.max(AuditEvent.id))))[0] >= events
    assert (await client.get()).status_code == 403
    # A process keeps catalogues by their version: the new one must not look like an old one.
    assert await service.ask(select(CatalogueVersion.version)) > [1]
    assert (await service.draft(a_draft())).status_code == 201


async def test_seeding_again_changes_nothing_but_what_the_issuer_is_told(
    service: Service,
) -> None:
    async def counts() -> list[Any]:
        tables = (CatalogueVersion, ApiKey, ClientConfiguration, AuditEvent)
        return [await service.ask(select(func.count()).select_from(table)) for table in tables]

    before, wanted = await counts(), await service.ask(select(Publication.wanted))
    await seed(service.settings)
    assert await counts() == before
    told_again = [version + 1 for version in wanted]
    assert await service.ask(select(Publication.wanted)) == told_again


async def test_seeding_brings_back_what_is_missing_and_leaves_what_was_revoked(
    service: Service,
) -> None:
    async with service.database.sessions.begin() as db:
        await db.execute(update(ApiKey).values(revoked_at=real_time()))
    await seed(service.settings)
    keys = select(ApiKey.prefix).where(ApiKey.revoked_at.is_not(None))
    assert set(await service.ask(keys)) == set(API_KEYS)
    assert (await service.draft(a_draft(), api_key=REVOKED)).status_code == 401


async def test_drafts_confirm_themselves_where_that_was_asked_for(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ec_key()
    statuses = select(ClientDraft.status).order_by(ClientDraft.created_at)
    async with controlling(service, tmp_path, monkeypatch, auto_confirm=True):
        for body in (a_draft(key), a_draft(key), a_draft(organizationNumber="310000027")):
            if (await service.draft(body)).status_code == 409:
                break  # the first has been confirmed already
        await new_draft(service)
        for _ in range(100):
            if (await service.ask(statuses))[-1] == DraftStatus.CONFIRMED:
                break
            await asyncio.sleep(0.05)
    # The one before it, which cannot be confirmed, has stopped nobody.
    assert (await service.ask(statuses))[-1] == DraftStatus.CONFIRMED


async def test_every_answer_of_the_sandbox_says_that_it_is_one(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = tmp_path / "neighbours.json"
    told.write_text('{"controlsSecret": "a-secret", "journal": false}', "utf-8")
    monkeypatch.setenv("SANDBOX_NEIGHBOURS_FILE", str(told))
    for name, value in as_variables(service.settings).items():
        monkeypatch.setenv(name, value)
    app: Any = create_service()
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:9") as http:
        for path in ("/health/live", "/v1/nothing"):
            assert (await http.get(path)).headers["sandbox"] == "true"
