"""From the command to the last line of the story."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from app.demo.installer import Installer
from app.demo.places import (
    BASE_URL,
    Places,
    client_for,
    demand_sandbox,
    is_sandbox,
    own_sandbox,
    places_at,
    places_in,
)
from app.demo.story import tell_story
from app.demo.telling import Teller


def play(
    base_url: str | None, control_url: str | None, ready_file: Path | None, *, browser: bool
) -> None:
    """`DemoFailed` when there is no sandbox, or something in it does not go as told."""
    with _sandbox(base_url, control_url, ready_file) as places, client_for(places) as http:
        click.echo(f"An installer meets the sandbox at {places.base_url}.")
        tell_story(Installer(places, http, Teller()), browser=browser)


@contextmanager
def _sandbox(
    base_url: str | None, control_url: str | None, ready_file: Path | None
) -> Iterator[Places]:
    """The one that was named, or the one that `make sandbox` starts, or one of our own."""
    if ready_file is not None or base_url is not None or control_url is not None:
        named = (
            places_in(ready_file) if ready_file else places_at(base_url or BASE_URL, control_url)
        )
        demand_sandbox(named)
        yield named
        return
    usual = places_at(BASE_URL, None)
    if is_sandbox(usual):
        yield usual
        return
    click.echo("No sandbox is running here, so the demo starts one of its own for a moment.")
    click.echo("(make sandbox, in another terminal, starts one that stays.)")
    with own_sandbox(os.environ) as its_own:
        yield its_own
