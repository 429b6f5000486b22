"""The onboarding of each organization number of the sandbox: its steps, words, and outcome."""

from typing import Any

import httpx2
import pytest

from app.sandbox.numbers import NUMBERS
from tests.installers.person import Person
from tests.installers.plain import CLIENT_SCOPE, EDI, PlainInstaller
from tests.journeys import test_delegations, test_onboarding
from tests.journeys.refusals import found_errors, problem_of
from tests.journeys.stored import Stored
from tests.journeys.test_onboarding import MSH, Wizard
from tests.journeys.test_organization_numbers import SCOPES
from tests.onboardings.wizards import by_code, told
from tests.sandboxes import Ready

pytestmark = pytest.mark.journey
HERID = [{"key": "herid", "value": "0"}]
AT_ONCE = {
    "310000019": [],
    "310900052": [
        "Enhetsregisteret says that 310900052 (AVVIKLENDE FYSIOTERAPI AS) is being wound up."
    ],
    "310900060": [],
}
REFUSED = {
    "310000124": ("unknown_organization", "Enhetsregisteret does not know 310000124"),
    "310000132": (
        "organization_deleted",
        "310000132 (NEDLAGTE LEGEKONTOR AS) has been deleted from Enhetsregisteret.",
    ),
    "310000175": ("sub_unit", "use the number of its main unit, 310000019."),
    "310900028": ("organization_deleted", "310900028 has been deleted from Enhetsregisteret."),
    "310900036": ("organization_deleted", "310900036 has been deleted from Enhetsregisteret."),
    "310900044": ("organization_bankrupt", "310900044 (KONKURS TANNKLINIKK AS) is bankrupt."),
    "310900079": (
        "organizational_part",
        "(organisasjonsledd): use the number of its main unit, 310900060.",
    ),
    "310900087": ("sub_unit", "use the number of its main unit, 310900060. Not 310900079"),
}


def of_edi(sandbox: Ready, http: httpx2.Client, number: str) -> Wizard:
    """Confirmed, and approved by the API's owner: only the right can be lacking."""
    client = PlainInstaller(sandbox, http, organization=number, api_key=EDI)
    wizard = Wizard(client, audienceSpecificClientClaims=HERID)
    assert client.decide().json()["status"] == "Success"
    assert client.approve(scope=MSH).is_success
    client.pass_time(1)  # all that is due has been done
    return wizard


def shown(wizard: Wizard) -> dict[str, Any]:
    """How it stands now, without waiting."""
    wizard.tag = None
    assert wizard.ask().status_code == 200
    return wizard.seen[-1]


def right_of(onboarding: dict[str, Any]) -> tuple[str, str | None, str]:
    step = by_code(onboarding, "delegateRight")
    assert step["affects"] == [MSH]
    return step["status"], step["reasonCode"], step["actor"]


@pytest.mark.parametrize(("number", "warnings"), AT_ONCE.items())
def test_who_lacks_nothing_is_ready_at_once(
    sandbox: Ready, http: httpx2.Client, number: str, warnings: list[str]
) -> None:
    client = PlainInstaller(sandbox, http, organization=number)
    assert client.draft().json().get("warnings", []) == warnings
    wizard = Wizard(client, apiScopes=SCOPES)
    confirming = by_code(shown(wizard), "confirmClient")
    assert (confirming["status"], confirming["actor"]) == ("current", "endUser")
    assert f"({number})" in confirming["help"]["nb"]
    client.decide()
    ready = shown(wizard)
    assert (ready["outcome"], ready["usableScopes"]) == ("ready", SCOPES)
    assert [step["code"] for step in ready["steps"]] == ["confirmClient", "publishClient"]
    assert {step["status"] for step in ready["steps"]} == {"done"}


