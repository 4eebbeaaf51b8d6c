"""Building mail. A message is a value; sending it is somebody else's business."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import current_app

from invite_app import tokens
from invite_app.models import Invitation, OutboxMessage

from .rendering import render


@dataclass(frozen=True)
class MailMessage:
    to: str
    subject: str
    text: str
    html: str
    message_id: str
    reply_to: str | None = None
    sender_name: str | None = None


def invitation(row: OutboxMessage, *, token: str | None = None) -> MailMessage:
    """Build the mail that carries an invitation's link; the local outbox has it carry another token."""
    subject = row.invitation
    assert subject is not None
    return _render(
        "invitation",
        context(subject, link=link(subject, token)),
        to=subject.email,
        message_id=_message_id(row),
        reply_to=subject.inviter.email if subject.inviter else None,
        sender_name=subject.organization.name,
    )


def added(row: OutboxMessage) -> MailMessage:
    """Tells somebody that they were made a member without having been asked, and how to leave."""
    assert row.user is not None
    assert row.organization is not None
    home = f"{current_app.config['EXTERNAL_URL']}/organizations/{row.organization.id}"
    values = {
        "organization_name": row.organization.name,
        "given_name": row.user.given_name,
        "link": f"{home}/",
        "leave_link": f"{home}/leave",
    }
    return _render("added", values, to=row.user.email, message_id=_message_id(row))


def removed(row: OutboxMessage) -> MailMessage:
    """Tells somebody that they are no longer a member, and that their account stays."""
    assert row.user is not None
    assert row.organization is not None
    values = {"organization_name": row.organization.name, "given_name": row.user.given_name}
    return _render("removed", values, to=row.user.email, message_id=_message_id(row))


def declined(row: OutboxMessage) -> MailMessage:
    """Tells the inviter that somebody turned the invitation down."""
    return _about(row, "declined", lambda subject: subject.decline_message)


def asked(row: OutboxMessage) -> MailMessage:
    """Tells the inviter that somebody came too late and asks for a fresh invitation."""
    return _about(row, "asked", lambda subject: subject.request_message)


def _about(row: OutboxMessage, name: str, word: Callable[[Invitation], str]) -> MailMessage:
    """To the inviter, about an invitation, with the word of the invited person."""
    subject = row.about
    assert row.user is not None
    assert row.organization is not None
    assert subject is not None
    values = {
        "organization_name": row.organization.name,
        "given_name": row.user.given_name,
        "invitee_name": subject.name or subject.email,
        "invitee_short": subject.given_name or subject.email,
        "invitee_email": subject.email,
        "word": word(subject),
        "ended_on_text": date(subject.expires_at),
        "link": f"{current_app.config['EXTERNAL_URL']}/organizations/{row.organization.id}/invitations/{subject.id}",
    }
    return _render(name, values, to=row.user.email, message_id=_message_id(row))


def sample(subject: Invitation) -> MailMessage:
    """The mail of an invitation that is not sent yet, with a link that leads nowhere."""
    return _render(
        "invitation",
        context(subject, link=f"{current_app.config['EXTERNAL_URL']}/invitations/..."),
        to=subject.email,
        message_id="",
        reply_to=subject.inviter.email if subject.inviter else None,
        sender_name=subject.organization.name,
    )


def reset(row: OutboxMessage) -> MailMessage:
    """Carries the link for a new password."""
    return _account_mail(row, "reset", "reset")


def address(row: OutboxMessage) -> MailMessage:
    """Carries the link that proves a new address, to that address."""
    return _account_mail(row, "address", "account/address")


def password_changed(row: OutboxMessage) -> MailMessage:
    """Return the mail about a new password."""
    return _security_mail(row, "password_changed")


def address_changed(row: OutboxMessage) -> MailMessage:
    """Return the mail about a new address, to that one or to the old one."""
    return _security_mail(row, "address_changed")


def signed_out(row: OutboxMessage) -> MailMessage:
    """Return the mail about the end of all other sessions."""
    return _security_mail(row, "signed_out")


def _security_mail(row: OutboxMessage, name: str) -> MailMessage:
    assert row.user is not None
    values = {
        "given_name": row.user.given_name,
        "link": f"{current_app.config['EXTERNAL_URL']}/forgot",
        "happened_at_text": date_and_time(row.created_at),
        "is_old": row.email is not None,
    }
    return _render(name, values, to=row.email or row.user.email, message_id=_message_id(row))


def _account_mail(row: OutboxMessage, name: str, path: str) -> MailMessage:
    assert row.user is not None
    assert row.account_link is not None
    values = {
        "given_name": row.user.given_name,
        "link": f"{current_app.config['EXTERNAL_URL']}/{path}/{tokens.account_token(row.account_link.id)}",
        "expires_at_text": date_and_time(row.account_link.expires_at),
    }
    to = row.account_link.email or row.user.email
    return _render(name, values, to=to, message_id=_message_id(row))


def context(subject: Invitation, *, link: str) -> dict[str, Any]:
    """Return the variables of the invitation templates, all plain strings."""
    return {
        "organization_name": subject.organization.name,
        "inviter_name": subject.inviter_name,
        "inviter_given_name": subject.inviter.given_name if subject.inviter else subject.inviter_name,
        "given_name": subject.given_name,
        "role_name": subject.role_name,
        "workspace_names": tuple(workspace.name for workspace in subject.workspaces),
        "note": subject.note,
        "link": link,
        "expires_at_text": date_and_time(subject.expires_at),
        "expires_on_text": date(subject.expires_at),
        "email": subject.email,
        "reply_to_name": subject.inviter_name if subject.inviter else "",
    }


def link(subject: Invitation, token: str | None = None) -> str:
    """Return the address that accepts this invitation; its host is the server's own, or an allowed `app_url`.

    It carries the token of the mailed link, unless another one is given.
    """
    token = token or tokens.invitation_token(subject.id, subject.nonce)
    if subject.app_url is None:
        return f"{current_app.config['EXTERNAL_URL']}/invitations/{token}"
    query = {
        "inv_code": token,
        "organization_id": str(subject.organization_id),
        "redirect_uri": subject.redirect_uri or "",
    }
    app = urlsplit(subject.app_url)
    return f"{app.scheme}://{app.netloc}{app.path.rstrip('/')}/auth?{urlencode(query)}"


def date(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def date_and_time(moment: datetime) -> str:
    return f"{date(moment)}, {moment:%H:%M} UTC"


def _render(name: str, values: dict[str, Any], **headers: Any) -> MailMessage:
    subject, text, html = render(name, values)
    return MailMessage(subject=" ".join(subject.split()), text=text.strip() + "\n", html=html, **headers)


def _message_id(row: OutboxMessage) -> str:
    """Made of the row and the sending, so that a repeat after a crash can be recognised."""
    return f"<{row.id}.{row.sends}@{_host()}>"


def _host() -> str:
    return urlsplit(current_app.config["EXTERNAL_URL"]).hostname or "localhost"
