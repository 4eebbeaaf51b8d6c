"""A real mail server on a free port that records its messages and fails on request.

    smtp.fail("550 5.1.1 no such user", at="rcpt")          responds so until `behave()`
    smtp.fail("451 4.7.1 later", at="rcpt", times=1)        only once
    smtp.hang(30, at="connect")                             is silent for this long
    smtp.drop(at="data")                                    closes the connection within the message
    smtp.close_connections()                                as servers do with idle ones

Stages, in the order a client meets them: connect, ehlo, mail, rcpt, data (the command, before the
message), message (received, without a response yet), taken (stored, without a response yet).
"""

import asyncio
import re
import ssl
import threading
import time
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

Stage = Literal["connect", "ehlo", "mail", "rcpt", "data", "message", "taken"]


@dataclass(frozen=True)
class Received:
    """One accepted message: the envelope, and the content as parsed by a mail client."""

    sender: str
    recipients: list[str]
    content: bytes
    over_tls: bool
    username: str | None

    @cached_property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.default)

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def links(self) -> list[str]:
        return re.findall(r"https?://[^\s<>\"]+", self.text)

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part else ""


@dataclass
class Fault:
    at: Stage
    reply: str | None = None
    seconds: float = 0
    drop: bool = False
    to: str | None = None
    left: int | None = field(default=None)