def test_035_tells_that_the_right_to_confirm_is_lacking(
    sandbox: Ready, http: httpx2.Client
) -> None:
    client = PlainInstaller(sandbox, http, organization="310000035")
    wizard = Wizard(client, apiScopes=SCOPES)
    link = by_code(shown(wizard), "confirmClient")["actionUrl"]
    with Person() as kari:
        page = kari.log_in(kari.open(link))
        lacking = by_code(shown(wizard), "confirmClient")
        kari.press(page, "Lag tekst")
    assert (lacking["reasonCode"], lacking["actor"]) == ("lacksRight", "endUser")
    assert told(
        lacking,
        nb="har ikke rett til å bekrefte",
        nn="har ikkje rett til å stadfeste",
        en="has no right to confirm",
    )
    assert lacking["actionUrl"] == link

    passed_on = by_code(shown(wizard), "confirmClient")
    assert (passed_on["reasonCode"], passed_on["actor"]) == ("passedOn", "accessManager")
    assert told(
        passed_on,
        nb="Lenken er sendt videre",
        nn="Lenkja er send vidare",
        en="The link has been passed on",
    )
    assert passed_on["actionUrl"] == f"{link}?shared=1"

    right = {"from": "310000035", "to": "Kari Nordmann", "right": "nhn-helseid-ta-i-bruk"}
    controls = f"{sandbox.control_url}/delegations"
    assert http.post(controls, json=right | {"action": "grant"}).is_success
    assert client.decide().json()["status"] == "Success"
    assert http.post(controls, json=right | {"action": "revoke"}).is_success
    assert wizard.until("ready")["usableScopes"] == SCOPES


def test_078_waits_a_minute_for_the_owner(sandbox: Ready, http: httpx2.Client) -> None:
    wizard = Wizard(PlainInstaller(sandbox, http, organization="310000078"), apiScopes=SCOPES)
    wizard.client.decide()
    waiting = shown(wizard)
    assert (waiting["outcome"], waiting["state"]) == ("pending", "waitingForApproval")
    assert waiting["usableScopes"] == SCOPES[:2]
    step = by_code(waiting, "approveScope")
    assert (step["status"], step["reasonCode"]) == ("waiting", "apiAccessPending")
    assert (step["affects"], step["actionUrl"]) == ([SCOPES[2]], None)
    assert told(
        step,
        nb="Norsk helsenett SF avgjør; du trenger ikke gjøre noe.",
        nn="Norsk helsenett SF avgjer; du treng ikkje gjere noko.",
        en="Norsk helsenett SF decides; there is nothing you need do.",
    )
    wizard.client.pass_time(61)
    ready = wizard.until("ready")
    assert ready["usableScopes"] == SCOPES
    assert by_code(ready, "approveScope")["status"] == "done"


def test_094_is_ready_while_a_changed_claim_waits(sandbox: Ready, http: httpx2.Client) -> None:
    wizard = of_edi(sandbox, http, "310000094")
    wizard.client.log_in()
    assert "approveClaim" not in {step["code"] for step in shown(wizard)["steps"]}
    changed = [{"key": "herid", "value": "123-456"}]
    body = {"apiScopes": [CLIENT_SCOPE, MSH], "audienceSpecificClientClaims": changed}
    assert wizard.client.put_client(body).status_code == 204
    waiting = shown(wizard)
    step = by_code(waiting, "approveClaim")
    assert (step["status"], step["blocking"]) == ("waiting", False)
    assert (step["reasonCode"], step["affects"]) == ("claimChangePending", [MSH])
    assert told(
        step,
        nb="Den gamle gjelder så lenge.",
        nn="Den gamle gjeld så lenge.",
        en="The old one stands meanwhile.",
    )
    assert (waiting["outcome"], waiting["usableScopes"]) == ("ready", [CLIENT_SCOPE, MSH])
    assert wizard.client.approve(claimType="herid").is_success
    assert by_code(shown(wizard), "approveClaim")["status"] == "done"


