"""An operator's processes, driven from outside, and a tally of every invitation's outcome."""

import http.client
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select, update

from invite_app.db import session, transaction
from invite_app.models import Invitation, OutboxMessage
from invite_app.models.types import now
from invite_app.services import delivery, imports
from invite_app.services.invitations import Draft
from invite_app.worker.sender import OutboxSender
from tests.support.factories import Acme, Key, make_api_key, make_organization
from tests.support.mail import SmtpServer, wait_until
from tests.support.server import BIN, ServerProcess

# Messages sent while processes are killed. The published figures use 2,000.
COUNT = int(os.environ.get("INVITE_TEST_FAULTS_COUNT", "200"))


@dataclass(frozen=True)
class Tally:
    """Counts of a run: successful responses, invitations without mail, and mails sent twice."""

    tries: int
    answered: int
    lost: int
    duplicated: int


@dataclass
class Scene:
    """One organization on one database and one mail server. `close` ends every process that was started."""

    app: Flask
    environ: Mapping[str, str]
    smtp: SmtpServer
    acme: Acme = field(init=False)
    key: Key = field(init=False)
    statuses: dict[str, int] = field(default_factory=dict)
    already_duplicated: int = 0
    processes: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        with self.app.app_context():
            self.acme = make_organization()
            self.key = make_api_key(self.acme, "admin")

    def serve(self, *arguments: str, workers: int = 1, **changes: str) -> ServerProcess:
        server = ServerProcess.gunicorn({**self.environ, **changes}, *arguments, workers=workers)
        self.processes.callback(server.close)
        return server.wait_until_up()

    def deliver(self, **changes: str) -> ServerProcess:
        """Start `flask outbox run`."""
        process = ServerProcess([str(BIN / "flask"), "outbox", "run"], {**self.environ, **changes}, url="")
        self.processes.callback(process.close)
        return process

    def invite(self, server: ServerProcess, email: str) -> int:
        """Invite by HTTP; record and return the status of the response, 0 when there was none."""
        body = {"given_name": "Ana", "family_name": "Guest", "email": email, "role": "member"}
        path = f"/api/v1/organization/{self.acme.id}/invitation"
        with Client(server.url, self.key.headers) as client:
            self.statuses[email], _ = client.ask("POST", path, body)
        return self.statuses[email]

    def queue(self, *emails: str) -> None:
        """Queue invitations as a bulk request would."""
        rows = [Draft(email=email, role="member", given_name="Ana") for email in emails]
        with self.app.app_context():
            imports.send_batch(self.acme.id, rows, by=self.acme.owner.actor)
        self.statuses |= dict.fromkeys(emails, 202)

    def expire_leases(self) -> None:
        """Expire the leases of a killed process."""
        with self.app.app_context(), transaction() as writing:
            writing.execute(
                update(OutboxMessage)
                .where(OutboxMessage.lease.is_not(None))
                .values(lease=None, next_attempt_at=now())
            )

    def make_due(self) -> None:
        """Make the messages that wait for their next attempt due."""
        with self.app.app_context(), transaction() as writing:
            writing.execute(
                update(OutboxMessage).where(OutboxMessage.state == "queued").values(next_attempt_at=now())
            )

    def send_remaining(self) -> None:
        self.smtp.behave()
        self.expire_leases()
        self.make_due()
        with self.app.app_context():
            while OutboxSender(self.app).run_once():
                pass

    def reasons(self) -> list[tuple[str, str]]:
        """Return state and reason of every message, newest first."""
        with self.app.app_context():
            query = select(OutboxMessage.state, OutboxMessage.reason).order_by(OutboxMessage.id.desc())
            return [(state, reason) for state, reason in session().execute(query)]

    def wait_until_sent(self, count: int, *, seconds: float = 60) -> None:
        wait_until(lambda: self.count_sent() >= count, seconds=seconds)

    def count_sent(self) -> int:
        with self.app.app_context():
            return delivery.outbox_status().sent_last_hour

    def tally(self) -> Tally:
        """Assert what must hold after every fault; return the counts that may differ."""
        with self.app.app_context():
            rows = session().execute(
                select(Invitation.email, Invitation.state, OutboxMessage.state).outerjoin(Invitation.message)
            )
            kept = {email: (state, message) for email, state, message in rows}
            leases = session().scalars(select(OutboxMessage.lease).where(OutboxMessage.lease.is_not(None))).all()
        assert None not in {message for _, message in kept.values()}, "an invitation without its message"
        assert leases == []
        mails = Counter(message.recipients[0] for message in self.smtp.messages)
        ids = {str(message.message["Message-ID"]) for message in self.smtp.messages}
        assert len(ids) == len(mails), "a repeated mail is recognised by its Message-ID"
        good = [email for email, status in self.statuses.items() if 200 <= status < 300]
        lost = [email for email in good if email not in kept or not mails[email]]
        lost += [email for email in kept if email not in good and kept[email][0] == "pending" and not mails[email]]
        return Tally(len(self.statuses), len(good), len(lost), mails.total() - len(mails) - self.already_duplicated)


class Client:
    """A persistent connection that sends JSON."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self._headers = {**headers, "Content-Type": "application/json"}

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._line.close()

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return status and JSON, or (0, None) when the connection was lost."""
        try:
            self._line.request(method, path, None if body is None else json.dumps(body), self._headers)
            answer = self._line.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self._line.close()  # the next request opens it again
            return 0, None
        return answer.status, json.loads(content) if content else None


def children_of(process: int) -> list[int]:
    """Return the process ids of a gunicorn master's workers."""
    listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in listed.split()]


Record = Callable[[str, Tally], None]
