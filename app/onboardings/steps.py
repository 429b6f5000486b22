"""From facts to steps: on which lines of the table an onboarding stands."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from app.apis.catalogue import ClientSystem
from app.approvals.rules import is_automatic
from app.client_drafts.redirects import page_address
from app.client_drafts.rules import DraftStatus, status_now
from app.onboardings.client_steps import is_declared, needing, steps_of_client, with_claim
from app.onboardings.facts import Around, DraftSeen, Facts
from app.onboardings.rules import Confirmation, Known, Step, StepCode, StepStatus, shape_of, step


def steps_of(facts: Facts, around: Around) -> list[Step]:
    """All of them, in the order to do them."""
    steps = [*_confirm(facts, around)]
    if facts.draft is not None:
        steps += _activate(facts, facts.draft, around)
        steps += _replace_keys(facts.draft)
    if facts.client is not None:
        return [*steps, *steps_of_client(facts, facts.client, around)]
    if any(step.is_open for step in steps):
        steps += _to_come(facts, around)
    return steps


def _confirm(facts: Facts, around: Around) -> Iterator[Step]:
    if facts.draft is not None:
        yield _confirm_draft(facts, facts.draft, around)
    elif facts.client is not None and not is_declared(facts, around):
        # The draft has been removed since.
        scopes = [seen.scope for seen in facts.client.scopes]
        since = facts.client.created_at
        yield step(StepCode.CONFIRM_CLIENT, Confirmation.CONFIRMED, since=since, affects=scopes)


def _activate(facts: Facts, draft: DraftSeen, around: Around) -> Iterator[Step]:
    """The program shows that the browser of the person who confirmed came back to it."""
    system = around.system(facts)
    if not (draft.activation or (system is not None and system.activation is not None)):
        return
    since, until = draft.decided_at or draft.created_at, None
    match confirmation_of(draft, around.now), draft.activated_at:
        case _, datetime() as activated_at:
            known, since = Known.ACTIVATED, activated_at
        case Confirmation.CONFIRMED | Confirmation.VERIFYING_RIGHT, None:
            if draft.activation_until is None:
                return  # the system did not ask for it then
            known, until = Known.NOT_ACTIVATED, draft.activation_until
        case Confirmation.DECLINED | Confirmation.EXPIRED, None:
            return
        case _:
            known = Known.UNCONFIRMED
    yield step(
        StepCode.ACTIVATE_CLIENT,
        known,
        affects=draft.scopes,
        action_expires_at=until,
        since=since,
    )


def _replace_keys(draft: DraftSeen) -> Iterator[Step]:
    """Keys that were seen lately may not be lost at all: whoever has them can say so for a day."""
    if draft.status is DraftStatus.AWAITING_EXCHANGE:
        yield step(
            StepCode.REPLACE_KEYS,
            Known.KEY_SEEN_LATELY,
            affects=draft.scopes,
            action_expires_at=draft.exchange_at,
            since=draft.decided_at or draft.created_at,
        )


def _confirm_draft(facts: Facts, draft: DraftSeen, around: Around) -> Step:
    known = confirmation_of(draft, around.now)
    page = page_address(facts.client_id, shared=known is Confirmation.PASSED_ON)
    current = shape_of(StepCode.CONFIRM_CLIENT, known).status is StepStatus.CURRENT
    reason = draft.decline_reason if known is Confirmation.DECLINED else None
    return step(
        StepCode.CONFIRM_CLIENT,
        known,
        reason_detail=reason.value if reason else None,
        affects=draft.scopes,
        action_url=f"{around.base_url}{page}" if current else None,
        action_expires_at=draft.expires_at if current else None,
        since=_confirm_since(draft, known),
    )


def confirmation_of(draft: DraftSeen, now: datetime) -> Confirmation:
    status = status_now(draft.status, draft.expires_at, now, draft.activation_until)
    if status in (DraftStatus.AWAITING_ACTIVATION, DraftStatus.AWAITING_EXCHANGE):
        return Confirmation.CONFIRMED
    if status is not DraftStatus.PENDING:
        return Confirmation(status.value)
    lapsed_at, came_at = draft.activation_until, draft.last_visit_at
    if lapsed_at is not None and (came_at is None or came_at < lapsed_at):
        return Confirmation.LAPSED
    return Confirmation(draft.last_visit.value) if draft.last_visit else Confirmation.NOT_OPENED


def _confirm_since(draft: DraftSeen, known: Confirmation) -> datetime:
    if known is Confirmation.EXPIRED:
        return draft.expires_at
    if known is Confirmation.LAPSED and draft.activation_until is not None:
        return draft.activation_until
    if known is Confirmation.NOT_OPENED:
        return draft.created_at
    return draft.decided_at or draft.last_visit_at or draft.created_at


def _to_come(facts: Facts, around: Around) -> Iterator[Step]:
    """What the catalogue says of everybody: nothing of this organization is told yet."""
    draft, system = facts.draft, around.system(facts)
    if draft is None or system is None:
        return
    since = draft.created_at
    own = facts.organization_number == system.supplier_organization_number
    rights = [] if own else _rights(system, draft.scopes)
    for right in rights:
        yield step(
            StepCode.DELEGATE_RIGHT,
            Known.UNCONFIRMED,
            about=right,
            giver=facts.organization_number,
            affects=needing(system, right, draft.scopes),
            since=since,
        )
    for scope in draft.scopes:
        entry = around.catalogue.api_scopes.get(scope)
        if entry and not is_automatic(entry.policy, around.environment):
            yield step(
                StepCode.APPROVE_SCOPE,
                Known.UNCONFIRMED,
                about=scope,
                affects=[scope],
                since=since,
            )
    for claim_type in draft.claims:
        claim = around.catalogue.client_claims.get(claim_type)
        if claim and not is_automatic(claim.policy, around.environment):
            yield step(
                StepCode.APPROVE_CLAIM,
                Known.UNCONFIRMED,
                about=claim_type,
                affects=with_claim(claim_type, draft.scopes, around),
                since=since,
            )
    yield step(StepCode.PUBLISH_CLIENT, Known.UNCONFIRMED, affects=draft.scopes, since=since)


def _rights(system: ClientSystem, scopes: Sequence[str]) -> list[str]:
    right_of = system.right_of_scope
    return list(dict.fromkeys(right_of[scope] for scope in scopes if scope in right_of))
