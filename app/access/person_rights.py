"""What this service asks about a person who wants to decide for an organization."""

from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from app.access.person_numbers import PersonNumber


class NoReliableAnswer(Exception):
    """Nothing is known: it is neither a yes nor a no. The text is for the log."""


class Held(StrEnum):
    """Whether a person may decide."""

    YES = "yes"
    NO = "no"
    WEAK_LOGIN = "weakLogin"  # the right is there, and wants a stronger login than this one


class PersonQuestion(Struct, frozen=True, kw_only=True):
    person: PersonNumber
    security_level: int
    """Of the person's login."""
    organization_number: str
    resource_id: str
    action: str
    urgent: bool = True
    """The person waits for the answer."""


class RepresentedOrganization(Struct, frozen=True):
    number: str
    name: str


class PersonRights(Protocol):
    async def held(self, question: PersonQuestion) -> Held:
        """Raises `NoReliableAnswer`, soon enough for a person who waits."""
        ...

    async def organizations(
        self, person: PersonNumber, resource_id: str
    ) -> list[RepresentedOrganization]:
        """For whom the person has been given the right. What a role gives is not among them.

        Empty is not the same as none. Raises `NoReliableAnswer`.
        """
        ...
