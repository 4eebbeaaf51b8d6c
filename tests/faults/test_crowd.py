"""Sixty-four people at once, on each database: every request gets a correct response."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from statistics import median, quantiles
from time import perf_counter

from sqlalchemy import func, select

from invite_app.db import session
from invite_app.models import Invitation, Membership, Organization
from tests.support.factories import PASSWORD

from .scene import Client, Record, Scene, Tally

CLIENTS, NEW_MEMBERS = 64, 16
NEW_ACCOUNT = {"given_name": "Ana", "family_name": "Guest", "password": PASSWORD}


def visit(scene: Scene, url: str, number: int) -> list[tuple[str, int, float]]:
    """Send two invitations, revoke the first, and list them; accept a few of the others."""
    home, answers = f"/api/v1/organization/{scene.acme.id}", []
    with Client(url, scene.key.headers) as client:

        def ask(action: str, method: str, path: str, body: object = None) -> dict[str, str]:
            begun = perf_counter()
            status, answer = client.ask(method, path, body)
            answers.append((action, status, perf_counter() - begun))
            return answer or {}

        made = []
        for turn in range(2):
            body = {"given_name": "Ana", "family_name": "Guest", "email": f"a{number}.{turn}@guest.example"}
            made.append(ask("invite", "POST", f"{home}/invitation", {**body, "role": "member"})["invitation_id"])
            ask("list", "GET", f"{home}/invitations?limit=25")
        ask("revoke", "DELETE", f"{home}/invitations/{made[0]}")
        if number < NEW_MEMBERS:
            link = ask("link", "POST", f"{home}/invitations/{made[1]}/link")["url"]
            ask("accept", "POST", f"/api/v1/invitations/{link.rpartition('/')[2]}/accept", NEW_ACCOUNT)
    return answers


def test_crowd_gets_no_error_and_loses_nothing(scene: Scene, record: Record) -> None:
    server = scene.serve(workers=2, INVITE_RATE_LIMITS="off", INVITE_OUTBOX_WORKER="external")
    with ThreadPoolExecutor(CLIENTS) as pool:
        visits = list(pool.map(lambda number: visit(scene, server.url, number), range(CLIENTS)))
    answers = [answer for one in visits for answer in one]
    assert Counter((action, status) for action, status, _ in answers) == {
        ("invite", 201): 2 * CLIENTS,
        ("list", 200): 2 * CLIENTS,
        ("link", 200): NEW_MEMBERS,
        ("accept", 200): NEW_MEMBERS,
        ("revoke", 204): CLIENTS,
    }
    assert "locked" not in server.output
    with scene.app.app_context():
        states = dict(session().execute(select(Invitation.state, func.count()).group_by(Invitation.state)).all())
        here = session().get_one(Organization, scene.acme.id)
        members = session().scalar(select(func.count()).select_from(Membership))
    assert states == {"accepted": NEW_MEMBERS, "revoked": CLIENTS, "pending": CLIENTS - NEW_MEMBERS}
    assert (here.members_count, here.pending_count) == (members, CLIENTS - NEW_MEMBERS)
    times = [seconds for _, _, seconds in answers]
    slowest = quantiles(times, n=100)[98] / median(times)
    record(f"{CLIENTS} clients at once, p99 {slowest:.1f} times the median", Tally(len(times), len(times), 0, 0))
