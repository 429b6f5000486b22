"""The steps of a client: rights, decisions, and what the issuer knows."""

from typing import Any

import pytest
from msgspec.structs import replace

from app.apis.catalogue import DeclaredClient, OrganizationRule, ScopeDecision
from app.approvals.rules import AccessState
from app.client_keys.rules import KeyState
from app.clients.rules import ClientStatus
from app.delegations.rules import State
from app.onboardings.facts import ClaimSeen, ClientSeen, KeySeen, RightRecord, ScopeSeen
from app.onboardings.rules import (
    Approval,
    Known,
    Outcome,
    StepCode,
    outcome_of,
    poll_after,
    state_of,
)
from tests.approvals.examples import CATALOGUE, CLIENT_SCOPE
from tests.examples import NOW, ORGANIZATION
from tests.onboardings.examples import (
    ALTINN,
    API,
    AROUND,
    HOUR,
    ID,
    MINUTE,
    OPEN,
    READ,
    REQUEST,
    RIGHT,
    SECOND,
    SYSTEM,
    a_draft,
    of,
    steps,
)


def test_what_has_left_the_catalogue_is_asked_of_nobody() -> None:
    draft = a_draft(scopes=["gone:scope", API], claims=["gone", "herid"])
    coming = [(step.code, step.about) for step in steps(draft)[1:]]
    assert coming == [
        (StepCode.DELEGATE_RIGHT, RIGHT),
        (StepCode.APPROVE_SCOPE, API),
        (StepCode.APPROVE_CLAIM, "herid"),
        (StepCode.PUBLISH_CLIENT, ""),
    ]
    without = replace(AROUND, catalogue=replace(CATALOGUE, client_systems=[]))
    assert len(steps(draft, around=without)) == 1
    gone = replace(a_claim(None, "1"), claim_type="gone")
    client = a_client(scopes=[a_scope()], claims=[gone], rights=[a_right(State.MISSING)])
    found = steps(client=client, around=without)
    assert of(StepCode.DELEGATE_RIGHT, found)[0].affects == []
    assert of(StepCode.APPROVE_CLAIM, found)[0].affects == []


def a_client(**more: Any) -> ClientSeen:
    given: dict[str, Any] = {"status": ClientStatus.ACTIVE, "created_at": NOW - HOUR}
    return ClientSeen(**(given | more))


def a_scope(
    scope: str = API,
    own: AccessState = AccessState.GRANTED,
    api: AccessState = AccessState.GRANTED,
    words: str | None = None,
) -> ScopeSeen:
    return ScopeSeen(scope, "nhn:msh", api, NOW - MINUTE, own, NOW - HOUR, words)


def a_right(state: State, **more: Any) -> RightRecord:
    return RightRecord(RIGHT, ORGANIZATION, state, **({"since": NOW - HOUR} | more))


@pytest.mark.parametrize(
    ("right", "link"),
    [
        (a_right(State.MISSING), ALTINN),
        (a_right(State.MISSING, request_link=REQUEST), ALTINN),
        (a_right(State.REQUEST_PENDING, request_link=REQUEST), REQUEST),
        (a_right(State.REQUEST_PENDING), ALTINN),
        (a_right(State.ACTIVE, request_link=REQUEST), None),
        (a_right(State.UNKNOWN), None),
    ],
)
def test_a_right_is_given_in_altinn(right: RightRecord, link: str | None) -> None:
    client = a_client(rights=[right], scopes=[a_scope(CLIENT_SCOPE), a_scope(API)])
    [step] = of(StepCode.DELEGATE_RIGHT, steps(client=client))
    assert (step.known, step.action_url, step.affects) == (right.state, link, [API])
    assert step.id == f"delegateRight.{RIGHT}.{ORGANIZATION}"


@pytest.mark.parametrize(
    ("right", "stale"),
    [
        (a_right(State.UNKNOWN, since=NOW - MINUTE + SECOND, failures=1), False),
        (a_right(State.UNKNOWN, since=NOW - MINUTE, failures=1), True),
        (a_right(State.UNKNOWN), False),
        (a_right(State.ACTIVE, since=NOW, checked_at=NOW, failures=1), True),
        (a_right(State.ACTIVE, checked_at=NOW - HOUR, due_at=NOW - 10 * MINUTE), False),
        (a_right(State.ACTIVE, checked_at=NOW - HOUR, due_at=NOW - 10 * MINUTE - SECOND), True),
    ],
)
def test_what_was_not_looked_up_in_time_is_stale(right: RightRecord, stale: bool) -> None:
    [step] = of(StepCode.DELEGATE_RIGHT, steps(client=a_client(rights=[right])))
    assert step.stale is stale


