"""Reading an onboarding: who may, and what it says on the way from the draft to the client."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from app.access.onboarding_tokens import onboarding_token
from app.audit.trail import OPERATOR
from app.client_configurations.operator import change_status
from app.client_keys.ending import keys_published
from app.clients.rules import ClientEvent
from app.publications.queries import scopes_told
from tests.examples import NOW, ORGANIZATION
from tests.installers.keys import ec_key
from tests.onboardings.wizards import Wizard, a_wizard, a_wizard_in_place_of, by_code
from tests.serving import EDI, FJORD, Client, Service, a_draft, problem_of

MSH = "nhn:msh/api"


async def test_a_draft_says_where_its_onboarding_is(service: Service) -> None:
    key = ec_key()
    answer = await service.draft(a_draft(key))
    body = answer.json()
    assert body["onboardingUrl"] == answer.headers["location"]
    assert body["onboardingUrl"].endswith(f"/v1/onboardings/{body['clientId']}")
    assert answer.headers["cache-control"] == "no-store"
    again = onboarding_token(UUID(body["clientId"]), secret_key=service.settings.secret_key)
    assert body["onboardingToken"] == again


async def test_a_new_onboarding_waits_for_confirmation(service: Service) -> None:
    wizard = await a_wizard(service, externalRef="installation 7")
    onboarding = await wizard.onboarding()
    assert (onboarding["outcome"], onboarding["state"]) == ("pending", "waitingForConfirmation")
    assert onboarding["clientId"] == wizard.client_id
    assert onboarding["organizationNumber"] == ORGANIZATION
    assert onboarding["organizationName"] == f"ENHET {ORGANIZATION}"
    assert onboarding["externalRef"] == "installation 7"
    assert onboarding["usableScopes"] == []
    assert onboarding["keyExpiresAt"] is None
    step = onboarding["steps"][0]
    assert (step["code"], step["status"], step["actor"]) == ("confirmClient", "current", "endUser")
    assert (step["reasonCode"], step["stale"]) == ("notOpened", False)
    assert step["actionUrl"] == wizard.created["confirmUrl"]
    assert step["actionExpiresAt"] == wizard.created["expiresAt"] == onboarding["expiresAt"]
    assert set(step["title"]) == {"nb", "nn", "en"}


async def test_what_comes_after_the_confirmation_is_shown_before(service: Service) -> None:
    wizard = await a_wizard(service, EDI)
    steps = (await wizard.onboarding())["steps"]
    assert [(step["code"], step["status"]) for step in steps] == [
        ("confirmClient", "current"),
        ("delegateRight", "blocked"),
        ("approveScope", "blocked"),
        ("publishClient", "blocked"),
    ]
    ids = [step["id"] for step in steps]
    assert {step["actionUrl"] for step in steps[1:]} == {None}
    await wizard.confirm()
    assert [step["id"] for step in (await wizard.onboarding())["steps"]] == ids


async def test_what_a_client_has_is_not_told_to_who_says_that_its_keys_are_lost(
    service: Service,
) -> None:
    """Its id and an API key, which is all installations', are all that this takes."""
    old = await a_wizard(service, EDI, externalRef="installation 7")
    await old.confirm()
    new = await a_wizard_in_place_of(old, EDI)
    onboarding = await new.onboarding()
    assert onboarding["clientId"] == old.client_id == new.created["clientId"]
    assert onboarding["externalRef"] is None
    assert [(step["code"], step["status"], step["affects"]) for step in onboarding["steps"]] == [
        ("confirmClient", "current", []),
        ("publishClient", "blocked", []),
    ]
    await new.confirm()
    confirmed = await new.onboarding()
    assert confirmed["externalRef"] == "installation 7"
    assert by_code(confirmed, "confirmClient")["affects"] == ["nhn:selvbetjening/client", MSH]


async def test_a_new_key_for_a_client_is_confirmed_by_a_link_of_its_own(service: Service) -> None:
    old = await a_wizard(service)
    await old.confirm()
    new = await a_wizard_in_place_of(old)
    onboarding = await new.onboarding()
    assert by_code(onboarding, "confirmClient")["actionUrl"] == new.created["confirmUrl"]
    assert (await new.lengthen()).json()["clientId"] == old.client_id


async def test_what_waits_for_its_exchange_does_not_expire(service: Service) -> None:
    old = await a_wizard(service)
    await old.confirm()
    await Client(service, UUID(old.client_id), old.key).get()  # so it has been seen lately
    new = await a_wizard_in_place_of(old)
    assert (await new.onboarding())["expiresAt"] == new.created["expiresAt"]
    await new.confirm()
    onboarding = await new.onboarding()
    assert (onboarding["state"], onboarding["expiresAt"]) == ("waitingForKey", None)


async def test_every_member_is_always_there(service: Service) -> None:
    wizard = await a_wizard(service)
    before = await wizard.onboarding()
    await wizard.confirm()
    after = await wizard.onboarding()
    assert list(before) == list(after)
    for step in [*before["steps"], *after["steps"]]:
        assert list(step) == list(before["steps"][0])