class SmtpServer:
    """Listens on 127.0.0.1 in a thread of its own; `with` starts and stops it."""

    host = "127.0.0.1"

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        login: tuple[str, str] | None = None,
        pipelining: bool = True,
    ) -> None:
        self.port = 0
        self.messages: list[Received] = []
        self.connections = 0
        self._tls, self._implicit_tls, self._login = tls, implicit_tls, login
        self.pipelining = pipelining
        self._faults: list[Fault] = []
        self._open: set[_Connection] = set()
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp", daemon=True)

    @property
    def environ(self) -> dict[str, str]:
        """Return the settings with which the app sends through this server."""
        username, password = self._login or ("", "")
        return {
            "INVITE_MAIL_SERVER": self.host,
            "INVITE_MAIL_PORT": str(self.port),
            "INVITE_MAIL_USERNAME": username,
            "INVITE_MAIL_PASSWORD": password,
            "INVITE_MAIL_USE_TLS": "true" if self._tls and not self._implicit_tls else "false",
            "INVITE_MAIL_USE_SSL": "true" if self._implicit_tls else "false",
            "INVITE_MAIL_DEFAULT_SENDER": "invitations@ours.example",
        }

    # --- for tests ---

    def fail(self, reply: str, *, at: Stage = "rcpt", to: str | None = None, times: int | None = None) -> None:
        self._faults.append(Fault(at, reply=reply, to=to, left=times))

    def hang(self, seconds: float, *, at: Stage = "connect", times: int | None = None) -> None:
        self._faults.append(Fault(at, seconds=seconds, left=times))

    def drop(self, *, at: Stage = "data", times: int | None = None) -> None:
        self._faults.append(Fault(at, drop=True, left=times))

    def behave(self) -> None:
        self._faults.clear()

    def close_connections(self, goodbye: str | None = "421 4.4.2 idle for too long") -> None:
        """Close every open connection, with a final response or without one."""
        self._call(self._close_all(goodbye))

    @property
    def open_connections(self) -> int:
        return len(self._open)

    @property
    def pending_faults(self) -> int:
        return sum(fault.left or 0 for fault in self._faults)

    def wait_for(self, count: int, *, seconds: float = 10) -> list[Received]:
        """Return the messages, once there are this many."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.messages) >= count, timeout=seconds):
                raise TimeoutError(f"{len(self.messages)} of {count} messages within {seconds} seconds")
            return list(self.messages)

    def to(self, address: str) -> list[Received]:
        return [message for message in self.messages if address in message.recipients]

    def clear(self) -> None:
        self.messages.clear()

    # --- running ---

    def __enter__(self) -> "SmtpServer":
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        tls = self._tls if self._implicit_tls else None
        self._server = await self._loop.create_server(self._connection, self.host, 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    def _connection(self) -> "_Connection":
        options: dict[str, Any] = {"hostname": "mail.example", "enable_SMTPUTF8": True, "loop": self._loop}
        if self._tls and not self._implicit_tls:
            options |= {"tls_context": self._tls, "require_starttls": True}
        if self._login:
            options |= {"authenticator": self._authenticate, "auth_required": True}
        connection = _Connection(self, **options)
        connection._auth_require_tls = bool(self._tls) and not self._implicit_tls  # the public option would warn
        return connection

    async def _stop(self) -> None:
        self._server.close()
        await self._close_all(None)
        tasks = asyncio.all_tasks(self._loop) - {asyncio.current_task(self._loop)}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _close_all(self, goodbye: str | None) -> None:
        for connection in list(self._open):
            await connection.hang_up(goodbye)

    def _call(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=10)

    # --- for its connections ---

    def opened(self, connection: "_Connection") -> None:
        self.connections += 1
        self._open.add(connection)

    def closed(self, connection: "_Connection") -> None:
        self._open.discard(connection)

    def fault(self, at: Stage, address: str | None = None) -> Fault | None:
        for fault in self._faults:
            if fault.at == at and fault.left != 0 and fault.to in (None, address):
                if fault.left is not None:
                    fault.left -= 1
                return fault
        return None

    def take(self, received: Received) -> None:
        with self._changed:
            self.messages.append(received)
            self._changed.notify_all()

    def _authenticate(self, _server: Any, session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        given = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode())
        session.username = given[0] if given else None
        return AuthResult(success=given == self._login, handled=False)


class _Connection(SMTP):
    def __init__(self, owner: SmtpServer, **options: Any) -> None:
        super().__init__(self, **options)
        self._owner = owner

    def connection_made(self, transport: Any) -> None:
        if self._original_transport is None:
            self._owner.opened(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._owner.closed(self)
        super().connection_lost(error)

    async def hang_up(self, goodbye: str | None = None) -> None:
        self._owner.closed(self)
        if self.transport is not None:
            if goodbye:
                await self.push(goodbye)
            self.transport.close()

    async def _handle_client(self) -> None:
        if not await self._interrupted("connect"):
            await super()._handle_client()

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        if not await self._interrupted("ehlo"):
            await super().smtp_EHLO(hostname)

    async def handle_EHLO(  # noqa: N802
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [responses[0], "250-PIPELINING", *responses[1:]] if self._owner.pipelining else responses

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        if not await self._interrupted("mail"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        address = re.search(r"<([^>]*)>", arg or "")
        if not await self._interrupted("rcpt", address and address[1]):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if not await self._interrupted("data"):
            await super().smtp_DATA(arg)

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str | None:  # noqa: N802
        if await self._interrupted("message"):
            return None
        username = getattr(session, "username", None)
        self._owner.take(
            Received(
                envelope.mail_from,
                envelope.rcpt_tos,
                envelope.original_content,
                over_tls=session.ssl is not None or self._owner._implicit_tls,
                username=username,
            )
        )
        return None if await self._interrupted("taken") else "250 2.0.0 queued as 4Z7"

    async def _interrupted(self, at: Stage, address: str | None = None) -> bool:
        """Return whether a fault replaced this command; one that only delays does not."""
        fault = self._owner.fault(at, address)
        if fault is None:
            return False
        await asyncio.sleep(fault.seconds)
        if fault.drop:
            if at == "data":
                await self.push("354 go on")
                await self._reader.readuntil(b"\n")
            await self.hang_up()
        elif fault.reply:
            await self.push(fault.reply)
        return fault.drop or fault.reply is not None


def wait_until(is_so: Any, *, seconds: float = 10) -> None:
    """Wait for a condition that another thread or process makes true."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so within {seconds} seconds")
        time.sleep(0.02)
