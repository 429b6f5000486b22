"""The story, step by step: a key, a client, a token, a right, a change, a new key, and a wizard."""

from typing import Any

from joserfc.jwk import ECKey

from app.demo.browser import browsers_return
from app.demo.failure import DemoFailed
from app.demo.installer import CLIENT_SCOPE, Installer, as_text, new_key
from app.demo.right import ORGANIZATION, take_back_right, wait_for_right
from app.demo.sky import play_sky

API_KEY = "sandbox-edi"
MESSAGES = "nhn:msh/api"
LARGE_FILES = "nhn:deft/api"


def tell_story(installer: Installer, *, browser: bool) -> None:
    take_back_right(installer)
    make_key(installer)
    if browser:
        confirm_in_browser(installer)
    else:
        confirm_by_control(installer)
    log_in(installer)
    read_status(installer)
    wait_for_owner(installer)
    wait_for_right(installer, MESSAGES, browser=browser)
    change_client(installer)
    old_key = rotate_key(installer)
    retire_key(installer, old_key)
    play_sky(installer)
    installer.tell.say("")
    installer.tell.say("That was the whole journey. Nothing of it was real; all of it was HTTP.")


def make_key(installer: Installer) -> None:
    tell = installer.tell
    tell.headline("A doctor's office installs a product. The installer makes a key pair")
    tell.say(f"Its thumbprint is {installer.key.thumbprint()}.")
    tell.say("The private part never leaves this machine; here it stays in memory.")


def ask_for_client(installer: Installer, redirect_uri: str) -> dict[str, Any]:
    installer.tell.headline("It asks for a client, with the API key that its supplier ships")
    answer = installer.send(
        "POST",
        f"{installer.places.base_url}/v1/client-drafts",
        expected=201,
        headers={"api-key": API_KEY},
        json={
            "organizationNumber": ORGANIZATION,
            "apiScopes": [CLIENT_SCOPE, MESSAGES],
            "audienceSpecificClientClaims": [{"key": "herid", "value": "0"}],
            "postClientConfirmationRedirectUri": redirect_uri,
            "publicJwk": as_text(installer.public_jwk),
        },
        of_answer=["clientId", "confirmUrl", "pairingCode", "expiresAt"],
    )
    draft: dict[str, Any] = answer.json()
    installer.client_id = draft["clientId"]
    installer.tell.say("The client has its id, and can do nothing: somebody has to confirm it.")
    return draft


def confirm_by_control(installer: Installer) -> None:
    ask_for_client(installer, "http://localhost:1337/callback")
    installer.tell.headline("A person at the office logs in and confirms")
    installer.tell.say("Here the sandbox's control does it. With --browser you do it yourself.")
    answer = installer.send(
        "POST",
        f"{installer.places.control_url}/clients/{installer.client_id}/decision",
        expected=200,
        json={"decision": "approve"},
        of_answer=["status", "redirectUri"],
    )
    if answer.json()["status"] != "Success":
        raise DemoFailed(f"Not confirmed: {answer.text}")
    installer.tell.say("The browser goes back to the installer, and the token issuer knows it.")


def confirm_in_browser(installer: Installer) -> None:
    with browsers_return() as server:
        draft = ask_for_client(installer, server.address)
        installer.tell.headline("You log in as Kari Nordmann, and confirm")
        installer.tell.say(f"Your browser opens. Its page shows this code: {draft['pairingCode']}")
        server.wait_for_person(draft["confirmUrl"])
    installer.tell.say("The browser came back with status=Success.")


def log_in(installer: Installer) -> None:
    tell = installer.tell
    tell.headline("The installer asks the token issuer for a token")
    tell.say("It signs twice: who it is (private_key_jwt), and that the token is its own (DPoP).")
    of_answer = ["token_type", "expires_in", "scope", "access_token"]
    answer = installer.ask_for_token(expected=200, of_answer=of_answer)
    installer.token = answer.json()["access_token"]
    tell.say("The token opens nothing without the key that it is bound to.")


def read_status(installer: Installer) -> None:
    installer.tell.headline("It asks what it may use")
    installer.tell.scopes(installer.call("GET", "client").json())
    installer.tell.say(
        "One scope waits, and for two: the API's owner approves each customer by hand,"
    )
    installer.tell.say("and the office has to give its supplier a right in Altinn.")


def wait_for_owner(installer: Installer) -> None:
    tell = installer.tell
    tell.headline("The API's owner approves")
    tell.say("Again the sandbox's control does what a person would.")
    installer.send(
        "POST",
        f"{installer.places.control_url}/approvals",
        expected=204,
        json={"clientId": installer.client_id, "scope": MESSAGES, "decision": "approve"},
    )
    tell.say("The installer asks now and then. The owner's yes alone is not enough:")
    tell.scopes(installer.call("GET", "client").json())


def change_client(installer: Installer) -> None:
    tell = installer.tell
    tell.headline("A later version of the product wants one more scope")
    tell.say("It sends back what it has read, with one thing added: a change replaces all.")
    client = installer.call("GET", "client").json()
    claims = [
        {
            "key": claim["claimType"],
            "value": claim["pendingClaimValue"] or claim["activeClaimValue"],
        }
        for claim in client["audienceSpecificClientClaims"]
    ]
    wanted = {
        "apiScopes": [*(scope["scope"] for scope in client["apiScopes"]), LARGE_FILES],
        "audienceSpecificClientClaims": claims,
        "childOrganizationNumbers": client["childOrganizationNumbers"],
    }
    installer.call("PUT", "client", expected=204, json=wanted)
    client = installer.call("GET", "client").json()
    tell.scopes(client)
    _demand_ok(client)
    tell.say("Nobody had to approve that one.")


def rotate_key(installer: Installer) -> ECKey:
    """Returns the key that was used until now."""
    tell, old = installer.tell, installer.key
    tell.headline("The key nears its end. The installer adds a new one, by the old one's word")
    key = new_key()
    jwk = {**key.as_dict(private=False), "alg": "ES256"}
    installer.call("POST", "client-secret", json=jwk, of_answer=["expiration", "kid", "state"])
    installer.key = key
    tell.say("It works as soon as the answer has come: a token, signed for with the new key.")
    answer = installer.ask_for_token(expected=200, of_answer=["token_type", "access_token"])
    installer.token = answer.json()["access_token"]
    return old


def retire_key(installer: Installer, old: ECKey) -> None:
    tell, new = installer.tell, installer.key
    tell.headline("It asks whether the token issuer takes the new key, before the old one goes")
    path = f"client-secret/{new.thumbprint()}/checks"
    proof = installer.key_proof(f"{installer.places.base_url}/v1/{path}")
    checked = installer.call("POST", path, json={"proof": proof}, of_answer=["usable"]).json()
    if not checked["usable"]:
        raise DemoFailed(f"The new key is not usable: {checked['reasonCode']}.")
    tell.headline("The old key has done its work, and is retired")
    path = f"client-secret/{old.thumbprint()}?graceSeconds=0"
    installer.call("DELETE", path, expected=204)
    tell.say("What is left:")
    for key in installer.call("GET", "client-secret").json():
        tell.say(f"    {key['jwkThumbprint']}: {key['state']}, until {key['expiration']}")
    tell.headline("Whoever still holds the old key gets no token for it")
    installer.key = old
    installer.ask_for_token(expected=400, of_answer=["error", "error_description"])
    installer.key = new


def _demand_ok(client: dict[str, Any]) -> None:
    waiting = [scope["scope"] for scope in client["apiScopes"] if scope["status"] != "ok"]
    if waiting:
        raise DemoFailed(f"Still waiting: {', '.join(waiting)}.")