async def test_a_confirmed_client_waits_for_the_issuer_and_then_is_ready(service: Service) -> None:
    wizard = await a_wizard(service, apiScopes=["nhn:selvbetjening/client"])
    await wizard.confirm()
    onboarding = await wizard.onboarding()
    assert (onboarding["outcome"], onboarding["state"]) == ("pending", "activating")
    assert onboarding["usableScopes"] == []
    assert by_code(onboarding, "confirmClient")["completedAt"] is not None
    assert onboarding["expiresAt"] is None
    await told_to_the_issuer(service, wizard)
    onboarding = await wizard.onboarding()
    assert (onboarding["outcome"], onboarding["state"]) == ("ready", "ready")
    assert onboarding["usableScopes"] == ["nhn:selvbetjening/client"]


async def told_to_the_issuer(service: Service, wizard: Wizard) -> None:
    client_id = UUID(wizard.client_id)
    async with service.database.sessions.begin() as db:
        await keys_published(db, client_id, [wizard.key.thumbprint], now=service.now)
        await scopes_told(db, client_id, ["nhn:selvbetjening/client"])


async def test_the_token_of_a_draft_opens_nothing_30_days_after_the_end(service: Service) -> None:
    wizard = await a_wizard(service, apiScopes=["nhn:selvbetjening/client"])
    await wizard.confirm()
    service.now += timedelta(days=31)
    assert (await wizard.read()).status_code == 200  # it is not over yet
    await told_to_the_issuer(service, wizard)
    service.now += timedelta(days=30, seconds=-1)
    assert (await wizard.read()).status_code == 200
    service.now += timedelta(seconds=1)
    refused = await wizard.read()
    assert problem_of(refused)["type"].endswith("/onboarding-not-found")
    client = Client(service, UUID(wizard.client_id), wizard.key)
    assert (await client.get(f"/v1/onboardings/{wizard.client_id}")).status_code == 200


async def test_a_blocked_client_is_told_so_and_a_closed_one(service: Service) -> None:
    wizard = await a_wizard(service)
    await wizard.confirm()
    for event, outcome, state in (
        (ClientEvent.BLOCK, "pending", "blocked"),
        (ClientEvent.CLOSE, "failed", "closed"),
    ):
        async with service.database.sessions() as db:
            await change_status(db, UUID(wizard.client_id), event, actor=OPERATOR, now=NOW)
        onboarding = await wizard.onboarding()
        assert (onboarding["outcome"], onboarding["state"]) == (outcome, state)
        assert onboarding["usableScopes"] == []


async def test_the_same_version_is_answered_with_304(service: Service) -> None:
    wizard = await a_wizard(service)
    first = await wizard.read()
    again = await wizard.read(if_none_match=first.headers["etag"])
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]
    await wizard.confirm()
    assert (await wizard.read(if_none_match=first.headers["etag"])).status_code == 200


async def test_the_pace_stands_in_the_answer_and_its_header(service: Service) -> None:
    answer = await (await a_wizard(service)).read()
    assert answer.headers["retry-after"] == str(answer.json()["pollAfterSeconds"])


async def test_a_client_reads_its_own_onboarding_and_no_other(service: Service) -> None:
    client, other = await service.client(), await service.client()
    own = await client.get(f"/v1/onboardings/{client.client_id}")
    assert own.status_code == 200
    foreign = await client.get(f"/v1/onboardings/{other.client_id}")
    unknown = await client.get(f"/v1/onboardings/{uuid4()}")
    assert foreign.status_code == unknown.status_code == 404
    assert problem_of(foreign)["detail"] == problem_of(unknown)["detail"]


async def test_a_token_opens_its_own_onboarding_only(service: Service) -> None:
    wizard, other = await a_wizard(service), await a_wizard(service)
    details = set()
    for client_id in (other.client_id, str(uuid4()), "no-id"):
        answer = await service.http.get(
            f"/v1/onboardings/{client_id}", headers={"Authorization": f"Bearer {wizard.token}"}
        )
        assert answer.status_code == 404
        details.add(problem_of(answer)["detail"])
    assert len(details) == 1


@pytest.mark.parametrize(
    "headers",
    [{}, {"api-key": FJORD}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}],
)
async def test_nothing_else_opens_an_onboarding(service: Service, headers: dict[str, str]) -> None:
    wizard = await a_wizard(service)
    answer = await service.http.get(f"/v1/onboardings/{wizard.client_id}", headers=headers)
    assert answer.status_code == 401
    assert "Bearer" in answer.headers["www-authenticate"]


async def test_of_a_draft_that_has_been_removed_there_is_nothing(service: Service) -> None:
    client_id = uuid4()
    token = onboarding_token(client_id, secret_key=service.settings.secret_key)
    path, headers = f"/v1/onboardings/{client_id}", {"Authorization": f"Bearer {token}"}
    for method, address in (("GET", path), ("POST", f"{path}/confirm-link")):
        answer = await service.http.request(method, address, headers=headers)
        assert problem_of(answer)["type"].endswith("/onboarding-not-found")


@pytest.mark.usefixtures("early_in_the_minute")
async def test_a_token_that_opens_nothing_is_refused_after_a_while(service: Service) -> None:
    wizard = await a_wizard(service)
    wrong = "v1." + "A" * 43
    path, headers = f"/v1/onboardings/{wizard.client_id}", {"Authorization": f"Bearer {wrong}"}
    statuses = [(await service.http.get(path, headers=headers)).status_code for _ in range(32)]
    assert statuses[:30] == [404] * 30
    assert statuses[30:] == [429] * 2
    assert (await wizard.read()).status_code == 200
