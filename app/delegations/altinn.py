"""What this service asks of Altinn, whoever answers."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from app.apis.catalogue import Right
from app.delegations.answers import Answer, RequestStatus, Source


class AltinnUnavailable(Exception):
    """No answer that can be relied on: nothing is known, so nothing may change.

    The text is for the log and holds no secret.
    """


class AltinnBusy(AltinnUnavailable):
    """Altinn was not asked, or asks to be left alone for so many seconds. Nobody has failed."""

    def __init__(self, why: str, *, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds


class RequestsOff(Exception):
    """Altinn takes no requests for this right: people have to find the page themselves."""


class Question(Struct, frozen=True, kw_only=True):
    """Has `giver` given `receiver` the right?"""

    right: Right
    giver: str
    receiver: str
    urgent: bool = False
    """Somebody waits for the answer."""


class MadeRequest(Struct, frozen=True):
    id: str
    status: RequestStatus
    link: str
    """Where people see it in Altinn."""


class Altinn(Protocol):
    """Each call raises `AltinnUnavailable` when nothing can be relied on."""

    async def look_up(self, question: Question, source: Source) -> Answer: ...

    async def make_request(self, question: Question) -> MadeRequest:
        """Ask the giver, in Altinn, to give the right. Raises `RequestsOff`."""
        ...

    async def request_status(self, request_id: str, *, urgent: bool) -> RequestStatus: ...

    async def withdraw_request(self, request_id: str) -> None:
        """To be called for a request of our own; one that is decided is left as it is."""
        ...


class ChangedResources(Struct, frozen=True):
    """Resources whose rules have changed, up to a moment."""

    ids: frozenset[str]
    until: datetime


class ResourceFeed(Protocol):
    async def changed_since(self, since: datetime) -> ChangedResources:
        """Raises `AltinnUnavailable`."""
        ...


class Budget(Protocol):
    """How many calls a neighbour gets from all our processes together."""

    async def take(self, product: str, *, urgent: bool) -> float:
        """0: one call may be made. Else in how many seconds to ask again."""
        ...


class Budgets(Struct, frozen=True):
    altinn: Budget
    register: Budget