NO, YES, ASKED = AccessState.REJECTED, AccessState.GRANTED, AccessState.PENDING


@pytest.mark.parametrize(
    ("scope", "known", "words"),
    [
        (a_scope(API, ASKED, words="Snart."), Approval.SCOPE_PENDING, None),
        (a_scope(API, NO, words="Nei."), Approval.SCOPE_REJECTED, "Nei."),
        (a_scope(API, YES, NO, words="Nei."), Approval.API_REJECTED, "Nei."),
        (a_scope(API, YES, words="Ja."), Approval.GRANTED, None),
        (a_scope(OPEN, ASKED), Approval.SCOPE_PENDING, None),
    ],
)
def test_an_owners_decision_is_a_step_and_his_no_has_his_words(
    scope: ScopeSeen, known: Approval, words: str | None
) -> None:
    [step] = of(StepCode.APPROVE_SCOPE, steps(client=a_client(scopes=[scope])))
    assert (step.known, step.about, step.words) == (known, scope.scope, words)
    assert step.since == NOW - MINUTE  # the later of the API's decision and the scope's


def test_what_nobody_had_to_decide_is_no_step() -> None:
    granted = a_client(scopes=[a_scope(CLIENT_SCOPE), a_scope(OPEN)])
    assert not of(StepCode.APPROVE_SCOPE, steps(client=granted))
    rule = OrganizationRule(ORGANIZATION, scopes=ScopeDecision("all"))
    ruled = replace(AROUND, catalogue=replace(AROUND.catalogue, organization_rules=[rule]))
    [step] = of(StepCode.APPROVE_SCOPE, steps(client=granted, around=ruled))
    assert (step.about, step.known) == (OPEN, Approval.GRANTED)


def test_a_declared_client_was_left_to_nobody() -> None:
    declared = DeclaredClient(ID, SYSTEM.id, ORGANIZATION, "LEGEKONTORET", [API], [{}])
    around = replace(AROUND, catalogue=replace(AROUND.catalogue, clients=[declared]))
    found = steps(client=a_client(scopes=[a_scope()]), around=around)
    assert [step.code for step in found if step.code is not StepCode.RENEW_KEY] == [
        StepCode.PUBLISH_CLIENT
    ]


def a_claim(active: str | None, pending: str | None, *, refused: bool = False) -> ClaimSeen:
    return ClaimSeen("herid", active, pending, refused, "Nei.", NOW - HOUR, had_to_wait=False)


@pytest.mark.parametrize(
    ("claim", "known", "words"),
    [
        (a_claim(None, "1"), Approval.FIRST_VALUE_PENDING, None),
        (a_claim("0", "1"), Approval.CHANGED_VALUE_PENDING, None),
        (a_claim("0", "1", refused=True), Approval.VALUE_REFUSED, "Nei."),
        (replace(a_claim("0", None), had_to_wait=True), Approval.GRANTED, None),
    ],
)
def test_a_value_is_decided_on_like_a_scope(
    claim: ClaimSeen, known: Approval, words: str | None
) -> None:
    client = a_client(claims=[claim], scopes=[a_scope(CLIENT_SCOPE), a_scope(API)])
    [step] = of(StepCode.APPROVE_CLAIM, steps(client=client))
    assert (step.known, step.words, step.affects) == (known, words, [API])


def test_a_value_that_nobody_had_to_decide_on_is_no_step() -> None:
    assert not of(StepCode.APPROVE_CLAIM, steps(client=a_client(claims=[a_claim("0", None)])))


def a_key(state: KeyState) -> KeySeen:
    return KeySeen("A" * 43, state, NOW - HOUR, active_at=NOW - MINUTE)


