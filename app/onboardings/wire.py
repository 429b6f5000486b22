"""What an onboarding tells a wizard. Flat, and every member always there."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from app.apis.catalogue import Texts
from app.delegations.rules import Actor
from app.onboardings.rules import Outcome, StepCode, StepStatus


class OnboardingStep(Struct, rename="camel", frozen=True, kw_only=True):
    """One thing that has to be done, by whom, and where."""

    id: str
    code: StepCode
    status: StepStatus
    blocking: bool
    actor: Actor
    actor_name: str
    actor_contact: str | None
    title: Texts
    help: Texts
    reason_code: str | None
    reason_detail: str | None
    affects: list[str]
    action_url: str | None
    action_expires_at: datetime | None
    since: datetime
    completed_at: datetime | None
    checked_at: datetime | None
    stale: bool
    usually_takes: int | None


class Onboarding(Struct, rename="camel", frozen=True, kw_only=True):
    """What is missing before the client can be used, who must act, and where."""

    client_id: UUID
    outcome: Outcome
    state: str
    steps: list[OnboardingStep]
    usable_scopes: list[str]
    key_expires_at: datetime | None
    poll_after_seconds: int
    organization_number: str
    organization_name: str | None
    external_ref: str | None
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime


class ConfirmLink(Struct, rename="camel", frozen=True, kw_only=True):
    """The draft's links once more, and how long they work now."""

    client_id: UUID
    confirm_url: str
    share_url: str
    expires_at: datetime
    pairing_code: str
    times_left: int
