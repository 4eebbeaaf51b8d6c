"""A writing transaction lets go of what was read before it, and leaves it whole to whoever holds it."""

from flask import Flask

from invite_app.db import session, transaction
from invite_app.models import Organization
from tests.support.factories import configure, invite, make_organization


def test_rows_that_were_read_before_stay_complete(app: Flask, app_context: None) -> None:
    acme = make_organization()
    invitation = invite(acme, workspace_ids=acme.workspaces)
    with transaction():
        pass
    assert invitation.role is not None
    assert (invitation.role.key, len(invitation.workspaces)) == ("member", 2)
    assert invitation.message is not None


def test_no_decision_rests_on_an_old_reading(app: Flask, app_context: None) -> None:
    acme = make_organization(seat_limit=5)
    before = session().get_one(Organization, acme.id)
    configure(acme, seat_limit=7)
    with transaction() as writing:
        assert writing.get_one(Organization, acme.id).seat_limit == 7
    assert before.seat_limit == 5
