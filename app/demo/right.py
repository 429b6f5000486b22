"""The right in Altinn: the wizard waits, somebody gives it, and the scope can be used."""

import time
import webbrowser
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import click

from app.demo.failure import DemoFailed
from app.demo.installer import Installer

ORGANIZATION = "310000183"
"""Nobody has given anything for it until somebody does."""
SUPPLIER = "310700029"
RIGHT = "nhn-helseid-databehandler"
ACCESS_MANAGER = "synne"
ASK_EVERY_SECONDS = 0.5
"""As installers of today, which know `GET /v1/client` alone. Fjord Sky's waits for news instead."""
NOTICED_WITHIN_SECONDS = 20.0
PERSON_WITHIN_SECONDS = 300.0


def take_back_right(installer: Installer) -> None:
    """What an earlier telling of the story has left, in the same sandbox."""
    installer.send(
        "POST",
        f"{installer.places.control_url}/delegations",
        expected=200,
        json={"from": ORGANIZATION, "to": SUPPLIER, "right": RIGHT, "action": "revoke"},
        told=False,
    )


def wait_for_right(installer: Installer, scope: str, *, browser: bool) -> None:
    tell = installer.tell
    tell.headline("The wizard asks what is missing in Altinn, and who can help")
    _wait_until(lambda: _delegation(installer)["state"] == "missing", NOTICED_WITHIN_SECONDS)
    delegation = _delegation(installer, told=True)
    tell.say(delegation["reason"]["en"])
    if browser:
        _open_page(installer, delegation)
    else:
        _press_give(installer, delegation)
    within = PERSON_WITHIN_SECONDS if browser else NOTICED_WITHIN_SECONDS
    _wait_until(lambda: _status(installer, scope) == "ok", within)
    tell.say("The wizard has gone on asking, and notices:")
    tell.scopes(installer.call("GET", "client").json())
    tell.say("And the scope works: here is a token with it.")
    _wait_until(lambda: _has_token(installer, scope), NOTICED_WITHIN_SECONDS)
    of_answer = ["token_type", "scope", "access_token"]
    installer.ask_for_token(scope=scope, expected=200, of_answer=of_answer)


def _open_page(installer: Installer, delegation: dict[str, Any]) -> None:
    installer.tell.headline("You log in as Synne Leder on Altinn's page, and press Gi rettigheten")
    filled = {"party": delegation["from"], "to": delegation["to"], "right": delegation["right"]}
    address = f"{delegation['actionUrl']}/?{urlencode(filled)}"
    if not webbrowser.open(address):
        click.echo(f"   No browser could be opened. Open this in one: {address}")


def _press_give(installer: Installer, delegation: dict[str, Any]) -> None:
    tell, pages = installer.tell, delegation["actionUrl"]
    tell.headline("Synne Leder, who holds access management, presses give on Altinn's page")
    tell.say("Here her browser is played. With --browser you press it yourself.")
    form = {"person": ACCESS_MANAGER, "next": "/"}
    installer.send("POST", f"{pages}/login", expected=303, form=form)
    form = {
        "party": delegation["from"],
        "to": delegation["to"],
        "right": delegation["right"],
        "action": "give",
    }
    installer.send("POST", f"{pages}/delegations", expected=303, form=form)


def _delegation(installer: Installer, *, told: bool = False) -> dict[str, Any]:
    answer = installer.call("GET", "client/delegations", told=told)
    [delegation] = answer.json()["items"]
    return dict(delegation)


def _status(installer: Installer, scope: str) -> str:
    client = installer.call("GET", "client", told=False).json()
    [status] = [entry["status"] for entry in client["apiScopes"] if entry["scope"] == scope]
    return str(status)


def _has_token(installer: Installer, scope: str) -> bool:
    """The issuer is told as soon as the status has changed, which takes a moment."""
    try:
        installer.ask_for_token(scope=scope, expected=200, told=False)
    except DemoFailed:
        return False
    return True


def _wait_until(holds: Callable[[], bool], within: float) -> None:
    until = time.monotonic() + within
    while not holds():
        if time.monotonic() > until:
            raise DemoFailed(f"Nothing happened within {within:.0f} s.")
        time.sleep(ASK_EVERY_SECONDS)
