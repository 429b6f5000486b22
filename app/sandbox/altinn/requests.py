"""Requests for a right: asked by a service owner, confirmed by who wants it, decided by who gives.

A request that is over stays as it is, whatever anybody presses.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from app.sandbox.altinn.delegations import Delegation

NOTICE_AFTER = timedelta(minutes=15)


class Status(StrEnum):
    DRAFT = "Draft"
    PENDING = "Pending"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    WITHDRAWN = "Withdrawn"


NEXT = {
    Status.DRAFT: {Status.PENDING, Status.WITHDRAWN},
    Status.PENDING: {Status.APPROVED, Status.REJECTED, Status.WITHDRAWN},
}


class RequestUnknown(Exception):
    pass


class NotPossible(Exception):
    """The request is in another state than this needs."""


class DelegationRequest(Struct, frozen=True, kw_only=True):
    identifier: str
    wanted: Delegation
    creator: str
    """Organisation number of the service owner."""
    status: Status
    updated: datetime
    updated_by: str | None = None


class Notice(Struct, frozen=True, kw_only=True, rename="camel"):
    """A mail that Altinn sends some time after it has something to tell."""

    to: str
    request_id: str
    status: Status
    sent_at: datetime


class Requests:
    def __init__(self) -> None:
        self._by_identifier: dict[str, DelegationRequest] = {}
        self.notices: list[Notice] = []

    def create(self, wanted: Delegation, *, creator: str, now: datetime) -> DelegationRequest:
        """A draft of the same is answered again; one that has come further is not looked at."""
        for earlier in self._by_identifier.values():
            same = (earlier.wanted, earlier.creator) == (wanted, creator)
            if same and earlier.status is Status.DRAFT:
                return earlier
        request = DelegationRequest(
            identifier=str(uuid4()),
            wanted=wanted,
            creator=creator,
            status=Status.DRAFT,
            updated=now,
        )
        self._by_identifier[request.identifier] = request
        return request

    def find(self, identifier: str) -> DelegationRequest:
        request = self._by_identifier.get(identifier)
        if request is None:
            raise RequestUnknown(identifier)
        return request

    def all(self) -> list[DelegationRequest]:
        return list(self._by_identifier.values())

    def check(self, request: DelegationRequest, status: Status) -> None:
        if status not in NEXT.get(request.status, set()):
            raise NotPossible(f"{request.status} cannot become {status}")

    def move(self, identifier: str, status: Status, *, by: str, now: datetime) -> DelegationRequest:
        request = self.find(identifier)
        self.check(request, status)
        moved = replace(request, status=status, updated=now, updated_by=by)
        self._by_identifier[identifier] = moved
        self._tell(moved, now)
        return moved

    def _tell(self, request: DelegationRequest, now: datetime) -> None:
        told = {
            Status.PENDING: request.wanted.giver,
            Status.APPROVED: request.wanted.receiver,
            Status.REJECTED: request.wanted.receiver,
        }
        if request.status in told:
            notice = Notice(
                to=told[request.status],
                request_id=request.identifier,
                status=request.status,
                sent_at=now + NOTICE_AFTER,
            )
            self.notices.append(notice)
