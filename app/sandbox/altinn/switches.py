"""How the stand-in behaves where the real one differs from day to day."""

from datetime import timedelta
from typing import Annotated

from msgspec import Meta, Struct

Seconds = Annotated[int, Meta(ge=0, le=3_600)]


class AltinnSettings(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    propagation_seconds: Seconds = 0
    """How long after a right is given or withdrawn the look-ups notice."""
    memory_seconds: Seconds = 0
    """How long each product keeps to its earlier answer about the same right."""
    feature_off: bool = False
    """Delegation requests by the service owner are not there: 404."""
    approval_fails: bool = False
    """The delegation check fails when the giver approves; the request stays pending."""
    access_list: bool = False
    """The service owner lets nobody use its resources: each yes becomes `Deny`."""
    never_logged_in: list[str] = []
    """Persons, by name, whom Altinn has never seen."""

    @property
    def propagation(self) -> timedelta:
        return timedelta(seconds=self.propagation_seconds)

    @property
    def memory(self) -> timedelta:
        return timedelta(seconds=self.memory_seconds)
