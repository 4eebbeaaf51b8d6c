"""SMTP through Flask-Mail, with a small pool of open connections shared by the threads of a process."""

import ipaddress
import os
import smtplib
import ssl
from collections import deque
from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from flask_mail import Mail

from .connections import OpenConnection
from .messages import MailMessage
from .mime import compose
from .transport import AddressRefused, NotSent, Receipt

POOL_SIZE = 4
_NO_SUCH_MAILBOX = (550, 551, 553)


class SmtpTransport:
    """Sends through the configured server. A connection serves one thread at a time."""

    is_local = False

    def __init__(self, mail: Mail, config: Mapping[str, Any]) -> None:
        self._mail = mail
        self._sender = parseaddr(config["MAIL_DEFAULT_SENDER"])
        self._greeting = _greeting(config["EXTERNAL_URL"])
        self._timeout: float = config["MAIL_TIMEOUT"]
        self._idle: deque[OpenConnection] = deque()
        self._process = os.getpid()

    def send(self, message: MailMessage) -> Receipt:
        """Raises AddressRefused and NotSent; a connection that failed is never used again."""
        content = compose(message, self._sender)
        connection = self._take()
        try:
            answer = connection.deliver(content, self._sender[1], message.to)
        except smtplib.SMTPRecipientsRefused as error:
            connection.close()
            raise _refusal(error) from error
        except (smtplib.SMTPException, OSError) as error:
            connection.close()
            raise NotSent(_reason(error)) from error
        self._give_back(connection)
        return Receipt(str(self._mail.server), answer)

    def close(self) -> None:
        """Say goodbye on every idle connection."""
        while self._idle:
            self._idle.pop().quit()

    def _take(self) -> OpenConnection:
        if self._process != os.getpid():
            self._forget_those_of_the_parent()
        try:
            return self._idle.pop()
        except IndexError:
            return OpenConnection(self._mail, self._greeting, self._timeout)

    def _forget_those_of_the_parent(self) -> None:
        """After a fork two processes hold the same lines; without a goodbye, which would end the parent's too."""
        self._process = os.getpid()
        while self._idle:
            self._idle.pop().close()

    def _give_back(self, connection: OpenConnection) -> None:
        if len(self._idle) < POOL_SIZE:
            self._idle.append(connection)
        else:
            connection.quit()


def _greeting(external_url: str) -> str:
    """Return the EHLO name of this server: its host name, or its address in brackets."""
    host = urlsplit(external_url).hostname or "localhost"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


def _refusal(error: smtplib.SMTPRecipientsRefused) -> NotSent:
    code, answer = next(iter(error.recipients.values()))
    text = answer.decode(errors="replace")
    is_final = code in _NO_SUCH_MAILBOX and not text.startswith("5.7.")
    return (AddressRefused if is_final else NotSent)(f"{code} {text}"[:500])


def _reason(error: Exception) -> str:
    match error:
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=answer):
            text = answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
            return f"{code} {text}"[:500]
        case TimeoutError():
            return "the mail server did not answer in time"
        case ssl.SSLError():
            return f"the connection is not secure: {error.reason or error}"[:500]
        case smtplib.SMTPNotSupportedError():
            return f"the mail server does not offer what is set: {error}"[:500]
        case _:
            return f"the mail server cannot be reached: {error}"[:500]
