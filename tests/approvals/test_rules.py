from datetime import timedelta
from itertools import product

import pytest

from app.apis.catalogue import Api, OrganizationRule, Policy, ScopeDecision
from app.approvals.reasons import REASONS, reason
from app.approvals.rules import (
    TRANSITIONS,
    AccessEvent,
    AccessState,
    ClaimState,
    NewAccess,
    ReasonCode,
    Status,
    api_access,
    claim_after_asking,
    claim_after_decision,
    claim_policy,
    claim_status,
    initial_access,
    is_automatic,
    scope_status,
    scopes_under_rule,
)
from app.settings import Environment
from app.state_machine import WrongState, next_state
from tests.approvals.examples import CATALOGUE, CLIENT_SCOPE
from tests.examples import NOW

PENDING, GRANTED = AccessState.PENDING, AccessState.GRANTED
REJECTED, REVOKED = AccessState.REJECTED, AccessState.REVOKED
APPROVE, REFUSE = AccessEvent.APPROVE, AccessEvent.REFUSE


@pytest.mark.parametrize(
    ("state", "event", "after"),
    [
        (PENDING, APPROVE, GRANTED),
        (PENDING, REFUSE, REJECTED),
        (GRANTED, APPROVE, None),
        (GRANTED, REFUSE, REVOKED),
        (REJECTED, APPROVE, GRANTED),
        (REJECTED, REFUSE, None),
        (REVOKED, APPROVE, GRANTED),
        (REVOKED, REFUSE, None),
    ],
)
def test_an_access_goes_by_its_table(
    state: AccessState, event: AccessEvent, after: AccessState | None
) -> None:
    if after is not None:
        assert next_state(TRANSITIONS, state, event) == after
        return
    with pytest.raises(WrongState):
        next_state(TRANSITIONS, state, event)


@pytest.mark.parametrize(
    ("api", "scope", "code"),
    [
        (GRANTED, GRANTED, None),
        (GRANTED, PENDING, "ApiScopeAccessPending"),
        (GRANTED, REJECTED, "ApiScopeAccessRejected"),
        (GRANTED, REVOKED, "ApiScopeAccessRevoked"),
        (PENDING, GRANTED, "ApiAccessPending"),
        (PENDING, PENDING, "ApiAccessPending"),
        (PENDING, REJECTED, "ApiScopeAccessRejected"),
        (PENDING, REVOKED, "ApiScopeAccessRevoked"),
        *((REJECTED, scope, "ApiAccessRejected") for scope in AccessState),
        *((REVOKED, scope, "ApiAccessRevoked") for scope in AccessState),
    ],
)
def test_a_scope_can_be_used_when_both_levels_are_granted(
    api: AccessState, scope: AccessState, code: str | None
) -> None:
    status, reason_code = scope_status(api, scope)
    assert status == (Status.OK if code is None else Status.PENDING)
    assert (reason_code and reason_code.legacy) == code


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (ClaimState("1"), (Status.OK, None)),
        (ClaimState(None, "1"), (Status.PENDING, ReasonCode.CLAIM_VALUE_PENDING)),
        (ClaimState("1", "2"), (Status.UPDATE_PENDING, ReasonCode.CLAIM_VALUE_PENDING)),
        (ClaimState(None, "1", True), (Status.PENDING, ReasonCode.CLAIM_VALUE_REFUSED)),
        (ClaimState("1", "2", True), (Status.UPDATE_PENDING, ReasonCode.CLAIM_VALUE_REFUSED)),
    ],
)
def test_a_claim_waits_while_a_value_is_asked_for(
    claim: ClaimState, expected: tuple[Status, ReasonCode | None]
) -> None:
    assert claim_status(claim) == expected


@pytest.mark.parametrize(
    ("current", "asked", "automatic", "after"),
    [
        (None, "1", False, ClaimState(None, "1")),
        (None, "1", True, ClaimState("1")),
        (ClaimState("1"), "1", False, ClaimState("1")),
        (ClaimState("1"), "2", False, ClaimState("1", "2")),
        (ClaimState("1"), "2", True, ClaimState("2")),
        (ClaimState("1", "2"), "2", False, ClaimState("1", "2")),
        (ClaimState("1", "2", True), "2", False, ClaimState("1", "2", True)),
        (ClaimState("1", "2", True), "3", False, ClaimState("1", "3")),
        (ClaimState("1", "2"), "1", False, ClaimState("1")),
        (ClaimState(None, "1"), "2", False, ClaimState(None, "2")),
    ],
)
def test_what_becomes_of_a_claim_that_is_asked_for(
    current: ClaimState | None, asked: str, automatic: bool, after: ClaimState
) -> None:
    assert claim_after_asking(current, asked, automatic=automatic) == after


