"""One open connection to the mail server, and the time it may take for a message."""

import contextlib
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask_mail import Connection, Mail, Message


class OpenConnection(Connection):
    """Flask-Mail's connection, kept open between messages and bound to a deadline for each."""

    host: "_Smtp | None"

    def __init__(self, mail: Mail, greeting: str, timeout: float) -> None:
        super().__init__(mail)
        self._greeting = greeting
        self._timeout = timeout
        self._clock = _Clock(timeout)

    def deliver(self, message: Message, envelope_from: str) -> str:
        """Send one message and return the server's answer to it. Raises TimeoutError when time is up.

        A connection that was closed while it lay idle is opened once more, but never after DATA: from there on
        the server may already have the message.
        """
        was_open = self.host is not None
        with self._deadline():
            try:
                return self._deliver(message, envelope_from)
            except (smtplib.SMTPServerDisconnected, smtplib.SMTPSenderRefused):
                if self._clock.is_over or not was_open or self.host is None or self.host.has_sent_data:
                    raise
            self.close()
            return self._deliver(message, envelope_from)

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

    def configure_host(self) -> "_Smtp":
        context = ssl.create_default_context()
        kind = _SmtpOverTls if self.mail.use_ssl else _Smtp
        self.host = host = kind(context, self._clock, self._greeting)
        host.open(self.mail.server, self.mail.port)
        if self.mail.use_tls:
            host.secure()
        if self.mail.username and self.mail.password:
            host.login(self.mail.username, self.mail.password)
        return host

    def _deliver(self, message: Message, envelope_from: str) -> str:
        if self.host is None:
            self.configure_host()
        assert self.host is not None
        self.host.begin(self._clock)
        self.send(message, envelope_from)
        return self.host.answer

    @contextlib.contextmanager
    def _deadline(self) -> Iterator[None]:
        """Cut the line when time is up, so that a server that drips single bytes cannot hold a request."""
        self._clock = _Clock(self._timeout)
        with self._clock.calling(self._cut):
            try:
                yield
            except (smtplib.SMTPException, OSError) as error:
                if self._clock.is_over:
                    raise TimeoutError from error
                raise

    def _cut(self) -> None:
        line = self.host.sock if self.host is not None else None
        if line is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)


class _Clock:
    """The time for one message, from connecting to the last answer."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._end

    @property
    def left(self) -> float:
        """Seconds. Raises TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    @contextlib.contextmanager
    def calling(self, at_the_end: Callable[[], None]) -> Iterator[None]:
        watchdog = threading.Timer(self.left, at_the_end)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()


class _Smtp(smtplib.SMTP):
    """smtplib's client, which also remembers the answer to DATA and whether DATA was reached."""

    has_sent_data = False
    answer = ""

    def __init__(self, context: ssl.SSLContext, clock: _Clock, greeting: str) -> None:
        super().__init__(local_hostname=greeting, timeout=clock.left)
        self._context = context
        self._clock = clock

    def begin(self, clock: _Clock) -> None:
        """Get ready for another message."""
        self._clock, self.has_sent_data, self.answer = clock, False, ""
        if self.sock is not None:
            self.sock.settimeout(clock.left)

    def open(self, host: str, port: int) -> None:
        self._host = host  # what STARTTLS and TLS compare the certificate with
        code, text = self.connect(host, port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, text)

    def secure(self) -> None:
        """STARTTLS, with a certificate that must be trusted."""
        assert self.sock is not None
        self.sock.settimeout(self._clock.left)
        self.starttls(context=self._context)

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.has_sent_data = True
        code, text = super().data(msg)
        self.answer = f"{code} {text.decode(errors='replace')}"[:500]
        return code, text

    def getreply(self) -> tuple[int, bytes]:
        """Every command asks for a reply; also the first one after a line was opened too late to be cut."""
        _ = self._clock.left
        return super().getreply()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return _connect(host, port, self._clock)


class _SmtpOverTls(_Smtp):
    """The same over TLS from the first byte (port 465)."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = super()._get_socket(host, port, timeout)
        plain.settimeout(self._clock.left)
        return self._context.wrap_socket(plain, server_hostname=host)


def _connect(host: str, port: int, clock: _Clock) -> socket.socket:
    """Like socket.create_connection, which would grant the whole time to each of a host's addresses."""
    error: OSError = OSError("the host has no address")
    for _, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            return socket.create_connection((str(address[0]), port), clock.left)
        except OSError as this:
            error = this
    raise error
