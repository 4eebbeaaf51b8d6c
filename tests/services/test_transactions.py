"""Writing transactions discard objects read before, which stay complete for their holders."""

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from invite_app.db import engine, session, transaction
from invite_app.extensions import db as database
from invite_app.models import Organization
from tests.support.databases import on_postgres
from tests.support.factories import configure, invite, make_organization


def test_objects_read_before_stay_complete(app: Flask, app_context: None) -> None:
    acme = make_organization()
    invitation = invite(acme, workspace_ids=acme.workspaces)
    with transaction():
        pass
    assert invitation.role is not None
    assert (invitation.role.key, len(invitation.workspaces)) == ("member", 2)
    assert invitation.message is not None


def test_decisions_use_freshly_read_rows(app: Flask, app_context: None) -> None:
    acme = make_organization(seat_limit=5)
    before = session().get_one(Organization, acme.id)
    configure(acme, seat_limit=7)
    with transaction() as writing:
        assert writing.get_one(Organization, acme.id).seat_limit == 7
    assert before.seat_limit == 5


@on_postgres
def test_connection_cut_while_idle_is_replaced(
    app: Flask, app_context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = make_organization()
    own = session().scalar(text("SELECT pg_backend_pid()"))
    session().remove()
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as cutting:
        cutting.execute("SELECT pg_terminate_backend(%s, 5000)", [own])
    monkeypatch.setattr(engine, "IDLE_SECONDS", 0.0)
    assert session().get_one(Organization, acme.id).name == "Acme"
