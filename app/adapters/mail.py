"""The operator's mail server, by SMTP."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate

from app.notices.mail import Letter, MailUnavailable
from app.settings import MailSecurity, Settings

WITHIN = 15
"""Seconds for each answer of the server's."""


class SmtpServer:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(self, letter: Letter) -> None:
        await asyncio.to_thread(self._send, self._message(letter))

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._settings.mail_from
        message["To"] = letter.to
        message["Subject"] = letter.subject
        message["Message-ID"] = letter.message_id
        message["Date"] = formatdate(usegmt=True)
        # Nobody's absence is to be told to a mailbox that nobody reads.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        return message

    def _send(self, message: EmailMessage) -> None:
        settings = self._settings
        try:
            with self._connected() as server:
                if settings.smtp_user:
                    server.login(settings.smtp_user, settings.smtp_password)
                server.send_message(message)
        except smtplib.SMTPResponseException as error:
            raise MailUnavailable(f"the mail server answered {error.smtp_code}") from None
        except (OSError, smtplib.SMTPException) as error:
            # The text may hold the address.
            raise MailUnavailable(type(error).__name__) from None

    def _connected(self) -> smtplib.SMTP:
        settings = self._settings
        host, port = settings.smtp_host, settings.smtp_port
        trusted = ssl.create_default_context(cafile=None)
        if settings.ca_file:
            trusted.load_verify_locations(settings.ca_file)
        if settings.smtp_security is MailSecurity.TLS:
            return smtplib.SMTP_SSL(host, port, timeout=WITHIN, context=trusted)
        server = smtplib.SMTP(host, port, timeout=WITHIN)
        if settings.smtp_security is MailSecurity.STARTTLS:
            server.starttls(context=trusted)
        return server
