"""What the README says is so: its commands run, and its tables are those of the code."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from app.cli import main
from app.client_configurations.wire import CurrentClient
from app.client_keys.rules import KeyState
from app.client_keys.wire import ClientSecret
from app.sandbox.altinn.numbers import (
    CONTRADICTING,
    NO_PERSONS_RIGHT,
    NOTHING_GIVEN,
    OUT_OF_ORDER,
    SEEN_LATE,
    WITHDRAWN_SOON,
)
from app.sandbox.enhetsregisteret.organizations import SERIES, TABLE
from app.sandbox.numbers import NUMBERS
from app.sandbox.token_issuer.client_store import LATE_ORGANIZATIONS
from app.settings import NOT_FROM_VARIABLES, PREFIX, Settings
from tests import sandboxes

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
SANDBOX = ROOT / "app" / "sandbox"
FIRST = "310000019"
# Suppliers have clients of others, and need no row of their own.
SUPPLIERS = {"310700029", "310700037"}


def section(heading: str) -> str:
    """What stands below a heading, to the next one of its level or above."""
    level = heading.split(" ")[0]
    found = re.search(
        rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)",
        README,
        re.DOTALL | re.MULTILINE,
    )
    assert found, heading
    return found[1]


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of the table below a heading, without its head."""
    for line in re.findall(r"^\| (.*) \|$", section(heading), re.MULTILINE)[2:]:
        yield [cell.strip() for cell in line.split("|")]


def shell_of(heading: str) -> str:
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", section(heading), re.DOTALL | re.MULTILINE))


def test_every_setting_stands_in_the_readme_with_its_default() -> None:
    told = {cells[0].strip("`"): cells[1].strip("`") for cells in rows("### Settings")}
    settings = {
        PREFIX + field.name.upper(): _written(field)
        for field in msgspec.structs.fields(Settings)
        if field.name not in NOT_FROM_VARIABLES
    }
    assert told == settings


def _written(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    if field.default in (None, "") or field.default is msgspec.NODEFAULT:
        return ""
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)


def test_every_command_stands_in_the_readme() -> None:
    told: dict[str, set[str]] = {}
    for cells in rows("### Commands"):
        first, *others = re.findall(r"`([^`]+)`", cells[0])
        _, command, *sub = first.split(" ")
        told[command] = {*sub, *others}
    context = click.Context(main)
    commands = {
        name: _parts(main.get_command(context, name)) for name in main.list_commands(context)
    }
    assert told == commands


def _parts(command: click.Command | None) -> set[str]:
    """The commands of a group, which is loaded when it is used."""
    if not isinstance(command, click.Group):
        return set()
    return set(command.list_commands(click.Context(command)))


def test_every_room_stands_in_the_readme() -> None:
    rooms = {folder.parent.name for folder in (ROOT / "app").glob("*/__init__.py")}
    assert {cells[0].strip("`") for cells in rows("## The rooms")} == rooms


def test_the_table_of_the_numbers_is_that_of_the_code() -> None:
    assert dict(rows("## What the sandbox holds")) == NUMBERS


def test_every_number_that_does_something_has_its_words() -> None:
    catalogue = json.loads((SANDBOX / "catalogue.json").read_text("utf-8"))
    decisions = json.loads((SANDBOX / "decisions.json").read_text("utf-8"))
    register = {each.number for each in TABLE if SERIES[0] <= each.number <= SERIES[1]}
    special = (
        {rule["organizationNumber"] for rule in catalogue["organizationRules"]}
        | set(decisions)
        | set(LATE_ORGANIZATIONS)
        | {NO_PERSONS_RIGHT, NOTHING_GIVEN, WITHDRAWN_SOON, SEEN_LATE, OUT_OF_ORDER, CONTRADICTING}
        | register
    )
    assert next(iter(NUMBERS)) == FIRST
    assert NUMBERS.keys() == special - SUPPLIERS
    assert list(NUMBERS) == sorted(NUMBERS)


@pytest.mark.journey
def test_the_steps_of_the_readme_lead_to_a_client_with_two_keys(tmp_path: Path) -> None:
    with sandboxes.sandbox("--exit-with-parent", stdin=subprocess.DEVNULL) as running:
        script = shell_of("## An installer's way, in six steps")
        addresses = {
            "BASE": running.ready.base_url,
            "NEIGHBOURS": running.ready.control_url.removesuffix("/_sandbox"),
        }
        for name, address in addresses.items():
            script, replaced = re.subn(
                rf"^{name}=.*$", f"{name}={address}", script, flags=re.MULTILINE
            )
            assert replaced == 1
        for step in ("GET /v1/client", "GET /v1/client-secret"):
            kept = tmp_path / step.rsplit("/")[-1]
            script = script.replace(f"call {step}\n", f"call {step} | tee '{kept}'\n")
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "TMPDIR": str(tmp_path)}
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr.decode()
    client = msgspec.json.decode((tmp_path / "client").read_bytes(), type=CurrentClient)
    assert {scope.scope for scope in client.api_scopes} >= {"nhn:selvbetjening/client"}
    keys = msgspec.json.decode((tmp_path / "client-secret").read_bytes(), type=list[ClientSecret])
    assert [key.state for key in keys] == [KeyState.ACTIVE, KeyState.ACTIVE]
    assert b"use_dpop_nonce" in done.stdout
