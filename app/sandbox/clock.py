"""The time of the stand-ins' own world, which may run ahead of the real one.

It decides when a delegation is seen, forgotten or withdrawn. Tokens and assertions always keep
to the real time, as the caller's do.
"""

from datetime import UTC, datetime, timedelta


class Clock:
    """Where there is a service, its clock is the one that is moved, and this one is told."""

    def __init__(self, *, is_told: bool = False) -> None:
        self.ahead = timedelta()
        self.is_known = not is_told

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, by: timedelta) -> None:
        """Only forward: what has happened stays so."""
        if by < timedelta():
            raise ValueError("time does not run backwards")
        self.ahead += by

    def go_by(self, ahead: timedelta) -> None:
        self.ahead, self.is_known = ahead, True