def test_108_is_ready_once_the_issuer_has_taken_the_client(
    sandbox: Ready, http: httpx2.Client
) -> None:
    """The issuer says that it has, 20 s before it can be seen. Only its token endpoint knows of
    that, which answers nobody but who holds the client's key: so it is told, and asked again."""
    wizard = Wizard(PlainInstaller(sandbox, http, organization="310000108"), apiScopes=SCOPES)
    publishing = by_code(shown(wizard), "publishClient")
    assert (publishing["status"], publishing["actor"]) == ("blocked", "platform")
    wizard.client.decide()
    ready = shown(wizard)
    assert (ready["outcome"], ready["usableScopes"]) == ("ready", SCOPES)
    told = by_code(ready, "publishClient")["help"]["nb"]
    assert told == "HelseID har fått vite om klienten slik den er nå."
    assert wizard.client.ask_for_token().json()["error"] == "invalid_client"


def test_213_is_never_shown_as_missing(sandbox: Ready, http: httpx2.Client) -> None:
    wizard = of_edi(sandbox, http, "310000213")
    for seconds, stale in ((0, False), (90, True), (600, True)):
        wizard.client.pass_time(seconds)
        onboarding = shown(wizard)
        assert onboarding["outcome"] == "pending"
        assert onboarding["usableScopes"] == [CLIENT_SCOPE]
        assert right_of(onboarding) == ("waiting", "delegationUnknown", "platform")
        step = by_code(onboarding, "delegateRight")
        assert (step["stale"], step["actionUrl"]) == (stale, None)
        assert told(
            step,
            nb="Vi vet ennå ikke om",
            nn="Vi veit enno ikkje om",
            en="It is not known yet whether",
        )


def test_221_is_not_believed_when_its_answers_contradict_each_other(
    sandbox: Ready, http: httpx2.Client
) -> None:
    wizard = of_edi(sandbox, http, "310000221")
    for seconds in (0, 1500):
        wizard.client.pass_time(seconds)
        onboarding = shown(wizard)
        assert onboarding["state"] == "waitingForDelegation"
        assert onboarding["usableScopes"] == [CLIENT_SCOPE]
        assert right_of(onboarding) == ("current", "delegationMissing", "accessManager")
        giver = "LYNG SPESIALISTSENTER AS (310000221)"
        assert told(
            by_code(onboarding, "delegateRight"),
            nb=f"En som har tilgangsstyring for {giver}",
            nn=f"Ein som har tilgangsstyring for {giver}",
            en=f"Someone with access management for {giver}",
        )


@pytest.mark.parametrize(("number", "code", "says"), [(n, *told) for n, told in REFUSED.items()])
def test_who_can_own_no_client_has_no_onboarding(
    sandbox: Ready, http: httpx2.Client, stored: Stored, number: str, code: str, says: str
) -> None:
    before = stored.everything()
    problem = problem_of(PlainInstaller(sandbox, http, organization=number).draft(), 400)
    assert found_errors(problem) == [("#/organizationNumber", code)]
    assert says in problem["detail"]
    assert stored.everything() == before


# What tests elsewhere play: Altinn's sandbox begins 191 and 205 once, for whoever comes first.
PLAYED = {
    "310000027": test_onboarding.test_027_fails_with_the_reason,
    "310000035": test_035_tells_that_the_right_to_confirm_is_lacking,
    "310000043": test_onboarding.test_043_has_expired,
    "310000051": test_onboarding.test_051_tells_whom_it_waits_for,
    "310000078": test_078_waits_a_minute_for_the_owner,
    "310000086": test_onboarding.test_086_is_ready_without_what_was_refused,
    "310000094": test_094_is_ready_while_a_changed_claim_waits,
    "310000108": test_108_is_ready_once_the_issuer_has_taken_the_client,
    "310000183": test_onboarding.test_183_leads_to_altinn_and_notices,
    "310000191": test_delegations.test_191_is_withdrawn_after_a_minute,
    "310000205": test_delegations.test_205_is_seen_late,
    "310000213": test_213_is_never_shown_as_missing,
    "310000221": test_221_is_not_believed_when_its_answers_contradict_each_other,
}


def test_every_number_of_the_sandbox_is_played() -> None:
    assert sorted([*AT_ONCE, *REFUSED, *PLAYED]) == sorted(NUMBERS)
