"""Cancelling an import while it is sent: nobody stays invited without a mail."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, update
from uuid_utils.compat import uuid4

from invite_app.db import session, transaction
from invite_app.errors import ImportNotFound, PermissionDenied
from invite_app.models import Import, Invitation, OutboxMessage
from invite_app.services import imports, invitations
from invite_app.services.imports import actions, cancellation
from invite_app.worker.sender import OutboxSender
from tests.support.factories import Acme, history, make_organization, reread
from tests.support.mail import SmtpServer


@pytest.fixture
def app(make_app: Callable[..., Flask], smtp: SmtpServer) -> Flask:
    return make_app(**smtp.environ, INVITE_MAIL_DELIVERY="queued")


@pytest.fixture
def acme(app: Flask, app_context: None) -> Acme:
    return make_organization(seat_limit=10)


def send(acme: Acme, *names: str) -> tuple[Import, list[Invitation]]:
    lines = imports.parse("\n".join(f"{name}@guest.example" for name in names))
    sheet = imports.create(acme.id, lines, by=acme.owner.actor, role="member")
    imports.send(acme.id, sheet.id, by=acme.owner.actor)
    session().commit()
    return sheet, list(session().scalars(select(Invitation).order_by(Invitation.email)))


def free(acme: Acme) -> int | None:
    session().commit()
    return invitations.seats_left(
        actions.get(acme.id, session().scalar(select(Import.id)), acme.owner.actor)[0].organization
    )


def test_waiting_invitations_are_revoked_and_rows_reset(app: Flask, acme: Acme, smtp: SmtpServer) -> None:
    sheet, made = send(acme, "a", "b", "c")
    assert (free(acme), imports.count_waiting(acme.id, sheet.id, by=acme.owner.actor)) == (4, 3)
    assert imports.stop(acme.id, sheet.id, by=acme.owner.actor) == 3
    assert [reread(one).state for one in made] == ["revoked"] * 3
    assert history(made[0].id)[0].action == "invitation.revoked"
    assert (free(acme), imports.summarize(acme.id, sheet.id, by=acme.owner.actor).ready) == (7, 3)
    assert (OutboxSender(app).run_once(), smtp.messages) == (0, [])
    assert not imports.get_progress(acme.id, sheet.id, by=acme.owner.actor).total
    imports.send(acme.id, sheet.id, by=acme.owner.actor)
    assert OutboxSender(app).run_once() == 3


def test_sent_or_sending_messages_are_kept(app: Flask, acme: Acme) -> None:
    sheet, made = send(acme, "a", "b", "c")
    with transaction() as writing:
        for one, values in zip(made, ({"state": "sent"}, {"lease": uuid4()}), strict=False):
            writing.execute(update(OutboxMessage).where(OutboxMessage.invitation_id == one.id).values(**values))
    assert imports.stop(acme.id, sheet.id, by=acme.owner.actor) == 1
    assert [reread(one).state for one in made] == ["pending", "pending", "revoked"]
    progress = imports.get_progress(acme.id, sheet.id, by=acme.owner.actor)
    assert (progress.sent, progress.queued, progress.failed) == (1, 1, 0)


def test_long_imports_are_cancelled_in_chunks(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancellation, "CHUNK_SIZE", 2)
    sheet, made = send(acme, "a", "b", "c", "d", "e")
    assert imports.stop(acme.id, sheet.id, by=acme.owner.actor) == 5
    assert {reread(one).state for one in made} == {"revoked"}


def test_only_inviters_of_this_organization_can_cancel(acme: Acme) -> None:
    sheet, _ = send(acme, "a")
    with pytest.raises(PermissionDenied):
        imports.stop(acme.id, sheet.id, by=acme.member.actor)
    globex = make_organization("Globex")
    with pytest.raises(ImportNotFound):
        imports.stop(globex.id, sheet.id, by=globex.owner.actor)


@pytest.mark.parametrize("how", ["sent again", "copied"])
def test_invitation_with_a_copied_link_stays(how: str, app: Flask, acme: Acme) -> None:
    sheet, (ana,) = send(acme, "ana")
    if how == "copied":
        invitations.copy_link(acme.id, ana.id, by=acme.owner.actor)
    else:
        assert OutboxSender(app).run_once() == 1
        invitations.resend(acme.id, ana.id, by=acme.owner.actor)
    session().commit()
    assert imports.count_waiting(acme.id, sheet.id, by=acme.owner.actor) == 0
    assert imports.stop(acme.id, sheet.id, by=acme.owner.actor) == 0
    assert reread(ana).state == "pending"
    assert OutboxSender(app).run_once() == 1
