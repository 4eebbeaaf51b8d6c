"""Inviting many: how far the mails are. The page asks again by itself until all have been tried."""

from datetime import timedelta
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from invite_app.pages.blueprint import pages
from invite_app.pages.invitations import why
from invite_app.pages.shared import HOUR, MINUTE, current_actor, render_page
from invite_app.services import imports

from .start import ONE


@pages.get(f"{ONE}/progress")
def list_progress(organization_id: UUID, sheet_id: UUID) -> ResponseReturnValue:
    progress = imports.get_progress(organization_id, sheet_id, by=current_actor())
    if not progress.total:
        return redirect(url_for("pages.check_list", sheet_id=sheet_id), 303)
    failed = imports.list_failed(organization_id, sheet_id, by=current_actor()) if progress.failed else ()
    return render_page(
        "invite_many/progress.html",
        progress=progress,
        left=_words(progress.left),
        failed=[(invitation, why(invitation)) for invitation in failed],
        sheet_id=sheet_id,
        is_asked_again="HX-Request" in request.headers,
    )


@pages.post(f"{ONE}/try-again")
def try_list_again(organization_id: UUID, sheet_id: UUID) -> ResponseReturnValue:
    number = imports.retry_failed(organization_id, sheet_id, by=current_actor())
    flash(f"{number:,} wait{'s' if number == 1 else ''} for the mail server again.", "ok")
    return redirect(url_for("pages.list_progress", sheet_id=sheet_id), 303)


@pages.route(f"{ONE}/stop", methods=["GET", "POST"])
def stop_list(organization_id: UUID, sheet_id: UUID) -> ResponseReturnValue:
    waiting = imports.count_waiting(organization_id, sheet_id, by=current_actor())
    here = url_for("pages.list_progress", sheet_id=sheet_id)
    if request.method == "POST":
        flash(_stopped(imports.stop(organization_id, sheet_id, by=current_actor())), "ok")
        return redirect(here, 303)
    if not waiting:
        return redirect(here, 303)
    progress = imports.get_progress(organization_id, sheet_id, by=current_actor())
    return render_page("invite_many/stop.html", waiting=waiting, taken=progress.sent, sheet_id=sheet_id)


def _stopped(number: int) -> str:
    if not number:
        return "There was nothing left to stop."
    what, whose = ("1 email was", "Its row is") if number == 1 else (f"{number:,} emails were", "Their rows are")
    return f"Stopped. {what} not sent. {whose} on the list again, ready to be sent."


def _words(left: timedelta | None) -> str:
    """'about 4 minutes left', and nothing while that cannot be said."""
    if left is None:
        return ""
    if left < MINUTE:
        return "less than a minute left"
    unit, word = (MINUTE, "minute") if left < 2 * HOUR else (HOUR, "hour")
    number = round(left / unit)
    return f"about {number} {word}{'s' if number != 1 else ''} left"
