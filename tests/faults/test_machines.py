"""Two web servers and two delivery processes, as on two machines, with one PostgreSQL, one secret and one Redis."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from invite_app.db import session
from invite_app.models import Invitation, Membership, Organization
from tests.support.databases import on_postgres
from tests.support.factories import PASSWORD, configure
from tests.support.mail import wait_until
from tests.support.redis import find_redis

from .scene import Client, Record, Scene

CLIENTS, EACH, SEATS = 6, 12, 45
NEW_ACCOUNT = {"given_name": "Ana", "family_name": "Guest", "password": PASSWORD}


class Person:
    """A person using both servers: invites, lists, then accepts twice at once, revokes, or leaves the invitation."""

    def __init__(self, scene: Scene, urls: list[str], number: int) -> None:
        self._scene, self._number = scene, number
        self._clients = [Client(url, scene.key.headers) for url in (urls if number % 2 else urls[::-1])]
        self._invitations = f"/api/v1/organization/{scene.acme.id}/invitations"
        self.answers: Counter[tuple[str, int]] = Counter()

    def go(self) -> "Person":
        invited = []
        for turn in range(EACH):
            email = f"ana{self._number}-{turn}@guest.example"
            status, invitation = self._invite(email)
            self._note("list", self._clients[1].ask("GET", f"{self._invitations}?limit=10")[0])
            if status == 201 and turn % 3 == 1:
                self._revoke(email, invitation["invitation_id"])
            elif status == 201:
                invited.append(email)
        for email in invited[::2]:
            self._accept_twice(email)
        return self

    def _invite(self, email: str) -> tuple[int, Any]:
        body = {"given_name": "Ana", "family_name": "Guest", "email": email, "role": "member"}
        path = f"/api/v1/organization/{self._scene.acme.id}/invitation"
        status, invitation = self._clients[0].ask("POST", path, body)
        self._scene.statuses[email] = status
        self._note("invite", status)
        return status, invitation

    def _accept_twice(self, email: str) -> None:
        wait_until(lambda: self._scene.smtp.to(email), seconds=30)
        token = self._scene.smtp.to(email)[0].links[0].rpartition("/")[2]
        with ThreadPoolExecutor(2) as pool:
            path = f"/api/v1/invitations/{token}/accept"
            statuses = list(pool.map(lambda client: client.ask("POST", path, NEW_ACCOUNT)[0], self._clients))
        assert [200 <= status < 300 for status in sorted(statuses)] == [True, False], statuses
        self._note("accept", min(statuses))

    def _revoke(self, email: str, invitation_id: str) -> None:
        self._note("revoke", self._clients[1].ask("DELETE", f"{self._invitations}/{invitation_id}")[0])
        del self._scene.statuses[email]  # its mail may have been faster

    def _note(self, action: str, status: int) -> None:
        self.answers[action, status] += 1

    def hang_up(self) -> None:
        for client in self._clients:
            client.close()


@on_postgres
def test_two_machines_act_as_one(scene: Scene, record: Record, request: pytest.FixtureRequest) -> None:
    limits = {"INVITE_RATE_LIMITS": "on"}
    if find_redis():
        limits["INVITE_REDIS_URL"] = request.getfixturevalue("redis_server").url
    with scene.app.app_context():
        configure(scene.acme, seat_limit=SEATS)
    urls = [scene.serve(**limits).url for _ in range(2)]
    delivering = [scene.deliver() for _ in range(2)]
    began = time.monotonic()
    people = [Person(scene, urls, number) for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = sum((person.answers for person in pool.map(Person.go, people)), Counter[tuple[str, int]]())
    seconds = time.monotonic() - began
    for person in people:
        person.hang_up()
    assert set(answers) == {("invite", 201), ("invite", 402), ("list", 200), ("accept", 200), ("revoke", 204)}
    pending = [email for email, status in scene.statuses.items() if status == 201]
    wait_until(lambda: all(scene.smtp.to(email) for email in pending), seconds=60)
    assert [process.stop() for process in delivering] == [0, 0]
    check_seats(scene)
    tally = scene.tally()
    assert tally.duplicated == 0
    record(f"two machines, {answers.total() / seconds:.0f} requests/s", tally)


def check_seats(scene: Scene) -> None:
    """Check that counters are right, the limit holds, and nobody is a member twice."""
    with scene.app.app_context():
        here = session().get_one(Organization, scene.acme.id)
        members = session().scalars(select(Membership.user_id)).all()
        pending = session().scalar(select(func.count()).select_from(Invitation).where(Invitation.state == "pending"))
        assert (here.members_count, here.pending_count) == (len(members), pending)
        assert here.members_count + here.pending_count <= SEATS
        assert len(set(members)) == len(members)
