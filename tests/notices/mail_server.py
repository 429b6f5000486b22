"""A mail server on this machine, which takes letters or answers as a test says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from msgspec import Struct, field


class Mailbox(Struct):
    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    answer: str = "250 taken"
    """To the letter itself."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            command = line.decode("ascii").strip().upper()
            if command == "QUIT":
                break
            if command == "DATA":
                writer.write(b"354 go on\r\n")
                raw = await reader.readuntil(b"\r\n.\r\n")
                letter = message_from_bytes(raw[:-3], policy=policy.default)
                if self.answer.startswith("250"):
                    self.letters.append(letter)
                writer.write(f"{self.answer}\r\n".encode())
            else:
                writer.write(b"250 fine\r\n")
        writer.close()


@asynccontextmanager
async def mail_server() -> AsyncIterator[Mailbox]:
    mailbox = Mailbox()
    server = await asyncio.start_server(mailbox.serve, "127.0.0.1", 0)
    mailbox.port = server.sockets[0].getsockname()[1]
    async with server:
        yield mailbox
