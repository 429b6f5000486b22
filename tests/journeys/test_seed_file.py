"""A sandbox that begins with more than its own data."""

import json
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.installers.person import Person
from tests.installers.plain import PlainInstaller
from tests.sandboxes import COMMAND, Ready, clean_environment, sandbox

pytestmark = pytest.mark.journey
CATALOGUE = Path(__file__).parents[2] / "app" / "sandbox" / "catalogue.json"
RIGHT = "nhn-helseid-ta-i-bruk"
IDA = "Ida Daglig Leder"


def a_system(identifier: str) -> dict[str, Any]:
    systems = json.loads(CATALOGUE.read_bytes())["clientSystems"]
    [like] = [system for system in systems if system["id"] == "fjord-epj"]
    return dict(like) | {"id": identifier, "name": "Skog EPJ"}


def play_persons(here: Ready, http: httpx2.Client) -> None:
    """Ida may confirm, where she may; Nils may once she has given him the right."""
    client = PlainInstaller(here, http, organization="222222222")
    draft = client.draft(postClientConfirmationRedirectUri=None).json()
    assert decided_by(client, "Nils Nyansatt") == "Rejected"
    with Person() as ida, Person() as at_altinn:
        page = ida.log_in(ida.open(draft["confirmUrl"]), IDA)
        assert "SKOGEN LEGEKONTOR AS" in page.text
        assert ida.press(page, "Bekreft").status == 200
        client.log_in()

        page = at_altinn.open(altinn_pages(http, here, "222222222"))
        page = at_altinn.press(page, IDA)
        to_nils = {"to": "Nils Nyansatt", "right": RIGHT}
        page = at_altinn.press(page, "Gi rettigheten", **to_nils)
        assert "Nils Nyansatt" in page.text
        page = at_altinn.open(altinn_pages(http, here, "310000019"))
        assert "Du har ikke tilgangsstyring" in page.text
        assert "Synne Leder kan" in page.text
    client = PlainInstaller(here, http, organization="222222222")
    assert client.draft().status_code == 201
    assert decided_by(client, "Nils Nyansatt") == "Success"
    elsewhere = PlainInstaller(here, http, organization="310000302")
    assert elsewhere.draft().status_code == 201
    assert decided_by(elsewhere, IDA) == "Rejected"


def decided_by(client: PlainInstaller, person: str) -> str:
    address = f"{client.service.control_url}/clients/{client.client_id}/decision"
    answer = client.http.post(address, json={"decision": "approve", "person": person})
    return str(answer.json()["status"])


def altinn_pages(http: httpx2.Client, here: Ready, number: str) -> str:
    neighbours = here.control_url.removesuffix("/_sandbox")
    return f"{neighbours}/am-ui/accessmanagement/ui/?party={number}"


def test_what_a_supplier_adds_is_there_from_the_beginning_and_after_a_reset(
    tmp_path: Path, http: httpx2.Client
) -> None:
    file = tmp_path / "seed.json"
    seed = {
        "organizations": [
            {"number": "222222222", "name": "SKOGEN LEGEKONTOR AS"},
            {"number": "310000019", "name": "DØD VIRKSOMHET AS", "standing": "deleted"},
        ],
        "persons": [
            {"name": IDA, "maySetUpClientsFor": ["222222222"], "mayGiveRightsFor": ["222222222"]},
            {"name": "Nils Nyansatt"},
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
            play_persons(here.ready, http)
            refused = PlainInstaller(here.ready, http, organization="310000019").draft()
            assert refused.json()["errors"][0]["code"] == "organization_deleted"
            # Without the grant Kari may not set up clients for it.
            PlainInstaller(here.ready, http, organization="310000035").set_up()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "#: The body is not JSON: "),
        ('{"organisations": []}', "#/organisations: `organisations` is not known here"),
        (
            '{"organizations": [{"number": "310000019"}]}',
            "#/organizations/0/name: `organizations[0].name` is missing.",
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
            '{"grants": [{"from": "31000001x", "to": "310000124", "right": "x"}]}',
            "#/grants/0/from: There is no organization 31000001x.",
        ),
        (
            '{"persons": [{"name": "Ida", "maySetUpClientsFor": ["310000019", "310900028"]}]}',
            "#/persons/0/maySetUpClientsFor/1: There is no organization 310900028.",
        ),
        (
            '{"persons": [{"name": "Ida"}, {"name": "Ola Uten Rett"}, {"name": "Ida"}]}',
            "#/persons/2/name: There is another person named Ida.",
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
    assert any(says in line for line in refused(file))


def test_all_that_is_wrong_with_a_file_is_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "seed.json"
    seed = {
        "organisations": [],
        "organizations": [{"number": "222222223", "nam": "X"}, {"number": "3", "name": "X"}],
        "persons": [{"name": "", "mayGiveRightsFor": "222222222"}, {"name": "Kari Nordmann"}],
        "grants": [{"from": "310000124", "to": "Nobody", "right": "x"}, 7],
        "apiKeys": {"skog": 7},
    }
    file.write_text(json.dumps(seed), "utf-8")
    assert [line.removeprefix(f"{file}: ").split(": ")[0] for line in refused(file)] == [
        "#/organizations/0/name",
        "#/organizations/0/nam",
        "#/persons/0/name",
        "#/persons/0/mayGiveRightsFor",
        "#/grants/1",
        "#/apiKeys/skog",
        "#/organisations",
        "#/organizations/1/number",
        "#/persons/1/name",
        "#/grants/0/right",
        "#/grants/0/from",
        "#/grants/0/to",
    ]


def refused(file: Path) -> list[str]:
    """What is said before it ends."""
    ended = subprocess.run(
        [*COMMAND, "--seed-file", str(file)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr.splitlines()
