"""From the command to the last child's end."""

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from app.embedded_postgres.launcher import PostgresFailed, embedded_postgres
from app.serving import Certificate, PortTaken
from app.supervisor.addresses import Addresses, Listeners, addresses_of, open_listeners
from app.supervisor.certificates import issue_certificate
from app.supervisor.children import Child, server
from app.supervisor.configuration import (
    NEIGHBOURS_FILE,
    ReadyInfo,
    Secrets,
    new_secrets,
    ready_info,
    refuse_production,
    service_settings,
    variables,
    write_neighbours_file,
)
from app.supervisor.ending import Ending
from app.supervisor.failure import SandboxFailed
from app.supervisor.folder import sandbox_folder
from app.supervisor.options import SandboxOptions
from app.supervisor.readiness import (
    greeting,
    refuse_ready_file,
    wait_until_ready,
    write_ready_file,
)
from app.supervisor.seed_file import SeedFile, read_seed_file

NEIGHBOURS = "neighbours"
LOOK_EVERY_SECONDS = 0.1
END_WITHIN_SECONDS = 8.0


def run_sandbox(options: SandboxOptions) -> None:
    """Run until a signal; `SandboxFailed` when it does not start or cannot go on."""
    refuse_production(os.environ)
    refuse_ready_file(options.ready_file)
    seed = read_seed_file(options.seed_file)
    ending = Ending(with_parent=options.exit_with_parent)
    try:
        listeners = open_listeners(options)
    except PortTaken as taken:
        raise SandboxFailed(str(taken)) from taken
    with ExitStack() as stack:
        stack.callback(listeners.close)
        folder = stack.enter_context(sandbox_folder())
        Sandbox(options, listeners, folder, seed).run(ending)


class Sandbox:
    def __init__(
        self, options: SandboxOptions, listeners: Listeners, folder: Path, seed: SeedFile
    ) -> None:
        self.seed = seed
        self.options = options
        self.listeners = listeners
        self.addresses: Addresses = addresses_of(listeners, options)
        self.secrets: Secrets = new_secrets(options.database_url)
        self.ca_file: Path | None = None
        self.certificate: Certificate | None = None
        if options.tls:
            self.ca_file, self.certificate = issue_certificate(folder, self.addresses.hosts)
        self.neighbours_file = folder / "neighbours.json"
        self.environment = os.environ | {NEIGHBOURS_FILE: str(self.neighbours_file)}
        self.ready: ReadyInfo = ready_info(self.addresses, self.ca_file)

    def run(self, ending: Ending) -> None:
        write_neighbours_file(
            self.neighbours_file, self.addresses, self.secrets, self.options, self.seed
        )
        # They need no database to start, so they do it while that does.
        with (
            running([self._neighbours()]) as neighbours,
            running([self._preparation()]) as [preparing],
            self._database() as database_url,
        ):
            settings = service_settings(self.addresses, self.secrets, database_url, self.ca_file)
            told = variables(settings)
            if not prepared(preparing, told, ending):
                return
            with running(self._service(self.environment | told)) as service:
                if self._all_answer(ending, [*neighbours, *service]):
                    with self._announced():
                        self._watch(ending, [*neighbours, *service], told)

    def _all_answer(self, ending: Ending, children: Sequence[Child]) -> bool:
        waits = [
            (self.listeners.neighbours, "/_sandbox/health"),
            (self.listeners.service, "/health/ready"),
        ]
        return wait_until_ready(waits, children, self.ca_file, ending)

    def _watch(
        self, ending: Ending, children: Sequence[Child], settings: Mapping[str, str]
    ) -> None:
        while not ending.wait(LOOK_EVERY_SECONDS):
            for child in children:
                if child.exit_code() is not None:
                    child.start_again()
                    if child.name == NEIGHBOURS:
                        # An issuer that has lost its memory is told again of every client.
                        with running([self._preparation()]) as [preparing]:
                            prepared(preparing, settings, ending)

    @contextmanager
    def _announced(self) -> Iterator[None]:
        """The ready file and line; the file is there for as long as it is true."""
        file = self.options.ready_file
        if file is not None:
            write_ready_file(file, self.ready)
        sys.stdout.write(msgspec.json.encode(self.ready).decode() + "\n")
        sys.stdout.flush()
        if sys.stderr.isatty():
            sys.stderr.write(greeting(self.ready))
        try:
            yield
        finally:
            if file is not None:
                file.unlink(missing_ok=True)

    @contextmanager
    def _database(self) -> Iterator[str]:
        if self.options.database_url:
            yield self.options.database_url
            return
        try:
            with embedded_postgres() as url:
                yield url
        except PostgresFailed as failure:
            raise SandboxFailed(str(failure)) from failure

    def _preparation(self) -> Child:
        return Child("preparation", ["app.supervisor.prepare"], self.environment)

    def _neighbours(self) -> Child:
        return server(
            NEIGHBOURS,
            "app.sandbox.app:create_app",
            self.environment,
            self.listeners.neighbours,
            certificate=self.certificate,
        )

    def _service(self, environment: Mapping[str, str]) -> list[Child]:
        return [
            server(
                "service",
                "app.sandbox_service.service:create_service",
                environment,
                self.listeners.service,
                workers=self.options.workers,
                certificate=self.certificate,
            ),
            server(
                "controls",
                "app.sandbox_service.controls:create_app",
                environment,
                self.listeners.controls,
            ),
            Child("worker", ["app.sandbox_service.worker"], environment),
        ]


def prepared(child: Child, settings: Mapping[str, str], ending: Ending) -> bool:
    """Have the database migrated and seeded. Not so when the end is wanted first."""
    child.tell(msgspec.json.encode(settings))
    while (code := child.exit_code()) is None:
        if ending.wait(LOOK_EVERY_SECONDS / 4):
            child.end()  # before its database goes, of which it would complain
            return False
    if code != 0:
        sys.exit(1)  # it has said why
    return True


@contextmanager
def running(children: Sequence[Child]) -> Iterator[Sequence[Child]]:
    """All are started, and at the end all are ended, together."""
    try:
        for child in children:
            child.start()
        yield children
    finally:
        until = time.monotonic() + END_WITHIN_SECONDS
        for child in children:
            child.end()
        for child in children:
            child.wait_for_end(until)
