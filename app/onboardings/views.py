"""A step as a wizard sees it."""

from collections.abc import Sequence
from datetime import datetime

from app.onboardings.facts import Around, Facts
from app.onboardings.rules import Step
from app.onboardings.wire import OnboardingStep
from app.onboardings.words import (
    actor_contact,
    actor_name,
    help_of_step,
    title_of_step,
    usual_seconds,
)


def onboarding_step(step: Step, facts: Facts, around: Around) -> OnboardingStep:
    return OnboardingStep(
        id=step.id,
        code=step.code,
        status=step.shape.status,
        blocking=step.shape.blocking,
        actor=step.shape.actor,
        actor_name=actor_name(step, facts, around),
        actor_contact=actor_contact(step, facts, around),
        title=title_of_step(step, facts, around),
        help=help_of_step(step, facts, around),
        reason_code=step.reason_code,
        reason_detail=step.reason_detail,
        affects=list(step.affects),
        action_url=step.action_url,
        action_expires_at=step.action_expires_at,
        since=step.since,
        completed_at=step.completed_at,
        checked_at=step.checked_at,
        stale=step.stale,
        usually_takes=usual_seconds(step, around),
    )


def updated_at(created_at: datetime, steps: Sequence[Step]) -> datetime:
    """The newest of all that can be seen."""
    return max([created_at, *(step.completed_at or step.since for step in steps)])
