"""A sandbox that begins with more than its own data."""

import json
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.installers.plain import PlainInstaller
from tests.sandboxes import COMMAND, clean_environment, sandbox

pytestmark = pytest.mark.journey
CATALOGUE = Path(__file__).parents[2] / "app" / "sandbox" / "catalogue.json"
RIGHT = "nhn-helseid-ta-i-bruk"


def a_system(identifier: str) -> dict[str, Any]:
    systems = json.loads(CATALOGUE.read_bytes())["clientSystems"]
    [like] = [system for system in systems if system["id"] == "fjord-epj"]
    return dict(like) | {"id": identifier, "name": "Skog EPJ"}


def test_what_a_supplier_adds_is_there_from_the_beginning_and_after_a_reset(
    tmp_path: Path, http: httpx2.Client
) -> None:
    file = tmp_path / "seed.json"
    seed = {
        "organizations": [
            {"number": "222222222", "name": "SKOGEN LEGEKONTOR AS"},
            {"number": "310000019", "name": "DØD VIRKSOMHET AS", "standing": "deleted"},
        ],
        "grants": [{"from": "310000035", "to": "Kari Nordmann", "right": RIGHT}],
        "catalogue": {"clientSystems": [a_system("skog-epj")]},
        "apiKeys": {"skog": "skog-epj"},
    }
    file.write_text(json.dumps(seed), "utf-8")
    with sandbox("--seed-file", str(file), "--exit-with-parent", stdin=subprocess.DEVNULL) as here:
        for again in (False, True):
            if again:
                assert http.post(f"{here.ready.control_url}/reset", timeout=60).is_success
            client = PlainInstaller(here.ready, http, organization="222222222", api_key="skog")
            client.set_up()
            assert client.scopes()
            refused = PlainInstaller(here.ready, http, organization="310000019").draft()
            assert refused.json()["errors"][0]["code"] == "organization_deleted"
            # Without the grant Kari may not set up clients for it.
            PlainInstaller(here.ready, http, organization="310000035").set_up()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "#: Input data was truncated."),
        ('{"organisations": []}', "#: Object contains unknown field `organisations`."),
        (
            '{"organizations": [{"number": "310000019"}]}',
            "#/organizations/0: Object missing required field `name`.",
        ),
        (
            '{"organizations": [{"number": "310000018", "name": "X"}]}',
            "#/organizations/0/number: 310000018 is no organization number",
        ),
        (
            '{"grants": [{"from": "310000019", "to": "Nobody", "right": "x"}]}',
            "#/grants/0/to: Nobody is neither an organization nor a test person.",
        ),
        (
            '{"apiKeys": {"skog": "skog-epj"}}',
            "#/apiKeys/skog: There is no client system skog-epj.",
        ),
        (None, "No such file or directory."),
    ],
)
def test_a_bad_file_is_said_with_its_place(tmp_path: Path, content: str | None, says: str) -> None:
    file = tmp_path / "seed.json"
    if content is not None:
        file.write_text(content, "utf-8")
    ended = subprocess.run(
        [*COMMAND, "--seed-file", str(file)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert any(says in line for line in ended.stderr.splitlines()), ended.stderr
    assert "Traceback" not in ended.stderr