def test_an_owner_decides_on_the_value_that_waits_and_may_change_his_no() -> None:
    refused = claim_after_decision(ClaimState("1", "2"), REFUSE)
    assert refused == ClaimState("1", "2", refused=True)
    assert claim_after_decision(refused, APPROVE) == ClaimState("2")


@pytest.mark.parametrize(
    ("claim", "event"),
    [
        (ClaimState("1"), APPROVE),
        (ClaimState("1"), REFUSE),
        (ClaimState("1", "2", refused=True), REFUSE),
    ],
)
def test_where_no_value_waits_an_owner_has_no_say(claim: ClaimState, event: AccessEvent) -> None:
    with pytest.raises(WrongState):
        claim_after_decision(claim, event)


@pytest.mark.parametrize(
    ("policy", "environment", "automatic"),
    [
        (Policy.AUTOMATIC, Environment.TEST, True),
        (Policy.AUTOMATIC, Environment.PRODUCTION, True),
        (Policy.AUTOMATIC_IN_TEST, Environment.TEST, True),
        (Policy.AUTOMATIC_IN_TEST, Environment.PRODUCTION, False),
        (Policy.MANUAL, Environment.TEST, False),
        (Policy.MANUAL, Environment.PRODUCTION, False),
    ],
)
def test_who_decides_goes_by_policy_and_environment(
    policy: Policy, environment: Environment, automatic: bool
) -> None:
    assert is_automatic(policy, environment) is automatic
    begins = initial_access(policy, environment, None, NOW)
    assert begins == NewAccess(GRANTED if automatic else PENDING)


@pytest.mark.parametrize(
    ("decision", "begins"),
    [
        (ScopeDecision("all"), NewAccess(PENDING)),
        (ScopeDecision("all", "refuse"), NewAccess(REJECTED)),
        (ScopeDecision("all", "approve"), NewAccess(GRANTED)),
        (
            ScopeDecision("all", "approve", 60),
            NewAccess(PENDING, NOW + timedelta(seconds=60), APPROVE),
        ),
    ],
)
def test_an_organizations_rule_says_how_access_begins(
    decision: ScopeDecision, begins: NewAccess
) -> None:
    assert initial_access(Policy.AUTOMATIC, Environment.TEST, decision, NOW) == begins


@pytest.mark.parametrize(
    ("which", "asked", "ruled"),
    [
        ("all", [CLIENT_SCOPE, "a/1", "a/2"], ["a/1", "a/2"]),
        ("last", ["a/1", "a/2", CLIENT_SCOPE], ["a/2"]),
        ("last", [CLIENT_SCOPE], []),
        (None, ["a/1"], []),
    ],
)
def test_the_client_scope_is_never_under_a_rule(
    which: str | None, asked: list[str], ruled: list[str]
) -> None:
    scopes = None if which is None else ScopeDecision(which)  # type: ignore[arg-type]
    rule = OrganizationRule("310000051", scopes=scopes)
    assert scopes_under_rule(rule, asked, CLIENT_SCOPE) == ruled


@pytest.mark.parametrize(
    ("current", "scopes", "after"),
    [
        (None, [PENDING], PENDING),
        (None, [REJECTED], PENDING),
        (None, [PENDING, GRANTED], GRANTED),
        (PENDING, [GRANTED], GRANTED),
        (GRANTED, [PENDING], GRANTED),
        (REVOKED, [GRANTED], REVOKED),
        (REJECTED, [GRANTED], REJECTED),
    ],
)
def test_access_to_an_api_waits_while_nothing_in_it_is_granted(
    current: AccessState | None, scopes: list[AccessState], after: AccessState
) -> None:
    assert api_access(current, scopes) == after


def test_an_organization_may_have_its_own_policy_for_first_and_changed_values() -> None:
    claim = CATALOGUE.client_claims["herid"]
    rule = OrganizationRule("310000094", first_claim_value=Policy.AUTOMATIC)
    assert claim_policy(claim, rule, None) == Policy.AUTOMATIC
    assert claim_policy(claim, rule, "1") == claim.policy
    assert claim_policy(claim, None, None) == claim.policy


OWNERS_REASONS = [code for code in ReasonCode if not code.is_of_delegation]


@pytest.mark.parametrize(("code", "language"), list(product(OWNERS_REASONS, ["nb", "nn", "en"])))
def test_every_reason_names_the_owner_and_repeats_his_words(
    code: ReasonCode, language: str
) -> None:
    assert REASONS.keys() == set(OWNERS_REASONS)
    api = Api("nhn:msh", "Meldingstjener", "Norsk helsenett", [])
    words = "Ring {oss}."
    text = getattr(reason(code, what="nhn:msh/api", api=api, words=words), language)
    assert "Norsk helsenett" in text
    assert words in text
    plain = getattr(reason(code, what="nhn:msh/api", api=api, words=None), language)
    assert words not in plain
    assert "{" not in plain
