"""Mail by the server of the settings (`YUPANA_ALERT_SMTP`)."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from urllib.parse import urlsplit

from yupana.config.settings import Settings
from yupana.identity import local_key

_TIMEOUT = 10.0


def send(settings: Settings, message: EmailMessage) -> None:
    """Send a message.

    Raises:
        OSError, smtplib.SMTPException: the server does not answer, or does not take it.
        UsageError: the file with the login cannot be read.
    """
    where = urlsplit(settings.alert_smtp)
    port = where.port or {"smtps": 465, "smtp+starttls": 587}.get(where.scheme, 25)
    protocol = smtplib.SMTP_SSL if where.scheme == "smtps" else smtplib.SMTP
    with protocol(where.hostname or "", port, timeout=_TIMEOUT) as server:
        if where.scheme == "smtp+starttls":
            server.starttls()
        if settings.alert_login:
            user, _, password = local_key.read(settings.alert_login).partition(":")
            server.login(user, password)
        server.send_message(message)


def try_to_send(settings: Settings, message: EmailMessage) -> str:
    """Why it could not be sent, without the server's own words; empty where it was.

    Raises:
        UsageError: the file with the login cannot be read.
    """
    try:
        send(settings, message)
    except (OSError, smtplib.SMTPException) as error:
        return type(error).__name__
    return ""
