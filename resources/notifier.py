"""Telling people: a message into the log, or by mail.

Belongs here: sending a subject and a body. Does not belong here: what is told and when (`zio_pipeline.hours.alerts`).

A message never holds personal data; its composer sees to that. That it cannot be sent is an error in the log and nothing more: a
settlement does not stop because a mail server does. Mail goes out over TLS or not at all.
"""

import logging
import os
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from typing import Protocol

LOG = logging.getLogger("zio.notifier")

HOST, PORT, SENDER, TO = "ZIO_SMTP_HOST", "ZIO_SMTP_PORT", "ZIO_SMTP_FROM", "ZIO_SMTP_TO"
USER, PASSWORD = "ZIO_SMTP_USER", "ZIO_SMTP_PASSWORD"
SUBMISSION_PORT, TLS_PORT = 587, 465
TIMEOUT_SECONDS = 20


class Notifier(Protocol):
    """A way to tell people."""

    @property
    def channel(self) -> str:
        """Its name: `log` or `mail`."""
        ...

    def send(self, subject: str, body: str) -> bool:
        """Whether the message went out. Never raises because of the way there."""
        ...


@dataclass(frozen=True)
class LogNotifier:
    """Writes the message into the log of the program: the default."""

    channel: str = "log"

    def send(self, subject: str, body: str) -> bool:
        LOG.warning("%s\n%s", subject, body)
        return True


@dataclass(frozen=True)
class SmtpNotifier:
    """Mails the message: TLS from the first byte on port 465, else STARTTLS before anything is said."""

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    context: ssl.SSLContext | None = field(default=None, repr=False)
    channel: str = "mail"

    def send(self, subject: str, body: str) -> bool:
        try:
            message = self._message(subject, body)
            with self._connected() as server:
                if self.user:
                    server.login(self.user, self.password)
                refused = server.send_message(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:  # ValueError: something that cannot be a header
            # The kind of error only: what a server answers may repeat addresses.
            LOG.error("Bericht niet verzonden via %s:%d (%s): %r", self.host, self.port, type(error).__name__, subject)
            return False
        if refused:
            LOG.error("Bericht door %d van %d ontvangers geweigerd: %r", len(refused), len(self.to), subject)
        return True

    def _message(self, subject: str, body: str) -> EmailMessage:
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = subject, self.sender, ", ".join(self.to)
        message["Date"], message["Message-ID"] = formatdate(localtime=True), make_msgid(domain=_domain(self.sender))
        message.set_content(body)
        return message

    def _connected(self) -> smtplib.SMTP:
        context = self.context or ssl.create_default_context()
        if self.port == TLS_PORT:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_SECONDS, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
        try:
            server.starttls(context=context)
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server


def _domain(sender: str) -> str:
    """The domain of an address, for the number of a message: the name of this machine is nobody's business."""
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"


@dataclass(frozen=True)
class EnvironmentNotifier:
    """Chosen at the moment of sending: mail when the environment names a mail server, else the log."""

    @property
    def channel(self) -> str:
        return notifier(os.environ).channel

    def send(self, subject: str, body: str) -> bool:
        return notifier(os.environ).send(subject, body)


def notifier(environ: Mapping[str, str]) -> Notifier:
    """By ZIO_SMTP_HOST, ZIO_SMTP_PORT (587), ZIO_SMTP_FROM, ZIO_SMTP_TO (with commas), and ZIO_SMTP_USER and _PASSWORD where asked.

    Settings that cannot be used are an error in the log, and the message then goes there too: it is not lost.
    """
    host = environ.get(HOST, "").strip()
    if not host:
        return LogNotifier()
    port, sender = environ.get(PORT) or str(SUBMISSION_PORT), environ.get(SENDER, "").strip()
    to = tuple(one.strip() for one in environ.get(TO, "").split(",") if one.strip())
    if not (port.isdecimal() and 0 < int(port) < 65536 and sender and to):
        LOG.error(
            "%s is ingesteld, maar %s, %s of %s is leeg of onbruikbaar; het bericht gaat naar het log.",
            HOST,
            SENDER,
            TO,
            PORT,
        )
        return LogNotifier()
    return SmtpNotifier(host, int(port), sender, to, environ.get(USER, ""), environ.get(PASSWORD, ""))
