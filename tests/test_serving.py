"""How `serve` starts, refuses and shares its port; against the start command of the image."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil
import pytest

from app.schema import newest_revision
from app.serving import PortTaken, listen
from app.settings import Environment, Settings
from app.supervisor.configuration import new_secrets, variables
from tests.databases import execute
from tests.sandboxes import clean_environment, eventually

ROOT = Path(__file__).parent.parent
ONBOARDING = [sys.executable, "-P", "-m", "app"]

# As Java's HttpClient sends it over plain HTTP; some servers lose the body.
JAVA = (
    b"POST /v1/client-drafts HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    b"Content-Length: 14\r\nHTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA\r\n"
    b'Upgrade: h2c\r\nContent-Type: application/json\r\n\r\n{"name":"java"'
)
CHUNKED = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"7\r\nnolengt\r\n1\r\nh\r\n0\r\n\r\n"
)


@contextmanager
def echoes(workers: int = 1) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A server of `tests.echo_app`, on a socket that we hold as the sandbox does."""
    with listen("127.0.0.1", 0) as listener:
        arguments = ["--socket", str(listener.fileno()), "--workers", str(workers)]
        server = subprocess.Popen(
            [sys.executable, "-m", "app.serving", "tests.echo_app:create_app", *arguments],
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            cwd=ROOT,
        )
        with server:
            try:
                yield listener.getsockname()[1], server
            finally:
                server.terminate()


def exchange(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while not re.search(rb"(java\"|nolength)", answer):
            piece = connection.recv(65536)
            if not piece:
                break
            answer += piece
    return answer


def process_behind(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return int(answer.headers["process"])


@pytest.mark.parametrize(("request_", "body"), [(JAVA, b'{"name":"java"'), (CHUNKED, b"nolength")])
def test_no_body_is_lost(request_: bytes, body: bytes) -> None:
    with echoes() as (port, _):
        answer = exchange(port, request_)
    assert b" 200 " in answer.split(b"\r\n")[0]
    assert answer.endswith(body) or b"\r\n" + body in answer


def test_workers_share_the_port_and_die_with_the_server() -> None:
    with echoes(workers=2) as (port, server):
        seen: set[int] = set()

        def both_answered() -> bool:
            seen.add(process_behind(port))
            return len(seen) == 2

        assert eventually(both_answered)
        workers = [psutil.Process(pid) for pid in seen]
        server.kill()
        server.wait()
        assert psutil.wait_procs(workers, timeout=5)[1] == []


def test_a_server_ends_with_whoever_holds_its_input() -> None:
    with echoes() as (port, server):
        process_behind(port)
        assert server.stdin is not None
        server.stdin.close()
        assert server.wait(10) == 0


def test_a_port_is_listened_on_once() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} on 127.0.0.1 is in use"):
            listen("127.0.0.1", port)


def test_an_address_of_somebody_else_is_refused_in_words() -> None:
    with pytest.raises(PortTaken, match=r"Cannot listen on port 0 of 192\.0\.2\.1"):
        listen("192.0.2.1", 0)


def service_environment(database_url: str) -> Mapping[str, str]:
    made = new_secrets(None)
    settings = Settings(
        database_url=database_url,
        public_base_urls=["https://onboarding.example"],
        environment=Environment.TEST,
        secret_key=made.secret_key,
        issuer="http://127.0.0.1:9",
        registration_token=made.registration_token,
        login_client_id=made.login_client_id,
        login_key=msgspec.json.encode(made.login_key.as_dict(private=True)).decode(),
    )
    return clean_environment(**variables(settings))


def onboarding(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ONBOARDING, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_database_that_is_not_migrated_is_refused(command: str, empty_database_url: str) -> None:
    ended = onboarding(command, **service_environment(empty_database_url))
    assert ended.returncode == 1
    needed = f"this service needs revision {newest_revision()}: run `onboarding migrate`."
    assert ended.stderr.splitlines() == [f"The database has no schema, {needed}"]


AT_9999 = "CREATE TABLE alembic_version AS SELECT '9999' AS version_num"


@pytest.mark.parametrize("command", ["serve", "worker", "migrate"])
def test_a_database_that_later_versions_have_taken_something_from_is_refused(
    command: str, empty_database_url: str
) -> None:
    execute(empty_database_url, AT_9999)
    execute(empty_database_url, "COMMENT ON TABLE alembic_version IS '9998'")
    ended = onboarding(command, **service_environment(empty_database_url))
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    assert line.endswith(f"a later version than this ({newest_revision()}): start that one.")


def test_a_later_version_leaves_nothing_to_migrate(empty_database_url: str) -> None:
    execute(empty_database_url, AT_9999)
    ended = onboarding("migrate", **service_environment(empty_database_url))
    assert (ended.returncode, "nothing to do" in ended.stderr) == (0, True)


def test_a_databases_address_may_say_all_that_the_driver_knows(empty_database_url: str) -> None:
    """Managed databases hand out addresses with `sslmode`, which SQLAlchemy does not know."""
    url = f"{empty_database_url}{'&' if '?' in empty_database_url else '?'}sslmode=prefer"
    for command in (["migrate"], ["api-key", "list"]):
        done = onboarding(*command, **service_environment(url))
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_database_that_does_not_answer_is_one_line(command: str) -> None:
    ended = onboarding(command, **service_environment("postgresql://u:secret@127.0.0.1:9/x"))
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    assert line.startswith("The database does not answer: ")
    assert "secret" not in line


@pytest.mark.parametrize("command", ["serve", "worker", "migrate"])
def test_every_fault_of_the_settings_is_named(command: str) -> None:
    ended = onboarding(command, **clean_environment(ONBOARDING_COLOUR="red"))
    assert ended.returncode == 1
    assert "ONBOARDING_COLOUR is not a setting." in ended.stderr
    assert "ONBOARDING_DATABASE_URL is missing." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_images_commands_serve_and_end_at_once(empty_database_url: str) -> None:
    """What the Dockerfile starts, outside a container."""
    environment = dict(service_environment(empty_database_url))
    assert onboarding("migrate", **environment).returncode == 0
    text = (ROOT / "Dockerfile").read_text()
    match = re.search(r'^CMD \["serve", "--host", "(.+)"\]$', text, re.MULTILINE)
    assert match is not None
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [*ONBOARDING, "serve", "--host", match[1], "--port", str(port)], env=environment
    )
    with server:
        try:
            assert eventually(lambda: is_live(port))
        finally:
            server.send_signal(signal.SIGTERM)
        assert server.wait(12) == 0


def is_live(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def test_help_is_quick() -> None:
    """It loads neither the web framework nor the database's."""
    code = (
        "import sys; from click.testing import CliRunner; from app.cli import main;"
        "assert CliRunner().invoke(main, ['sandbox', '--help']).exit_code == 0;"
        "print([m for m in ('litestar', 'sqlalchemy', 'granian') if m in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert ended.stdout == "[]\n"
