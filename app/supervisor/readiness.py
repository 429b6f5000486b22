"""Telling that everything answers, and telling others."""

import http.client
import os
import ssl
from collections.abc import Sequence
from pathlib import Path
from socket import socket

import msgspec

from app.supervisor.addresses import EVERYWHERE
from app.supervisor.children import Child
from app.supervisor.configuration import ReadyInfo
from app.supervisor.ending import Ending
from app.supervisor.failure import SandboxFailed

ATTEMPTS = 1200
PAUSE_SECONDS = 0.05
ANSWER_WITHIN_SECONDS = 5


def answers(listener: socket, path: str, ca_file: Path | None) -> bool:
    host, port = listener.getsockname()[:2]
    host = EVERYWHERE.get(host, host)
    connection = (
        http.client.HTTPSConnection(
            host,
            port,
            timeout=ANSWER_WITHIN_SECONDS,
            context=ssl.create_default_context(cafile=ca_file),
        )
        if ca_file
        else http.client.HTTPConnection(host, port, timeout=ANSWER_WITHIN_SECONDS)
    )
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_until_ready(
    waits: Sequence[tuple[socket, str]],
    children: Sequence[Child],
    ca_file: Path | None,
    ending: Ending,
) -> bool:
    """Whether all answer; not so when the end is wanted first."""
    missing = list(waits)
    for _ in range(ATTEMPTS):
        for child in children:
            if child.exit_code() is not None:
                raise SandboxFailed(f"The sandbox's {child.name} did not start.")
        missing = [wait for wait in missing if not answers(*wait, ca_file)]
        if not missing:
            return True
        if ending.wait(PAUSE_SECONDS):
            return False
    raise SandboxFailed(f"The sandbox is not ready: no answer at {missing[0][1]}.")


def greeting(ready: ReadyInfo) -> str:
    """For the person who has typed the command: where to look."""
    page, reference = f"{ready.control_url}/", f"{ready.base_url}/docs/v1/index.html"
    width = max(len(page), len(reference))
    return (
        "\nThe sandbox is ready, and Ctrl-C ends it. Open in a browser:\n"
        f"  {page:{width}}  who is there, what happens, and what you can do\n"
        f"  {reference:{width}}  what the service can be asked\n\n"
    )


def refuse_ready_file(file: Path | None) -> None:
    """Before anything is started for nothing."""
    if file is not None and not os.access(file.absolute().parent, os.W_OK):
        raise SandboxFailed(f"Cannot write {file}: there is no such folder, or it is not yours.")
    if file is not None and file.is_dir():
        raise SandboxFailed(f"Cannot write {file}: it is a folder.")


def write_ready_file(file: Path, ready: ReadyInfo) -> None:
    """In one step, so that nobody reads half of it."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(msgspec.json.encode(ready) + b"\n")
        unfinished.replace(file)
    except OSError as error:
        raise SandboxFailed(f"Cannot write {file}: {error.strerror}.") from error
