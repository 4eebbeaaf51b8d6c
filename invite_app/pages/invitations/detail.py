"""One invitation, and what can be done about it."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from invite_app.models import InvitationState
from invite_app.models.types import now
from invite_app.pages.blueprint import pages
from invite_app.pages.shared import FormErrors, current_actor, dates, principal, render_page, security_headers
from invite_app.services import invitations, timeline

from . import timeline_texts
from .status import STATES, why
from .status_texts import short_name

ONE = "/organizations/<uuid:organization_id>/invitations/<uuid:invitation_id>"


@pages.get(ONE, endpoint="invitation")
def show_one(organization_id: UUID, invitation_id: UUID) -> ResponseReturnValue:
    invitation = invitations.get(organization_id, invitation_id, by=current_actor())
    state = invitation.state_at(now())
    entries = timeline.list_for_invitation(organization_id, invitation.id, by=current_actor())
    revoked_by = next((entry.actor for entry in entries if entry.kind == "invitation.revoked"), "")
    return render_page(
        "invitations/one.html",
        invitation=invitation,
        why=why(invitation, ended_by=revoked_by),
        label=f"Why {short_name(invitation)} is not in yet",
        badge_of_state=STATES[state],
        is_pending=state == InvitationState.PENDING,
        is_open=state in (InvitationState.PENDING, InvitationState.EXPIRED),
        events=timeline_texts.of_invitation(invitation, entries, state),
    )


@pages.post(f"{ONE}/resend")
def resend_invitation(organization_id: UUID, invitation_id: UUID) -> ResponseReturnValue:
    with FormErrors():
        invitation = invitations.resend(organization_id, invitation_id, by=current_actor())
        flash(f"Sent again. The same link now works until {dates.day(invitation.expires_at)}.", "ok")
    return _back(invitation_id)


@pages.post(f"{ONE}/extend")
def extend_invitation(organization_id: UUID, invitation_id: UUID) -> ResponseReturnValue:
    with FormErrors():
        invitation = invitations.extend(organization_id, invitation_id, by=current_actor())
        flash(f"Extended. The link now works until {dates.day(invitation.expires_at)}.", "ok")
    return _back(invitation_id)


@pages.post(f"{ONE}/try-now")
def try_invitation_now(organization_id: UUID, invitation_id: UUID) -> ResponseReturnValue:
    with FormErrors():
        invitations.retry_delivery(organization_id, invitation_id, by=current_actor())
        flash("The mail server is asked again now. Reload this page in a moment.", "ok")
    return _back(invitation_id)


@pages.post(f"{ONE}/take-over")
def take_over_invitation(organization_id: UUID, invitation_id: UUID) -> ResponseReturnValue:
    with FormErrors():
        invitations.take_over(organization_id, invitation_id, by=current_actor())
        flash("Taken over. The invitation now counts as sent by you.", "ok")
    return _back(invitation_id)


@pages.route(f"{ONE}/revoke", methods=["GET", "POST"])
def revoke_invitation(organization_id: UUID, invitation_id: UUID) -> ResponseReturnValue:
    principal().check_can("invitations:write")
    if request.method == "POST":
        with FormErrors():
            invitation = invitations.revoke(organization_id, invitation_id, by=current_actor())
            flash(f"Revoked. The link of {short_name(invitation)} no longer works.", "ok")
        return _back(invitation_id)
    invitation = invitations.get(organization_id, invitation_id, by=current_actor())
    return render_page("invitations/revoke.html", invitation=invitation, name=short_name(invitation))


@pages.route(f"{ONE}/link", methods=["GET", "POST"])
def invitation_link(organization_id: UUID, invitation_id: UUID) -> ResponseReturnValue:
    """Showing the link is a deed, written to the audit log, so it takes a POST."""
    principal().check_can("invitations:write")
    principal().check_can("invitations:read")
    security_headers.mark_url_secret()
    link = ""
    if request.method == "POST":
        with FormErrors():
            link = invitations.copy_link(organization_id, invitation_id, by=current_actor())
        if not link:
            return _back(invitation_id)
    invitation = invitations.get(organization_id, invitation_id, by=current_actor())
    return render_page("invitations/link.html", invitation=invitation, name=short_name(invitation), link=link)


def _back(invitation_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("pages.invitation", invitation_id=invitation_id), 303)
