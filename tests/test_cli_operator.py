"""The operator's commands, as they are typed, on a real database."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from click.testing import CliRunner, Result
from joserfc.jwk import ECKey

from app.audit.sealing import seal_trail
from app.cli import main
from app.database import Database
from tests.databases import execute, fetched

SEED = Path(__file__).parents[1] / "app" / "sandbox" / "catalogue.json"
CLIENT = "3c0a7c1e-5d2f-4b6a-9e41-7f10c2a4d8b5"

LOGIN_KEY = ECKey.generate_key("P-256")

Run: TypeAlias = Callable[..., Result]


@pytest.fixture
def run(database_url: str) -> Run:
    settings = {
        "ONBOARDING_DATABASE_URL": database_url,
        "ONBOARDING_PUBLIC_BASE_URLS": "http://127.0.0.1:8080",
        "ONBOARDING_ENVIRONMENT": "test",
        "ONBOARDING_SECRET_KEY": "s" * 32,
        "ONBOARDING_ISSUER": "http://127.0.0.1:8081/sts",
        "ONBOARDING_REGISTRATION_TOKEN": "r" * 32,
        "ONBOARDING_LOGIN_CLIENT_ID": "login",
        "ONBOARDING_LOGIN_KEY": json.dumps(LOGIN_KEY.as_dict(private=True)),
    }

    def run(*arguments: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(main, arguments, env=settings, input=typed)

    return run


async def seal(url: str) -> None:
    database = Database(url)
    await seal_trail(database.sessions)
    await database.engine.dispose()


@pytest.fixture
def seeded(run: Run) -> Run:
    assert run("catalogue", "apply", str(SEED), "--yes").exit_code == 0
    return run


def test_the_help_names_every_group(run: Run) -> None:
    listed = run("--help").output
    for name in ("catalogue", "api-key", "client", "approvals", "audit", "serve"):
        assert f"  {name} " in listed


def test_a_catalogue_is_shown_before_it_is_applied(run: Run) -> None:
    refused = run("catalogue", "apply", str(SEED), typed="n\n")
    assert refused.exit_code == 1
    assert "+ api nhn:msh" in refused.output
    assert run("catalogue", "show").exit_code == 1
    applied = run("catalogue", "apply", str(SEED), typed="y\n")
    assert applied.exit_code == 0
    assert "Nothing to change." in run("catalogue", "apply", str(SEED)).output


def test_what_is_shown_can_be_applied(seeded: Run, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.json"
    file.write_text(seeded("catalogue", "show").output, encoding="utf-8")
    assert "Nothing to change." in seeded("catalogue", "apply", str(file)).output


def test_a_bad_catalogue_is_refused_with_all_its_faults(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.json"
    file.write_text('{"apis": [{}], "clientSystems": 5}', encoding="utf-8")
    refused = run("catalogue", "apply", str(file))
    assert refused.exit_code == 1
    assert "#/apis/0/owner: " in refused.output
    assert "#/clientSystems: " in refused.output


def test_an_api_key_is_shown_once_and_can_be_revoked(seeded: Run) -> None:
    created = seeded("api-key", "create", "fjord-epj", "--label", "Fjord, 2026")
    text = created.stdout.strip()
    prefix = text[: len("ok_12345678")]
    assert len(text) == len("ok_12345678_") + 43
    listed = seeded("api-key", "list").output
    assert prefix in listed
    assert "Fjord, 2026" in listed
    assert text not in listed
    assert seeded("api-key", "revoke", prefix).exit_code == 0
    again = seeded("api-key", "revoke", prefix)
    assert again.exit_code == 1
    assert "was revoked at" in again.output
    assert seeded("api-key", "revoke", "ok_00000000").exit_code == 1


@pytest.mark.parametrize("system", ["no-such-system", "fjord-databehandler"])
def test_only_systems_that_make_drafts_get_keys(seeded: Run, system: str) -> None:
    assert seeded("api-key", "create", system, "--label", "x").exit_code == 1


def test_a_client_is_shown_blocked_and_closed(seeded: Run) -> None:
    shown = json.loads(seeded("client", "show", CLIENT).output)
    assert shown["status"] == "active"
    assert shown["scopes"][0]["scopeAccess"] == "granted"
    assert "is blocked" in seeded("client", "block", CLIENT, "--reason", "Lekkasje").output
    assert seeded("client", "block", CLIENT).exit_code == 1
    assert "is active again" in seeded("client", "unblock", CLIENT).output
    assert seeded("client", "close", CLIENT, typed="n\n").exit_code == 1
    assert "is closed" in seeded("client", "close", CLIENT, "--yes").output
    assert json.loads(seeded("client", "show", CLIENT).output)["status"] == "closed"


def test_a_key_of_a_client_is_revoked(seeded: Run) -> None:
    [key] = json.loads(seeded("client", "show", CLIENT).output)["keys"]
    revoke = ("client", "revoke-key", CLIENT, key["thumbprint"], "--reason", "Lekkasje")
    assert "is revoked" in seeded(*revoke).output
    [key] = json.loads(seeded("client", "show", CLIENT).output)["keys"]
    assert key["state"] == "revoked"
    assert seeded(*revoke).exit_code == 1


def test_the_onboarding_token_of_a_client_is_revoked(seeded: Run, database_url: str) -> None:
    revoke = ("client", "revoke-onboarding-token", CLIENT, "--reason", "Lekkasje")
    for _ in range(2):
        assert "is revoked" in seeded(*revoke).output
    [version] = fetched(database_url, "SELECT version FROM onboarding_token_versions")
    assert version == 3
    told = "SELECT actor || ' ' || (details->>'reason') FROM audit_events WHERE happened = "
    assert fetched(database_url, told + "'onboardingToken.revoked'") == ["operator Lekkasje"] * 2
    unknown = seeded("client", "revoke-onboarding-token", CLIENT.replace("3", "4"))
    assert (unknown.exit_code, unknown.exception.__class__) == (1, SystemExit)
    assert "No draft and no client has the id" in unknown.output


def test_a_clients_delegations_and_its_organizations_mark_are_shown(
    seeded: Run, database_url: str
) -> None:
    assert json.loads(seeded("client", "show", CLIENT).output)["organizationMark"] is None
    execute(
        database_url,
        "INSERT INTO organizations (organization_number, verdict, winding_up, checked_at,"
        " outdated, mark, marked_at) SELECT organization_number, 'bankrupt', false, now(), false,"
        f" 'bankrupt', now() FROM client_configurations WHERE client_id = '{CLIENT}'",
    )
    shown = json.loads(seeded("client", "show", CLIENT).output)
    assert shown["organizationMark"]["mark"] == "bankrupt"
    assert {entry["from"] for entry in shown["delegations"]} >= {"310000019"}
    for entry in shown["delegations"]:
        assert entry["right"] == "nhn-helseid-databehandler"
        assert (entry["state"], entry["checkedAt"], entry["source"]) == ("unknown", None, None)
        assert entry["since"]
        assert entry["nextCheckAt"]


def test_what_waits_is_listed_and_decided(seeded: Run, database_url: str) -> None:
    assert "Nothing waits." in seeded("approvals", "list").output
    execute(database_url, "UPDATE scope_accesses SET state = 'pending' WHERE position > 0")
    listed = seeded("approvals", "list").output
    assert listed.count(CLIENT) == 3
    approved = seeded("approvals", "approve", CLIENT, "--scope", "nhn:fullmakt/read")
    assert approved.exit_code == 0
    refused = seeded("approvals", "refuse", CLIENT, "--reason", "Ingen avtale.")
    assert refused.exit_code == 0
    scopes = json.loads(seeded("client", "show", CLIENT).output)["scopes"]
    assert [scope["scopeAccess"] for scope in scopes] == [
        "granted",
        "granted",
        "rejected",
        "rejected",
    ]
    assert scopes[2]["reason"] == "Ingen avtale."
    assert seeded("approvals", "approve", CLIENT).exit_code == 1


def test_the_trail_is_verified_against_what_was_exported(
    seeded: Run, database_url: str, tmp_path: Path
) -> None:
    assert "0 sealed events were checked; 3 wait" in seeded("audit", "verify").output
    assert seeded("audit", "export").output == ""
    asyncio.run(seal(database_url))
    verified = seeded("audit", "verify")
    assert "3 sealed events were checked; 0 wait" in verified.output
    assert "The trail is whole." in verified.output
    file = tmp_path / "anchors.jsonl"
    file.write_text(seeded("audit", "export").output, encoding="utf-8")
    assert json.loads(file.read_text(encoding="utf-8"))["number"] == 3
    assert seeded("audit", "verify", "--anchors", str(file)).exit_code == 0
    file.write_text(file.read_text(encoding="utf-8").replace(":3,", ":4,"), encoding="utf-8")
    broken = seeded("audit", "verify", "--anchors", str(file))
    assert broken.exit_code == 1
    assert "Seal 4 was exported and is gone." in broken.output


def test_a_missing_setting_is_named() -> None:
    refused = CliRunner().invoke(main, ["api-key", "list"], env={"ONBOARDING_NONSENSE": "1"})
    assert refused.exit_code == 1
    assert "ONBOARDING_NONSENSE is not a setting" in refused.output


def test_a_database_that_is_not_migrated_is_refused(run: Run, database_url: str) -> None:
    execute(database_url, "UPDATE alembic_version SET version_num = '0000'")
    refused = run("api-key", "list")
    assert refused.exit_code == 1
    assert "onboarding migrate" in refused.output
