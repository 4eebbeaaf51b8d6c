"""Requesting a new invitation after the first one expired."""

from collections.abc import Callable

import pytest
from flask import Flask

from invite_app.services import invitations
from tests.support.factories import OPERATOR, Acme, expire, invite, token_of
from tests.support.visitor import Visitor

Visit = Callable[..., Visitor]


@pytest.fixture
def late(app: Flask, acme: Acme) -> tuple[str, str]:
    """Return the admin's page of an expired invitation, and the invitee's."""
    with app.app_context():
        row = invite(acme, given_name="Tomás")
        expire(row)
        return f"/organizations/{acme.id}/invitations/{row.id}", f"/invitations/{token_of(row)}"


def test_request_message_reaches_the_admin_who_resends(
    acme: Acme, late: tuple[str, str], owner: Visitor, visit: Visit
) -> None:
    admin, path = late
    invitee = visit()
    page = invitee.get(path, 410)
    assert "it goes to the same address" in page.texts("p", "lead")[0]
    assert invitee.go(f"{path}/ask", page=path, word="I was ill.") == path
    assert invitee.get(path, 410).notes == ["The admins have been told. Watch your inbox."]
    page = owner.get(admin)
    assert "asks for a fresh one: “I was ill.”" in page.texts("p", "why-sentence")[0]
    assert "Asked for a fresh one" in page.texts("b")
    listed = owner.get(f"/organizations/{acme.id}/invitations?state=expired")
    assert "Asks again" in listed.texts("span", "badge")
    owner.go(f"{admin}/resend", page=admin)
    assert invitee.get(path).texts("h1") == ["Olivia Owner invites you to join Acme"]


def test_message_that_is_too_long_is_kept(late: tuple[str, str], visit: Visit) -> None:
    page = visit().submit(f"{late[1]}/ask", page=late[1], word="x" * 1001)
    assert len(page.errors) == 1
    assert page.value("word") == "x" * 1001


@pytest.mark.parametrize(("ended", "status"), [(False, 200), (True, 410)])
def test_only_expired_invitations_can_be_requested_again(
    ended: bool, status: int, app: Flask, acme: Acme, visit: Visit
) -> None:
    with app.app_context():
        row = invite(acme)
        path = f"/invitations/{token_of(row)}"
        if ended:
            invitations.revoke(acme.id, row.id, by=OPERATOR)
    assert visit().go(f"{path}/ask", page="/sign-in") == path
    visit().get(path, status)
