"""What persons may do for organizations, as Altinn knows it.

The decision point's yes is a yes. Its no may hide a failure inside Altinn, so it counts only
when the list of authorized parties says no as well; when they differ, nothing is known.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from app.access.person_numbers import PersonNumber
from app.access.person_rights import (
    Held,
    NoReliableAnswer,
    PersonQuestion,
    RepresentedOrganization,
)
from app.adapters.altinn_calls import AltinnCalls
from app.adapters.altinn_rights import (
    PERSON,
    AltinnScopes,
    Asked,
    Decision,
    Party,
    decision_on,
    parties_of,
)
from app.adapters.http import NoAnswer
from app.delegations.altinn import AltinnUnavailable

# A person waits for both questions together; what cannot be answered is asked again later.
WITHIN = 3.0
TRIES = 2
LEAST_LEVEL = "urn:altinn:minimum-authenticationlevel"
_LEVEL = re.compile(r"[0-9]{1,2}")


class AltinnPersonRights:
    """Altinn, as `app.access.person_rights` asks it."""

    def __init__(self, calls: AltinnCalls, scopes: AltinnScopes) -> None:
        self._calls = calls
        self._scopes = scopes

    async def held(self, question: PersonQuestion) -> Held:
        asked = _asked(
            question.person,
            question.resource_id,
            question.organization_number,
            urgent=question.urgent,
        )
        async with self._while_a_person_waits():
            decision, _ = await decision_on(
                self._calls, self._scopes, asked, action=question.action
            )
            if decision.is_yes:
                enough = _least_level(decision) <= question.security_level
                return Held.YES if enough else Held.WEAK_LOGIN
            if await self._is_listed(asked):
                raise NoReliableAnswer("a no that the authorized parties contradict")
        return Held.NO

    async def organizations(
        self, person: PersonNumber, resource_id: str
    ) -> list[RepresentedOrganization]:
        async with self._while_a_person_waits():
            parties = await self._parties(_asked(person, resource_id))
        return list(_represented(parties, resource_id))

    async def _is_listed(self, asked: Asked) -> bool:
        parties = await self._parties(asked)
        return any(one.number == asked.giver for one in _represented(parties, asked.resource_id))

    async def _parties(self, asked: Asked) -> list[Party]:
        """What a person has by way of an organization that he leads counts too."""
        parties, _ = await parties_of(self._calls, self._scopes, asked, via_key_roles=True)
        return parties

    @asynccontextmanager
    async def _while_a_person_waits(self) -> AsyncIterator[None]:
        """What comes too late, or cannot be relied on, is `NoReliableAnswer`."""
        try:
            async with asyncio.timeout(WITHIN):
                yield
        except TimeoutError:
            self._calls.waited_in_vain()
            raise NoReliableAnswer(f"no answer within {WITHIN} s") from None
        except (AltinnUnavailable, NoAnswer) as error:
            raise NoReliableAnswer(str(error)) from error


def _asked(
    person: PersonNumber, resource_id: str, giver: str | None = None, *, urgent: bool = True
) -> Asked:
    return Asked(
        receiver_is=PERSON,
        receiver=person.digits,
        giver=giver,
        resource_id=resource_id,
        urgent=urgent,
        tries=TRIES,
    )


def _represented(parties: list[Party], resource_id: str) -> Iterator[RepresentedOrganization]:
    for party in parties:
        if party.organization_number and not party.is_deleted and party.gives(resource_id):
            yield RepresentedOrganization(party.organization_number, party.name)


def _least_level(decision: Decision) -> int:
    """Known by its category: the attribute's id is only a running number."""
    assignments = [
        assignment
        for obligation in decision.obligations or []
        for assignment in obligation.attribute_assignment
        if assignment.category == LEAST_LEVEL
    ]
    if not all(_LEVEL.fullmatch(one.value) for one in assignments):
        raise NoAnswer("a level of authentication that is no number")
    return max((int(one.value) for one in assignments), default=0)
