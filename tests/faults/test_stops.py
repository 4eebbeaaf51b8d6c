"""SIGTERM to gunicorn: requests in progress are finished, no new ones accepted, leases released, nothing lost.

The same for `flask outbox run` is in tests/delivery.
"""

import threading

from invite_app.services import delivery
from tests.support.databases import on_sqlite
from tests.support.mail import wait_until

from .scene import Record, Scene

COUNT = 40


@on_sqlite
def test_gunicorn_finishes_requests_in_progress(scene: Scene, record: Record) -> None:
    server = scene.serve(INVITE_MAIL_DELIVERY="immediate")
    scene.smtp.hang(1, at="message", times=1)
    inviting = threading.Thread(target=scene.invite, args=(server, "ana@guest.example"))
    inviting.start()
    wait_until(lambda: scene.smtp.open_connections)
    assert server.stop() == 0
    inviting.join()
    assert scene.statuses == {"ana@guest.example": 201}
    assert scene.invite(server, "late@guest.example") == 0
    tally = scene.tally()
    assert tally.duplicated == 0
    record("gunicorn stopped while it sends", tally)


@on_sqlite
def test_gunicorn_releases_the_leases_of_its_delivery(scene: Scene, record: Record) -> None:
    scene.queue(*(f"ana{number}@guest.example" for number in range(COUNT)))
    scene.smtp.hang(0.05, at="message")
    server = scene.serve(INVITE_OUTBOX_WORKER="embedded")
    scene.smtp.wait_for(3, seconds=30)
    assert server.stop() == 0
    check_that_the_rest_waits(scene)
    scene.send_remaining()
    tally = scene.tally()
    assert tally.duplicated == 0
    record("gunicorn stopped while its thread delivers", tally)


def check_that_the_rest_waits(scene: Scene) -> None:
    """Check that the other messages are due and unclaimed, without waiting for a lease."""
    sent = len(scene.smtp.messages)
    with scene.app.app_context():
        status = delivery.outbox_status()
    assert (status.sent_last_hour, status.due) == (sent, COUNT - sent)
    assert 0 < sent < COUNT
