"""`onboarding`: one command for everything. Imports are inside, so that `--help` is quick."""

import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

from app.cli_groups import Commands
from app.settings import Address, DatabaseAddress, Settings, SettingsRefused, read_settings
from app.supervisor.options import SandboxOptions


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="helseid-onboarding")
def main() -> None:
    """Onboarding of HelseID clients by API."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1))
def serve(host: str, port: int, workers: int) -> None:
    """Serve the API and the pages. Settings are ONBOARDING_* variables."""
    from app import serving

    refuse_other_database(given_settings())
    try:
        listener = serving.listen(host, port)
    except serving.PortTaken as taken:
        refuse(taken)
    serving.serve("app.main:create_app", listener, workers=workers)


@main.command()
def worker() -> None:
    """Run the background jobs: publication to the token issuer, expiry, the audit's seal."""
    from app import worker as background

    settings = given_settings()
    refuse_other_database(settings)
    background.run(settings)


@main.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    from app.migrating import upgrade
    from app.schema import OtherRevision

    try:
        upgrade(given_settings().database_url)
    except OtherRevision as other:
        refuse(other)


@main.command()
def republish() -> None:
    """Tell the token issuer of every client again, as when it has lost its registrations."""
    from app.cli_work import do
    from app.publications.use_cases import republish_every_client

    count = do(republish_every_client)
    click.echo(f"{count} clients are due. The token issuer is told by the worker.")


@main.command()
@click.option("--check", is_flag=True, help="Write nothing; fail if the document is out of date.")
def openapi(check: bool) -> None:
    """Write the API's document, in OpenAPI 3.1 and in 3.0.3."""
    from app.api_document import outdated_documents, write_documents

    if not check:
        write_documents()
    elif outdated := outdated_documents():
        names = " and ".join(f"openapi/{name}" for name in outdated)
        refuse(f"Out of date: {names}. Run `make openapi` and read the difference.")


def demand_form(kind: Any, example: str) -> Callable[..., str | None]:
    """That of the service's setting, told in words of the option."""

    def check(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
        try:
            msgspec.convert(value, kind | None)
        except msgspec.ValidationError:
            raise click.BadParameter(f"It looks like {example}.") from None
        return value

    return check


def demand_number(_: click.Context, __: click.Parameter, value: float) -> float:
    """A range lets `nan` through."""
    if math.isnan(value):
        raise click.BadParameter("nan is no number.")
    return value


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--neighbours-port",
    type=click.IntRange(0, 65535),
    help="Of the stand-ins. [default: 8081, or a free one when --port is 0]",
)
@click.option(
    "--public-url",
    callback=demand_form(Address, "https://onboarding.example, with no slash at its end"),
    help="The service's address in links, when it is not host and port.",
)
@click.option("--tls", is_flag=True, help="Serve over https, by an authority made at the start.")
@click.option(
    "--database-url",
    callback=demand_form(DatabaseAddress, "postgresql://user:password@host/database"),
    help="An empty or earlier PostgreSQL database. [default: own]",
)
@click.option("--ready-file", type=click.Path(path_type=Path), help="Written when it is ready.")
@click.option("--strict", type=int, metavar="SEED", help="As the strictest neighbours might be.")
@click.option("--seed-file", type=click.Path(path_type=Path), help="Data to begin with besides.")
@click.option("--auto-confirm", is_flag=True, help="Confirm each draft without a person.")
@click.option(
    "--time-scale",
    default=1.0,
    type=click.FloatRange(1, 1_000_000),
    callback=demand_number,
    metavar="F",
    help="Divide lifetimes and waits by this: a year in 5 minutes is 105120.",
)
@click.option("--journal/--no-journal", default=True, help="Write down each call. [default: do]")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1))
@click.option("--exit-with-parent", is_flag=True, help="End when the starting process is gone.")
def sandbox(neighbours_port: int | None, port: int, **options: object) -> None:
    """The whole of it on this machine: the service, a database, and its neighbours' stand-ins."""
    from app.supervisor.failure import SandboxFailed
    from app.supervisor.sandbox import run_sandbox

    if neighbours_port is None:
        neighbours_port = 8081 if port else 0
    given = SandboxOptions(port=port, neighbours_port=neighbours_port, **options)  # type: ignore[arg-type]  # click has checked them
    try:
        run_sandbox(given)
    except SandboxFailed as failure:
        refuse(failure)


@main.command()
@click.option("--base-url", help="Of the sandbox. [default: http://127.0.0.1:8080, or its own]")
@click.option("--control-url", help="Of its controls. [default: port 8081 beside it]")
@click.option("--ready-file", type=click.Path(path_type=Path), help="Says both, and the CA's file.")
@click.option("--browser", is_flag=True, help="Confirm the client yourself, in your browser.")
def demo(
    base_url: str | None, control_url: str | None, ready_file: Path | None, browser: bool
) -> None:
    """Play an installer against the sandbox, step by step."""
    from app.demo.failure import DemoFailed
    from app.demo.play import play

    try:
        play(base_url, control_url, ready_file, browser=browser)
    except DemoFailed as failure:
        refuse(failure)


def given_settings() -> Settings:
    try:
        return read_settings(os.environ)
    except SettingsRefused as refusal:
        refuse(refusal)


def refuse_other_database(settings: Settings) -> None:
    from app.schema import OtherRevision, refuse_to_start

    try:
        refuse_to_start(settings.database_url)
    except OtherRevision as other:
        refuse(other)


def refuse(refusal: object) -> NoReturn:
    """Say why, and end as a command that failed."""
    click.echo(str(refusal), err=True)
    sys.exit(1)
