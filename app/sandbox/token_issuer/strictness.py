"""The strictest of issuers: now and then a good nonce is refused, and a newer one wanted.

RFC 9449 section 8 lets an issuer do so at any time. No nonce that was given that way is refused
again, so that a client which asks once more gets its token.
"""

from collections import Counter, deque
from datetime import timedelta
from random import Random

SHARE = 1 / 3
LATE = timedelta(seconds=3)
"""How long the issuer takes to learn of any new client."""
REMEMBERED = 1_000


class StrictNonces:
    """Which good nonces are refused: by the seed, by who sends them, and by how many he has sent.

    Nothing else has a say, neither the time nor what others do, so that it can be repeated.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._sent: Counter[str] = Counter()
        self._given: deque[str] = deque(maxlen=REMEMBERED)

    def refuse(self, nonce: str, sender: str) -> bool:
        if nonce in self._given:
            return False
        self._sent[sender] += 1
        chosen = Random(f"{self._seed} {sender} {self._sent[sender]}")  # noqa: S311  no secret
        return chosen.random() < SHARE

    def remember(self, given: str) -> None:
        """A newer nonce, in the place of one that was refused."""
        self._given.append(given)
