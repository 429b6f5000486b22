"""How often drafts may be asked for."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Self
from uuid import UUID

from msgspec import Struct

from app.access.callers import CallingSystem
from app.access.limits import DAY, HOUR, MINUTE, Limit, hints, passed
from app.settings import Settings
from app.web.frame import network_of

MOST_TYPED_CODES = 50
MOST_TYPED_CODES_OF_ONE_ADDRESS = 10

log = logging.getLogger(__name__)


def typed_code_limits(client_id: UUID, address: str) -> list[Limit]:
    """How often a pairing code may be typed: few enough that nobody finds it by trying."""
    what = "attempts an hour to type the code"
    return [
        Limit(f"typed code {client_id}", HOUR, MOST_TYPED_CODES, what),
        Limit(
            f"typed code {client_id} {network_of(address)}",
            HOUR,
            MOST_TYPED_CODES_OF_ONE_ADDRESS,
            what,
        ),
    ]


def login_limit(address: str, settings: Settings) -> Limit:
    """How often a login may be begun: an address has people behind it, and a program none."""
    return Limit(
        f"logins {network_of(address)}",
        MINUTE,
        settings.logins_per_minute_and_address,
        "logins a minute from one address",
    )


class Judged(Struct, frozen=True):
    """What the limits say of a request that they do not refuse."""

    key_is_over: bool
    """The API key is asked for more than its limit, by all of its installations together."""
    hints: Mapping[str, str]
    """Headers of the answer."""


class DraftLimits(Struct, frozen=True):
    """The limits that one request counts towards.

    An API key is shared by all installations of a system, so its own limits refuse nobody: past
    them each draft demands that the pairing code is typed (SECURITY.md section 7.4).
    """

    refusing: list[Limit]
    alarming: list[Limit]

    @classmethod
    def of(cls, caller: CallingSystem, number: str | None, settings: Settings) -> Self:
        """`number` is None where it is no organization number."""
        key = caller.api_key_prefix
        place = f"drafts {network_of(caller.origin.address)} {key}"
        refusing = [
            Limit(
                place,
                MINUTE,
                settings.drafts_per_minute_and_address,
                "drafts a minute from one address",
                hint="address",
            )
        ]
        if number is not None:
            refusing.append(
                Limit(
                    f"{place} {number}",
                    HOUR,
                    settings.drafts_per_hour_organization_and_key,
                    f"drafts an hour for {number} from one address",
                    hint="organization",
                )
            )
        alarming = [
            Limit(f"drafts {key} minute", MINUTE, settings.drafts_per_minute_and_key, "drafts"),
            Limit(f"drafts {key} day", DAY, settings.drafts_per_day_and_key, "drafts"),
        ]
        return cls(refusing, alarming)

    @property
    def all(self) -> list[Limit]:
        return [*self.refusing, *self.alarming]

    def judged(self, counts: str, now: datetime) -> Judged:
        """Refuse who asks too often from one place; say whether the key is asked too much."""
        told = hints(self.refusing, counts, now)
        for limit in passed(self.refusing, counts):
            refusal = limit.refusal(now)
            refusal.headers |= told
            raise refusal
        alarming = passed(self.alarming, counts)
        if alarming:
            log.warning(
                "an API key is asked for more drafts than its limit",
                extra={"limit": alarming[0].name},
            )
        return Judged(bool(alarming), told)
