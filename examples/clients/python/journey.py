"""An installer on the generated client: from the first request to the old key's end.

Against a sandbox, whose controls play the people. Its addresses are in the environment.
"""

import json
import os
import time
from collections.abc import Callable

import urllib3
from access_token import TokenRefused, access_token
from dpop import DPoPClient, new_key, public_jwk
from helseid_onboarding import (
    ApiClient,
    ClaimUpdate,
    ClientApi,
    ClientClaim,
    ClientDraftCreated,
    ClientDraftsApi,
    ClientSecretApi,
    ClientUpdate,
    Configuration,
    CurrentClient,
    NewClientDraft,
    OnboardingsApi,
    Outcome,
    ProblemDetails,
    Status,
)
from helseid_onboarding.exceptions import ApiException
from joserfc.jwk import ECKey

BASE, ISSUER, CONTROLS = (os.environ[name] for name in ("BASE", "ISSUER", "CONTROLS"))
API_KEY = "sandbox-edi"
OWN, MESSAGES, FILES = "nhn:selvbetjening/client", "nhn:msh/api", "nhn:deft/api"
PATIENCE_SECONDS = 60


def main() -> None:
    key = new_key()
    created = ask_for_client(key)
    client_id = str(created.client_id)
    wizard = OnboardingsApi(
        ApiClient(Configuration(host=BASE, access_token=created.onboarding_token))
    )
    assert wizard.get_onboarding(client_id).state == "waitingForConfirmation"
    control(f"clients/{client_id}/decision", {"decision": "approve"})
    api = DPoPClient(Configuration(host=BASE), key, token(client_id, key))
    read_status(api, client_id)
    wait_until_ready(wizard, client_id)
    change_client(api)
    renew_key(api, client_id)
    print("Python: the whole journey.")


def ask_for_client(key: ECKey) -> ClientDraftCreated:
    draft = NewClientDraft(
        organizationNumber="310000019",
        publicJwk=public_jwk(key).to_json(),
        apiScopes=[OWN, MESSAGES],
        audienceSpecificClientClaims=[ClientClaim(key="herid", value="0")],
        postClientConfirmationRedirectUri="http://localhost:1337/callback",
    )
    api = ClientDraftsApi(ApiClient(Configuration(host=BASE, api_key={"apiKey": API_KEY})))

    mistyped = draft.model_copy(update={"organization_number": "310000018"})
    problem = refusal(lambda: api.create_client_draft(mistyped), 400)
    assert problem.errors is not None
    assert [error.pointer for error in problem.errors] == ["#/organizationNumber"]

    created = api.create_client_draft(draft)
    print(f"Client {created.client_id}; a person confirms it at {created.confirm_url}")
    return created


def read_status(api: DPoPClient, client_id: str) -> None:
    clients = ClientApi(api)
    assert status_of(clients.get_client(), MESSAGES) == Status.PENDING
    control("approvals", {"clientId": client_id, "scope": MESSAGES, "decision": "approve"})
    eventually(lambda: status_of(clients.get_client(), MESSAGES) == Status.OK)

    good, api.access_token = api.access_token, "not a token"
    problem = refusal(clients.get_client, 401)
    assert problem.type.endswith("/problems/access-token-rejected")
    api.access_token = good


def wait_until_ready(wizard: OnboardingsApi, client_id: str) -> None:
    """Each request is held until there is something new, or answered 304 after 25 seconds."""
    answer = wizard.get_onboarding_with_http_info(client_id)
    while answer.data.outcome == Outcome.PENDING:
        headers = {name.lower(): value for name, value in (answer.headers or {}).items()}
        try:
            answer = wizard.get_onboarding_with_http_info(
                client_id, if_none_match=headers["etag"], prefer="wait=25"
            )
        except ApiException as error:
            if error.status != 304:
                raise
    assert answer.data.outcome == Outcome.READY


def change_client(api: DPoPClient) -> None:
    """A change replaces all: what was read goes back, with one scope more."""
    clients = ClientApi(api)
    client = clients.get_client()
    claims = [
        ClaimUpdate(key=claim.claim_type, value=claim.active_claim_value)
        for claim in client.audience_specific_client_claims
        if claim.active_claim_value is not None
    ]
    scopes = [scope.scope for scope in client.api_scopes]
    clients.update_client(
        ClientUpdate(apiScopes=[*scopes, FILES], audienceSpecificClientClaims=claims)
    )
    eventually(lambda: status_of(clients.get_client(), FILES) == Status.OK)


def renew_key(api: DPoPClient, client_id: str) -> None:
    old, new = api.key, new_key()
    secrets = ClientSecretApi(api)
    added = secrets.add_client_secret(public_jwk(new))
    assert added.jwk_thumbprint == new.thumbprint()

    api.access_token, api.key = token(client_id, new), new
    secrets.retire_client_secret(old.thumbprint(), grace_seconds=0)
    assert [key.jwk_thumbprint for key in secrets.get_client_secrets()] == [new.thumbprint()]
    try:
        access_token(ISSUER, client_id, old)
    except TokenRefused as refused:
        print(f"The old key: {refused}")
    else:
        raise AssertionError("The old key still works.")

    problem = refusal(lambda: secrets.retire_client_secret(new.thumbprint()), 409)
    assert problem.type.endswith("/problems/last-usable-key")


def status_of(client: CurrentClient, scope: str) -> Status:
    [found] = [each.status for each in client.api_scopes if each.scope == scope]
    return found


def refusal(call: Callable[[], object], status: int) -> ProblemDetails:
    """What the service says when it refuses, in the generated client's own type."""
    problem: object = None
    try:
        call()
    except ApiException as error:
        problem = error.data
    assert isinstance(problem, ProblemDetails), "Not refused."
    assert problem.status == status
    return problem


def token(client_id: str, key: ECKey) -> str:
    """A new key may reach the token issuer a little later than it was answered here."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return access_token(ISSUER, client_id, key)
        except TokenRefused:
            if time.monotonic() > until:
                raise
        time.sleep(1)


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, "It did not come about."
        time.sleep(1)


def control(path: str, body: dict[str, str]) -> None:
    """What people do outside an installer. Only a sandbox has it."""
    headers = {"Content-Type": "application/json"}
    answer = urllib3.request("POST", f"{CONTROLS}/{path}", body=json.dumps(body), headers=headers)
    assert answer.status < 300, answer.data


if __name__ == "__main__":
    main()
