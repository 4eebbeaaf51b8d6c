"""A misbehaving mail server, with a web process that sends immediately and a delivery process that does not.

The processes are the same for all faults, as they are in production.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from invite_app import create_app
from invite_app.services import delivery
from tests.support.databases import BASE, Databases, dispose
from tests.support.factories import BY_OPERATOR
from tests.support.mail import SmtpServer, wait_until
from tests.support.ports import free_port
from tests.support.server import ServerProcess

from .scene import Record, Scene

TIMEOUT = "0.5"
Misbehave = Callable[[SmtpServer], Any]


@pytest.fixture(scope="module")
def place(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scene, ServerProcess]]:
    """Start a scene with a web process with immediate delivery, beside a delivery process for queued messages."""
    folder = tmp_path_factory.mktemp("mail-server")
    url = databases.create("sqlite", folder)
    with SmtpServer() as smtp:
        environ = {**BASE, "INVITE_DATABASE_URL": url, "INVITE_INSTANCE_PATH": str(folder), **smtp.environ}
        settings = {**environ, "INVITE_MAIL_DELIVERY": "queued", "INVITE_MAIL_TIMEOUT": TIMEOUT}
        app = create_app(settings, testing=True)
        scene = Scene(app, settings, smtp)
        with scene.processes:
            scene.deliver()
            yield scene, scene.serve(INVITE_MAIL_DELIVERY="immediate")
        dispose(app)


@pytest.fixture
def scene(place: tuple[Scene, ServerProcess]) -> Scene:
    place[0].smtp.behave()
    place[0].statuses.clear()
    place[0].already_duplicated += place[0].tally().duplicated
    return place[0]


def idle(smtp: SmtpServer) -> None:
    smtp.close_connections()


NO_ANSWER = "the mail server did not answer in time"
# The fault, the web process's response, and the state that the delivery process records.
FAULTS: dict[str, tuple[Misbehave, int, str | None]] = {
    "refuses to talk": (lambda smtp: smtp.fail("554 no service", at="connect"), 503, "554 no service"),
    "hangs": (lambda smtp: smtp.hang(30, at="mail"), 503, NO_ANSWER),
    "is slow": (lambda smtp: smtp.hang(0.2, at="rcpt"), 201, None),
    "says 451, then 250": (lambda smtp: smtp.fail("451 4.7.1 later"), 503, "451 4.7.1 later"),
    "says 550": (lambda smtp: smtp.fail("550 5.1.1 nobody"), 422, "550 5.1.1 nobody"),
    "closes within DATA": (lambda smtp: smtp.drop(at="data"), 503, "the mail server cannot be reached"),
    "closes idle connections": (idle, 201, None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_lost(place: tuple[Scene, ServerProcess], scene: Scene, record: Record, fault: str) -> None:
    misbehave, status, reason = FAULTS[fault]
    before, number = scene.count_sent(), list(FAULTS).index(fault)
    misbehave(scene.smtp)
    assert scene.invite(place[1], f"web{number}@guest.example") == status
    scene.queue(f"queue{number}@guest.example")
    if reason:
        wait_until(lambda: scene.reasons()[0][1].startswith(reason))
        try_again(scene)
    wait_until(lambda: scene.count_sent() == before + 1 + (status == 201))
    tally = scene.tally()
    assert tally.duplicated == 0
    record(f"mail server {fault}", tally)


def test_message_accepted_without_response_is_resent(scene: Scene, record: Record) -> None:
    """SMTP leaves no choice (RFC 1047): only the server knows that it accepted the message."""
    scene.smtp.hang(2, at="taken", times=1)
    scene.queue("ana@guest.example")
    wait_until(lambda: scene.reasons()[0] == ("queued", NO_ANSWER))
    try_again(scene)
    wait_until(lambda: scene.reasons()[0][0] == "sent")
    tally = scene.tally()
    assert tally.duplicated == 1
    record("mail server takes it and does not answer in time", tally)


@pytest.mark.parametrize("fault", ["has a bad certificate", "is down"])
def test_untrusted_server_gets_nothing(scene: Scene, record: Record, fault: str, smtp_starttls: SmtpServer) -> None:
    away = {"INVITE_MAIL_PORT": str(free_port())} if fault == "is down" else smtp_starttls.environ
    server = scene.serve(INVITE_MAIL_DELIVERY="immediate", **away)
    assert scene.invite(server, f"{fault[-4:]}@guest.example") == 503
    assert smtp_starttls.messages == []
    record(f"mail server {fault}", scene.tally())


def try_again(scene: Scene) -> None:
    """End the fault and retry failed messages as the operator's command does."""
    scene.smtp.behave()
    scene.make_due()
    with scene.app.app_context():
        delivery.retry_all(by=BY_OPERATOR)
