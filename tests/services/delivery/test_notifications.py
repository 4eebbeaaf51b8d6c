"""Inviters are notified by mail of their invitees' responses while they are responsible."""

from collections.abc import Callable

import pytest
from flask import Flask

from invite_app.access import Actor
from invite_app.db import session
from invite_app.models import Invitation, OutboxMessage
from invite_app.services import delivery, invitations, inviter_mail, members
from invite_app.services.delivery import attempts, queries
from invite_app.worker.sender import OutboxSender
from tests.support.factories import OPERATOR, Acme, expire, invite, make_api_key, make_organization, token_of
from tests.support.mail import SmtpServer


def notifications() -> list[OutboxMessage]:
    rows = session().scalars(
        queries.with_relations().where(OutboxMessage.kind.in_((inviter_mail.DECLINED, inviter_mail.ASKED)))
    )
    return list(rows.unique())


def decline(invitation: Invitation, word: str = "") -> None:
    invitations.decline(token_of(invitation), word=word)


def ask(invitation: Invitation, word: str = "") -> None:
    invitations.request_new_invitation(token_of(invitation), word)


def test_decline_is_reported_with_its_message(acme: Acme) -> None:
    sent = invite(acme, given_name="Ana", family_name="Sousa", by=acme.admin.actor)
    decline(sent, "I am leaving.\nSee example.org")
    (row,) = notifications()
    mail = attempts.BUILDERS[row.kind](row)
    assert (mail.to, mail.subject) == (acme.admin.email, "Ana Sousa declined the invitation to Acme")
    assert "> I am leaving.\u200b\n> See example.\u200borg\n" in mail.text
    assert f"http://localhost/organizations/{acme.id}/invitations/{sent.id}" in mail.text
    assert "I am leaving." in mail.html.replace("\u200b", "")
    assert delivery.was_notified(inviter_mail.DECLINED, sent)
    assert not delivery.was_notified(inviter_mail.ASKED, sent)


def test_request_is_reported_once_until_resent(acme: Acme) -> None:
    sent = invite(acme)
    expire(sent)
    for word in ("Too late?", "Hello?"):
        ask(sent, word)
    (row,) = notifications()
    mail = attempts.BUILDERS[row.kind](row)
    assert mail.subject == "ana@\u200bguest.\u200bexample asks for a fresh invitation to Acme"
    assert "Hello?" in mail.text, "the word as it is when the mail goes out"
    invitations.resend(acme.id, sent.id, by=acme.owner.actor)
    expire(sent)
    ask(sent)
    assert len(notifications()) == 2


@pytest.mark.parametrize("inviter", ["a key", "the operator", "somebody who left", "somebody without the right"])
def test_former_inviters_are_not_notified(inviter: str, acme: Acme) -> None:
    by: Actor = acme.admin.actor
    if inviter == "a key":
        by = make_api_key(acme, user=acme.admin, role="admin").actor
    if inviter == "the operator":
        by = OPERATOR
    first, second = invite(acme, "a@guest.example", by=by), invite(acme, "b@guest.example", by=by)
    expire(second)
    if inviter == "somebody who left":
        members.remove(acme.id, acme.admin.id, by=acme.owner.actor)
    if inviter == "somebody without the right":
        members.change_role(acme.id, acme.admin.id, "member", by=acme.owner.actor)
    decline(first)
    ask(second)
    assert notifications() == []


def test_mail_arrives(make_app: Callable[..., Flask], smtp: SmtpServer) -> None:
    app = make_app(**smtp.environ)
    with app.app_context():
        decline(invite(make_organization()), "No time.")
        assert OutboxSender(app).run_once() == 1
        (mail,) = smtp.to("owner@acme.example")
        assert "No time." in mail.text.replace("\u200b", "")