@pytest.mark.parametrize(
    ("keys", "told", "known", "affects"),
    [
        ([KeyState.ACTIVE], None, Known.ISSUER_LAGS, [API]),
        ([KeyState.ACTIVE], [CLIENT_SCOPE], Known.ISSUER_LAGS, [API]),
        ([KeyState.ACTIVATING], [API], Known.ISSUER_LAGS, [API, READ]),
        ([KeyState.ACTIVATING, KeyState.ACTIVE], [API], Known.ISSUER_KNOWS, [API, READ]),
        ([KeyState.ACTIVATING, KeyState.RETIRED], [API], Known.ISSUER_LAGS, [API, READ]),
        ([], [API], Known.ISSUER_KNOWS, [API, READ]),
    ],
)
def test_the_issuer_knows_the_client_once_it_knows_its_scopes_and_a_key(
    keys: list[KeyState], told: list[str] | None, known: Known, affects: list[str]
) -> None:
    client = a_client(
        scopes=[a_scope(), a_scope(READ, ASKED)],  # what waits for its owner is told to nobody
        rights=[a_right(State.ACTIVE)],
        keys=[a_key(state) for state in keys],
        issuer_scopes=told,
    )
    [step] = of(StepCode.PUBLISH_CLIENT, steps(client=client))
    assert (step.known, step.affects) == (known, affects)
    assert (step.completed_at is not None) == (known is Known.ISSUER_KNOWS)


def test_since_when_the_issuer_knows_and_since_when_it_does_not() -> None:
    keys = [a_key(KeyState.ACTIVE), replace(a_key(KeyState.ACTIVE), active_at=NOW - SECOND)]
    lags = a_client(scopes=[a_scope()], rights=[a_right(State.ACTIVE)], keys=keys)
    [step] = of(StepCode.PUBLISH_CLIENT, steps(client=lags))
    assert step.since == NOW - MINUTE  # when the API was granted, the newest of its changes
    [step] = of(StepCode.PUBLISH_CLIENT, steps(client=replace(lags, status_since=NOW - SECOND)))
    assert step.since == NOW - SECOND
    [step] = of(StepCode.PUBLISH_CLIENT, steps(client=replace(lags, issuer_scopes=[API])))
    assert step.since == step.completed_at == NOW - MINUTE  # since the first key was active


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (ClientStatus.BLOCKED, StepCode.UNBLOCK_CLIENT),
        (ClientStatus.CLOSED, StepCode.REPLACE_CLIENT),
    ],
)
def test_what_was_stopped_is_told_to_no_issuer(status: ClientStatus, code: StepCode) -> None:
    stopped = a_client(status=status, scopes=[a_scope()], keys=[a_key(KeyState.ACTIVE)])
    found = steps(client=stopped)
    assert of(code, found)[0].since == NOW - HOUR  # when the client was made, for want of another
    assert of(code, steps(client=replace(stopped, status_since=NOW)))[0].since == NOW
    assert not of(StepCode.PUBLISH_CLIENT, found)
    assert bool(of(StepCode.APPROVE_SCOPE, found)) == (status is ClientStatus.BLOCKED)


def test_a_no_beside_leaves_the_rest_usable() -> None:
    client = a_client(
        scopes=[a_scope(CLIENT_SCOPE), a_scope(API, NO)],
        keys=[a_key(KeyState.ACTIVE)],
        issuer_scopes=[CLIENT_SCOPE],
    )
    found = steps(client=client)
    assert outcome_of(found, [CLIENT_SCOPE]) is Outcome.READY
    assert outcome_of(found, []) is Outcome.FAILED
    assert state_of(found, Outcome.FAILED) == "rejected"
    waits = [*found, *of(StepCode.PUBLISH_CLIENT, steps(client=replace(client, issuer_scopes=[])))]
    assert outcome_of(waits, [CLIENT_SCOPE]) is Outcome.PENDING
    assert state_of(waits, Outcome.PENDING) == "activating"


def test_the_quickest_of_the_steps_that_move_sets_the_pace() -> None:
    draft = a_draft(scopes=[API])
    assert poll_after(steps(draft)) == 5  # publishing is quicker, and blocked
    lags = a_client(scopes=[a_scope(API, ASKED), a_scope(READ)], keys=[a_key(KeyState.ACTIVE)])
    assert poll_after(steps(client=lags)) == 1
    assert poll_after(steps(client=replace(lags, issuer_scopes=[READ]))) == 60
