"""The port to a mail server."""

from typing import Protocol

from msgspec import Struct


class Letter(Struct, frozen=True):
    message_id: str
    """The same each time that it is sent, so that a mailbox can tell a repetition."""
    to: str
    subject: str
    text: str


class MailUnavailable(Exception):
    """The server did not take the letter, and why: for the log, without addresses."""


class MailServer(Protocol):
    async def send(self, letter: Letter) -> None:
        """Hand the letter over. Raises `MailUnavailable`."""
        ...
