"""A mail server that messages are handed to, by SMTP."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any, Final

from attrs import Attribute, field, frozen

from cti.errors import ConfigurationError
from cti.model.validate import count, name, one_of

TIMEOUT_S: Final = 20.0
"""How long any step of the conversation with the mail server may take."""


def mail_address(_instance: object, attribute: Attribute[Any], value: str) -> None:
    """An attrs validator: one address of e-mail.

    Raises:
        ConfigurationError: it is none.
    """
    if not isinstance(value, str) or "@" not in value or not value.isprintable() or " " in value:
        raise ConfigurationError(f"{attribute.name}: {value!r} is no address of e-mail")


def mail_addresses(_instance: object, attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    """An attrs validator: addresses of e-mail.

    Raises:
        ConfigurationError: one of them is none.
    """
    for each in value:
        mail_address(_instance, attribute, each)


@frozen
class MailServer:
    """A mail server.

    Args:
        host: its name or address.
        sender: the address that messages come from.
        port: its port.
        security: ``starttls``, ``tls`` from the first byte, or ``none``.
        user: for a server that wants to know; empty for none.
        password: the same.
    """

    host: str = field(validator=name)
    sender: str = field(validator=mail_address)
    port: int = field(default=587, validator=count)
    security: str = field(default="starttls", validator=one_of("starttls", "tls", "none"))
    user: str = ""
    password: str = field(default="", repr=False)

    def message(self, subject: str, to: tuple[str, ...]) -> EmailMessage:
        """A message without contents, from the sender to these."""
        made = EmailMessage()
        made["Subject"] = subject
        made["From"] = self.sender
        made["To"] = ", ".join(to)
        made["Date"] = formatdate(localtime=True)
        made["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2])
        made["Auto-Submitted"] = "auto-generated"
        return made

    def send(self, message: EmailMessage) -> None:
        """Hand a message to the server. Blocks its thread: call it in the thread pool.

        Raises:
            OSError: the server cannot be reached.
            smtplib.SMTPException: it does not take the message.
        """
        context = ssl.create_default_context()
        server: smtplib.SMTP
        if self.security == "tls":
            server = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
        try:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password)
            server.send_message(message)
        finally:
            with suppress(OSError, smtplib.SMTPException):  # it has been taken, however the server says goodbye
                server.quit()
