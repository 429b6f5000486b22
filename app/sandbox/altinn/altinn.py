"""What Altinn holds, and how each of its products sees it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

from app.sandbox.altinn.delegations import Change, Delegation, Delegations
from app.sandbox.altinn.numbers import beginning, refuse_out_of_order
from app.sandbox.altinn.parties import Parties
from app.sandbox.altinn.requests import Requests
from app.sandbox.altinn.switches import AltinnSettings
from app.sandbox.clock import Clock
from app.sandbox.enhetsregisteret.register import Register
from app.sandbox.maskinporten.maskinporten import Maskinporten
from app.sandbox.people import People
from app.sandbox.token_issuer.expiring import Expiring
from app.sandbox.token_issuer.signing import SigningKey

Product = Literal["maskinporten_delegations", "authorized_parties", "pdp"]

TOKEN_TYP = "JWT"


class Altinn:
    def __init__(
        self,
        url: str,
        pages_url: str,
        *,
        maskinporten: Maskinporten,
        register: Register,
        people: People,
        clock: Clock,
        subscription_key: str,
        time_scale: float,
    ) -> None:
        self.url = url
        self.pages_url = pages_url
        self.maskinporten = maskinporten
        self.register = register
        self.people = people
        self.clock = clock
        self.subscription_key = subscription_key
        self.time_scale = time_scale
        self.reset()

    def reset(self) -> None:
        self.settings = AltinnSettings()
        self.parties = Parties(self.register.find, self.people)
        self.delegations = Delegations(beginning(self.register.find, self.time_scale))
        self.requests = Requests()
        self.rules_changed: dict[str, datetime] = {}
        """By the resource's identifier, since the beginning."""
        self._memory: Expiring[tuple[Change | None]] = Expiring()

    @cached_property
    def signing_key(self) -> SigningKey:
        return SigningKey(datetime.now(UTC))

    def claims_of(self, token: str, now: datetime) -> Mapping[str, Any] | None:
        """What a token says that Altinn signed and that has not ended."""
        return self.signing_key.live_claims_of(token, typ=TOKEN_TYP, now=now)

    def give(self, delegation: Delegation) -> None:
        self._change(delegation, held=True)

    def withdraw(self, delegation: Delegation) -> None:
        self._change(delegation, held=False)

    def seen_by(self, product: Product, delegation: Delegation) -> Change | None:
        """The change that the product goes by, which may be older than the last one."""
        refuse_out_of_order(delegation)
        now = self.clock.now()
        name = f"{product} {delegation.giver} {delegation.receiver} {delegation.resource}"
        remembered = self._memory.get(name, now)
        if remembered is not None:
            return remembered[0]
        change = self.delegations.last_seen(delegation, now)
        self._memory.put(name, (change,), until=now + self.settings.memory, now=now)
        return change

    def holds(self, product: Product, delegation: Delegation) -> bool:
        """Whether the receiver may act now; nobody acts for an organisation that is deleted."""
        giver = self.register.find(delegation.giver)
        alive = giver is not None and giver.is_served and not giver.is_deleted
        return alive and self.was_given(product, delegation)

    def was_given(self, product: Product, delegation: Delegation) -> bool:
        """By the giver itself or by its main unit."""
        change = self.seen_by(product, delegation)
        if change is not None and change.held:
            return True
        giver = self.register.find(delegation.giver)
        if giver is None or not giver.is_sub_unit or giver.parent is None:
            return False
        above = Delegation(giver.parent, delegation.receiver, delegation.resource)
        return self.was_given(product, above)

    def _change(self, delegation: Delegation, *, held: bool) -> None:
        propagation = self.settings.propagation
        now = self.clock.now()
        self.delegations.change(delegation, held=held, now=now, seen_after=propagation)
