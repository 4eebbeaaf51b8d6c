"""SMTP through Flask-Mail: one overall deadline, verified TLS, and a small pool of open connections."""

import contextlib
import smtplib
import socket
import ssl
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from flask_mail import Connection, Mail, Message

from .messages import MailMessage
from .transport import AddressRefused, NotSent, Receipt

POOL_SIZE = 4
_NO_SUCH_MAILBOX = (550, 551, 553)


class SmtpTransport:
    """Sends through the configured server. Threads share the pool; a connection serves one of them at a time."""

    is_local = False

    def __init__(self, mail: Mail, config: Mapping[str, Any]) -> None:
        self._mail = mail
        self._sender = config["MAIL_DEFAULT_SENDER"]
        self._greeting = urlsplit(config["EXTERNAL_URL"]).hostname or "localhost"
        self._timeout: float = config["MAIL_TIMEOUT"]
        self._idle: deque[OpenConnection] = deque()
        self._lock = threading.Lock()

    def send(self, message: MailMessage) -> Receipt:
        """Raises AddressRefused and NotSent; a connection that failed is never used again."""
        connection = self._take()
        try:
            answer = connection.deliver(self._prepare(message))
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

    def _prepare(self, message: MailMessage) -> Message:
        name, address = parseaddr(self._sender)
        prepared = Message(
            subject=message.subject,
            recipients=[message.to],
            sender=(message.sender_name or name, address),
            body=message.text,
            html=message.html,
            reply_to=message.reply_to,
            extra_headers={"Auto-Submitted": "auto-generated"},
        )
        prepared.msgId = message.message_id
        return prepared

    def _take(self) -> "OpenConnection":
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return OpenConnection(self._mail, self._greeting, self._timeout)

    def _give_back(self, connection: "OpenConnection") -> None:
        with self._lock:
            if len(self._idle) < POOL_SIZE:
                self._idle.append(connection)
                return
        connection.quit()


class OpenConnection(Connection):
    """Flask-Mail's connection, kept open between messages and bound to a deadline for each."""

    host: "_Smtp | None"

    def __init__(self, mail: Mail, greeting: str, timeout: float) -> None:
        super().__init__(mail)
        self._greeting = greeting
        self._timeout = timeout

    def deliver(self, message: Message) -> str:
        """Send one message and return the server's answer to it.

        A connection that was closed while it lay idle is opened once more, but never after DATA: from there on
        the server may already have the message.
        """
        with self._deadline():
            was_open = self.host is not None
            try:
                return self._deliver(message)
            except (smtplib.SMTPServerDisconnected, smtplib.SMTPSenderRefused):
                if not was_open or self.host is None or self.host.has_sent_data:
                    raise
            self.close()
            return self._deliver(message)

    def close(self) -> None:
        """Hang up at once."""
        if self.host is not None:
            self.host.close()
        self.host = None

    def quit(self) -> None:
        """Hang up politely."""
        with contextlib.suppress(smtplib.SMTPException, OSError):
            if self.host is not None:
                self.host.quit()
        self.close()

    def _deliver(self, message: Message) -> str:
        if self.host is None:
            self.configure_host()
        assert self.host is not None
        self.host.has_sent_data = False
        self.send(message)
        return self.host.answer

    def configure_host(self) -> "_Smtp":
        context = ssl.create_default_context()
        host = _SmtpOverTls(context, self._timeout) if self.mail.use_ssl else _Smtp(timeout=self._timeout)
        self.host = host
        host.local_hostname = self._greeting
        host.open(self.mail.server, self.mail.port)
        if self.mail.use_tls:
            host.starttls(context=context)
        if self.mail.username and self.mail.password:
            host.login(self.mail.username, self.mail.password)
        return host

    @contextlib.contextmanager
    def _deadline(self) -> Iterator[None]:
        """Cut the line when time is up, so that a server that drips single bytes cannot hold a request."""
        watchdog = threading.Timer(self._timeout, self._cut)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()

    def _cut(self) -> None:
        line = self.host.sock if self.host is not None else None
        if line is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)


class _Smtp(smtplib.SMTP):
    """smtplib's client, which also remembers the answer to DATA and whether DATA was reached."""

    has_sent_data = False
    answer = ""

    def open(self, host: str, port: int) -> None:
        self._host = host  # what STARTTLS and TLS compare the certificate with
        code, text = self.connect(host, port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, text)

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.has_sent_data = True
        code, text = super().data(msg)
        self.answer = f"{code} {text.decode(errors='replace')}"[:500]
        return code, text


class _SmtpOverTls(_Smtp):
    """The same over TLS from the first byte (port 465)."""

    def __init__(self, context: ssl.SSLContext, timeout: float) -> None:
        super().__init__(timeout=timeout)
        self._context = context

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((host, port), timeout)
        return self._context.wrap_socket(plain, server_hostname=host)


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
        case _:
            return f"the mail server cannot be reached: {error}"[:500]
