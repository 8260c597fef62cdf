"""Sends e-mail through the SMTP server of the settings."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from smtplib import SMTP, SMTP_SSL
from urllib.parse import urlsplit

from openbooking.settings import Settings, SmtpSecurity

# The most seconds that each answer of the SMTP server may take.
_TIMEOUT = 20


def make_message(settings: Settings, to: str, subject: str, text: str, at: datetime) -> EmailMessage:
    """Return a message to one address, marked as automatic so that no absence notice answers it.

    Args:
        settings: The settings, with the sender.
        to: The address.
        subject: The subject, on one line.
        text: The text.
        at: The time of the message.
    """
    message = EmailMessage()
    message["From"] = settings.smtp_from
    message["To"] = to
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(at)
    message["Message-ID"] = make_msgid(domain=urlsplit(settings.site).hostname)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


async def send_message(settings: Settings, message: EmailMessage) -> None:
    """Send a message, in a thread of its own.

    Raises:
        OSError: The server cannot be reached, has no valid certificate, or refuses the message (SMTPException).
    """
    await asyncio.to_thread(_send, settings, message)


def try_server(settings: Settings) -> None:
    """Connect to the server and sign in, as for a message, but send none.

    Raises:
        OSError: The server cannot be reached, has no valid certificate, or refuses the user (SMTPException).
    """
    with _signed_in(settings) as server:
        server.noop()


def _send(settings: Settings, message: EmailMessage) -> None:
    with _signed_in(settings) as server:
        server.send_message(message)


@contextmanager
def _signed_in(settings: Settings) -> Iterator[SMTP]:
    with _connect(settings) as server:
        if settings.smtp_security is SmtpSecurity.STARTTLS:
            server.starttls(context=ssl.create_default_context())
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password)
        yield server


def _connect(settings: Settings) -> SMTP:
    host, port = settings.smtp_host, settings.smtp_port
    if settings.smtp_security is SmtpSecurity.TLS:
        return SMTP_SSL(host, port, timeout=_TIMEOUT, context=ssl.create_default_context())
    return SMTP(host, port, timeout=_TIMEOUT)
