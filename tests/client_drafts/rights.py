"""Stands where Altinn is asked about persons: it says what a test tells it to."""

from msgspec import Struct, field

from app.access.person_numbers import PersonNumber
from app.access.person_rights import (
    Held,
    NoReliableAnswer,
    PersonQuestion,
    RepresentedOrganization,
)

PERSON = PersonNumber("12838540056")


class ToldRights(Struct):
    answer: Held | None = Held.YES
    """None: it cannot be asked."""
    others: list[RepresentedOrganization] | None = None
    asked: list[PersonQuestion] = field(default_factory=list)

    async def held(self, question: PersonQuestion) -> Held:
        self.asked.append(question)
        if self.answer is None:
            raise NoReliableAnswer("told to")
        return self.answer

    async def organizations(
        self, person: PersonNumber, resource_id: str
    ) -> list[RepresentedOrganization]:
        if self.others is None:
            raise NoReliableAnswer("told to")
        return self.others
