"""An open connection to the mail server, with a deadline per message."""

import contextlib
import smtplib
import socket
import ssl
import time
from typing import Any

from flask_mail import Connection, Mail


class OpenConnection(Connection):
    """Flask-Mail's connection, kept open between messages and bound to a deadline for each."""

    host: "_Smtp | None"

    def __init__(self, mail: Mail, greeting: str, timeout: float) -> None:
        super().__init__(mail)
        self._greeting = greeting
        self._timeout = timeout
        self._clock = _Deadline(timeout)

    def deliver(self, content: bytes, envelope_from: str, envelope_to: str) -> str:
        """Send one message and return the server's answer to it. Raises TimeoutError when time is up.

        A connection that was closed while it lay idle is opened once more, but never after DATA: from there on
        the server may already have the message.
        """
        self._clock = _Deadline(self._timeout)
        try:
            return self._deliver_or_reopen(content, envelope_from, envelope_to)
        except (smtplib.SMTPException, OSError) as error:
            if self._clock.is_over:
                raise TimeoutError from error
            raise

    def close(self) -> None:
        """Hang up at once."""
        if self.host is not None:
            self.host.close()
        self.host = None

    def quit(self) -> None:
        """Hang up politely."""
        with contextlib.suppress(smtplib.SMTPException, OSError):
            if self.host is not None:
                self.host.begin(_Deadline(self._timeout))
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
        host.ehlo_or_helo_if_needed()
        return host

    def _deliver_or_reopen(self, *message: Any) -> str:
        was_open = self.host is not None
        try:
            return self._deliver(*message)
        except (smtplib.SMTPServerDisconnected, smtplib.SMTPSenderRefused):
            if self._clock.is_over or not was_open or self.host is None or self.host.has_sent_data:
                raise
        self.close()
        return self._deliver(*message)

    def _deliver(self, content: bytes, envelope_from: str, envelope_to: str) -> str:
        if self.host is None:
            self.configure_host()
        assert self.host is not None
        self.host.begin(self._clock)
        return self.host.transfer(content, envelope_from, envelope_to)


class _Deadline:
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


class _LineReader:
    """The lines that come in, all of them within one time, so that a server that drips bytes cannot hold us."""

    def __init__(self, line: socket.socket, clock: _Deadline) -> None:
        self.clock = clock
        self._line, self._read = line, b""

    def readline(self, limit: int) -> bytes:
        """Up to and with the line feed; less when the other side hangs up or the limit is reached."""
        while b"\n" not in self._read and len(self._read) < limit:
            self._line.settimeout(self.clock.left)
            more = self._line.recv(8192)
            if not more:
                break
            self._read += more
        end = min(self._read.find(b"\n") + 1 or len(self._read), limit)
        first, self._read = self._read[:end], self._read[end:]
        return first

    def close(self) -> None:
        """The line is not ours to close."""


class _Smtp(smtplib.SMTP):
    """An SMTP client with one deadline per message.

    Commands are pipelined (RFC 2920) where the server supports it: two round trips per message instead of four.
    """

    has_sent_data = False

    def __init__(self, context: ssl.SSLContext, clock: _Deadline, greeting: str) -> None:
        super().__init__(local_hostname=greeting, timeout=clock.left)
        self._context = context
        self._clock = clock

    def begin(self, clock: _Deadline) -> None:
        """Get ready for another message."""
        self._clock, self.has_sent_data = clock, False

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

    def transfer(self, content: bytes, sender: str, recipient: str) -> str:
        """Send one message to one address and return the server's response. Raises the errors of `sendmail`."""
        size = f" SIZE={len(content)}" if self.has_extn("size") else ""
        commands = [f"MAIL FROM:<{sender}>{size}\r\n", f"RCPT TO:<{recipient}>\r\n", "DATA\r\n"]
        for together in ["".join(commands)] if self.has_extn("pipelining") else commands:
            self.send(together)
            for command in together.splitlines():
                self._check(command[:4], recipient)
        self.has_sent_data = True
        self.send(content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        code, text = self.getreply()
        if code != 250:
            raise smtplib.SMTPDataError(code, text)
        return f"{code} {text.decode(errors='replace')}"[:500]

    def send(self, s: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(self._clock.left)
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        """Raises SMTPServerDisconnected when there is no answer that could be one."""
        if self.file is None and self.sock is not None:
            self.file = _LineReader(self.sock, self._clock)
        if self.file is not None:
            self.file.clock = self._clock
        code, text = super().getreply()
        return code, text.replace(b"\0", b"?")  # no database holds U+0000, and answers are written down

    def _check(self, command: str, recipient: str) -> None:
        code, text = self.getreply()
        if command == "MAIL" and code != 250:
            raise smtplib.SMTPSenderRefused(code, text, "")
        if command == "RCPT" and code not in (250, 251):
            raise smtplib.SMTPRecipientsRefused({recipient: (code, text)})
        if command == "DATA" and code != 354:
            raise smtplib.SMTPDataError(code, text)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return _connect(host, port, self._clock)


class _SmtpOverTls(_Smtp):
    """The same over TLS from the first byte (port 465)."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = super()._get_socket(host, port, timeout)
        plain.settimeout(self._clock.left)
        return self._context.wrap_socket(plain, server_hostname=host)


def _connect(host: str, port: int, clock: _Deadline) -> socket.socket:
    """Like socket.create_connection, which would grant the whole time to each of a host's addresses."""
    error: OSError = OSError("the host has no address")
    for _, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            return socket.create_connection((str(address[0]), port), clock.left)
        except OSError as this:
            error = this
    raise error
