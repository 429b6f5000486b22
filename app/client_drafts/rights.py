"""Whether a person may decide on a draft: of Altinn, where there is one to ask.

Without an Altinn in the settings, or a person's right in the catalogue, everybody may who has
the link and logs in.
"""

import logging
from enum import StrEnum

from msgspec import Struct

from app.access.person_numbers import PersonNumber
from app.access.person_rights import (
    Held,
    NoReliableAnswer,
    PersonQuestion,
    PersonRights,
    RepresentedOrganization,
)
from app.apis.catalogue import Catalogue, PersonRight

MOST_ORGANIZATIONS = 20

log = logging.getLogger(__name__)


class MayDecide(StrEnum):
    YES = "yes"
    NO = "no"
    WEAK_LOGIN = "weakLogin"
    UNKNOWN = "unknown"  # nobody can say just now


class Decider(Struct, frozen=True):
    """A person, as much of one as the question needs."""

    person: PersonNumber | None
    security_level: int


def needed_right(rights: PersonRights | None, catalogue: Catalogue) -> PersonRight | None:
    """The right that a person needs here; None where nobody needs one."""
    return catalogue.person_right if rights is not None else None


async def may_decide(
    rights: PersonRights | None,
    catalogue: Catalogue,
    decider: Decider,
    number: str,
    *,
    urgent: bool = True,
) -> MayDecide:
    """Asked anew each time, so that no answer is older than the click it is for."""
    right = needed_right(rights, catalogue)
    if rights is None or right is None:
        return MayDecide.YES
    if decider.person is None:
        return MayDecide.UNKNOWN
    question = PersonQuestion(
        person=decider.person,
        security_level=decider.security_level,
        organization_number=number,
        resource_id=right.resource_id,
        action=right.action,
        urgent=urgent,
    )
    try:
        return _AS_ANSWERED[await rights.held(question)]
    except NoReliableAnswer as error:
        log.warning("a person's right cannot be asked for", extra={"reason": str(error)})
        return MayDecide.UNKNOWN


_AS_ANSWERED = {
    Held.YES: MayDecide.YES,
    Held.NO: MayDecide.NO,
    Held.WEAK_LOGIN: MayDecide.WEAK_LOGIN,
}


async def other_organizations(
    rights: PersonRights | None, catalogue: Catalogue, decider: Decider, number: str
) -> list[RepresentedOrganization]:
    """For whom else the person may decide, as far as is known: a wrong number is soon typed."""
    right = needed_right(rights, catalogue)
    if rights is None or right is None or decider.person is None:
        return []
    try:
        found = await rights.organizations(decider.person, right.resource_id)
    except NoReliableAnswer as error:
        log.warning("a person's organizations cannot be asked for", extra={"reason": str(error)})
        return []
    return [one for one in found if one.number != number][:MOST_ORGANIZATIONS]
