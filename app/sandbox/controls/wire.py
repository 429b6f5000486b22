"""What the controls of the service's own state take and answer, as both processes know it.

The stand-ins' process documents it and passes it on; the service's controls go by it.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from app.sandbox.people import KARI

TEN_YEARS = 10 * 366 * 86_400

ClientId = Annotated[UUID, Meta(examples=["5f0c9d3a-0f5e-4d7b-9a55-0f6f5e3f2b11"])]


class Pressed(Struct, frozen=True, forbid_unknown_fields=True):
    decision: Literal["approve", "reject"]
    person: Annotated[
        str, Meta(description="A test person's whole name.", examples=["Synne Leder"])
    ] = KARI.name


class Decided(Struct, frozen=True, rename="camel"):
    client_id: ClientId
    status: Annotated[str, Meta(description="As in the address.", examples=["Success"])]
    redirect_uri: Annotated[
        str | None,
        Meta(
            description="Where the person's browser would go now.",
            examples=["http://localhost:1337/callback?status=Success"],
        ),
    ]


class OwnersDecision(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    client_id: ClientId
    decision: Literal["approve", "refuse"]
    scope: Annotated[str | None, Meta(examples=["nhn:msh/api"])] = None
    claim_type: Annotated[str | None, Meta(examples=["herid"])] = None
    reason: Annotated[
        str | None, Meta(description="The owner's own words, which the client is shown.")
    ] = None


class End(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    expires_in_seconds: Annotated[
        float,
        Meta(ge=0, le=TEN_YEARS, description="From now on, by the domain's clock.", examples=[120]),
    ]


class HeldKey(Struct, frozen=True, rename="camel"):
    kid: str
    jwk_thumbprint: str
    state: Annotated[str, Meta(examples=["active"])]
    expires_at: datetime | None


class OperatorsWord(Struct, frozen=True, forbid_unknown_fields=True):
    action: Annotated[
        Literal["block", "unblock", "close"],
        Meta(description="`close` is for ever: the token issuer forgets the client."),
    ]
    reason: Annotated[str | None, Meta(description="For the audit trail.")] = None


class Changed(Struct, frozen=True, rename="camel"):
    client_id: ClientId
    status: Annotated[str, Meta(examples=["blocked"])]


class Snapshot(Struct, frozen=True, rename="camel"):
    taken_at: datetime
    keys: Annotated[list[HeldKey], Meta(description="The live ones, which the image holds.")]


class Restored(Snapshot, frozen=True, rename="camel"):
    keys: Annotated[list[HeldKey], Meta(description="What the installation has again.")]
    lost_keys: Annotated[
        list[HeldKey],
        Meta(description="Registered since: nobody has their private part any more."),
    ]
    can_log_in: Annotated[
        bool,
        Meta(description="Not when all it has again has ended: then `replacesKeysOf` is the way."),
    ]


class Mail(Struct, frozen=True, rename="camel"):
    """A notice as a mailbox would have it."""

    client_id: ClientId
    created_at: datetime
    kind: Annotated[str, Meta(examples=["clientConfirmed"])]
    recipient: Annotated[str, Meta(description="`organization`, `supplier` or `apiOwner`.")]
    to: Annotated[str | None, Meta(description="Null where nobody has given an address.")]
    subject: str
    text: str
    link: Annotated[str | None, Meta(description="Where the receiver can stop what it tells of.")]


class Advance(Struct, frozen=True, forbid_unknown_fields=True):
    seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=TEN_YEARS,
            description="Ten years at most. 0 runs what is due now.",
            examples=[86400],
        ),
    ]


class Time(Struct, frozen=True, rename="camel"):
    now: Annotated[datetime, Meta(description="By which the service judges what is due.")]
    ahead_seconds: Annotated[
        float, Meta(description="How far that is ahead of the real time.", examples=[0])
    ]


class Ran(Struct, frozen=True, rename="camel"):
    job: Annotated[str, Meta(examples=["ending keys"])]
    pieces: Annotated[int, Meta(examples=[1])]


class Event(Struct, frozen=True, rename="camel"):
    """What the service wrote into its audit trail by itself."""

    at: datetime
    happened: Annotated[str, Meta(examples=["clientKey.ended"])]
    subject: Annotated[str, Meta(description="Most often a client's id.")]
    details: dict[str, str] | None


class Moved(Time, frozen=True, rename="camel"):
    steps: Annotated[
        int, Meta(description="The time stood still at each moment at which something fell due.")
    ]
    ran: Annotated[list[Ran], Meta(description="How many pieces of work each job had.")]
    events: Annotated[list[Event], Meta(description="In order; the first thousand.")]
    more_events: Annotated[int, Meta(description="How many there were besides.", examples=[0])]
    calls: Annotated[
        dict[str, int],
        Meta(
            description="How often each product of Altinn was called.", examples=[{"decisions": 2}]
        ),
    ] = {}
    """The stand-ins know."""
