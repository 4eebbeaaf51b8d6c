"""Answering an offer to become owner, which stands on the overview of the two people it concerns."""

from uuid import UUID

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from invite_app.services import members

from .blueprint import pages
from .shared import Attempt, actor, standing

HERE = "/organizations/<uuid:organization_id>/ownership"


@pages.post(f"{HERE}/accept")
def become_owner(organization_id: UUID) -> ResponseReturnValue:
    with Attempt():
        members.accept_transfer(organization_id, by=actor())
        flash(f"You are an owner of {standing().organization.name} now.", "ok")
    return redirect(url_for("pages.overview"), 303)


@pages.post(f"{HERE}/decline")
def decline_ownership(organization_id: UUID) -> ResponseReturnValue:
    """For the one who was asked, and for the one who asked and takes it back."""
    with Attempt():
        members.decline_transfer(organization_id, by=actor())
        flash("The offer is gone. Nobody's role has changed.", "ok")
    return redirect(url_for("pages.overview"), 303)
