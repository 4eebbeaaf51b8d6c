"""Resend, extend or revoke many invitations, after a look at what that would do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField

from invite_app.errors import (
    AlreadyMember,
    CannotGrantRole,
    DomainError,
    DomainNotAllowed,
    InvitationClosed,
    InvitationPending,
    RateLimited,
    RoleDeleted,
    SeatLimitReached,
    TooManyRows,
)
from invite_app.models import Invitation, InvitationState
from invite_app.models.types import now
from invite_app.pages.blueprint import pages
from invite_app.pages.shared import (
    ErrorText,
    ErrorTexts,
    FormErrors,
    SelectionForm,
    current_actor,
    dates,
    form_errors,
    principal,
    render_page,
)
from invite_app.services import invitations
from invite_app.services.invitations import BulkAction, BulkResult, Extend, Filter, Revoke, SendAgain, Skipped

from . import filters
from .filters import EXTEND, RESEND, REVOKE
from .list_page import ALL

NONE = "Select at least one invitation first."
TOO_MANY: ErrorTexts = {
    TooManyRows: ErrorText(
        "", lambda error: f"{error.rows:,} are selected; {error.limit:,} fit. Narrow the list first."
    )
}
# Number of skipped rows that a message names.
MAX_NAMED = 5


ENDED = {
    InvitationState.ACCEPTED: "has accepted",
    InvitationState.DECLINED: "has declined",
    InvitationState.REVOKED: "is revoked",
    InvitationState.EXPIRED: "has ended; send a fresh one instead",
}
WHY: Mapping[type[DomainError], Callable[[Any], str]] = {
    InvitationClosed: lambda error: ENDED[error.state],
    AlreadyMember: lambda _: "is a member by now",
    InvitationPending: lambda _: "is invited again already",
    DomainNotAllowed: lambda error: f"only addresses at {' or '.join(error.domains)} are allowed",
    SeatLimitReached: lambda error: f"all {error.limit:,} seats are in use",
    RoleDeleted: lambda error: f"the role “{error.role}” no longer exists",
    CannotGrantRole: lambda error: f"you cannot grant {error.role}",
    RateLimited: lambda _: "got too many emails lately",
}


class InvitationSelectionForm(SelectionForm):
    filters = ("state", "soon", "role", "q")

    state = HiddenField()
    soon = HiddenField()
    role = HiddenField()
    q = HiddenField()

    @property
    def only(self) -> Filter | None:
        """None when none is selected."""
        if self.all.data:
            return filters.read(self.narrows).only
        return Filter(invitation_ids=self.id.data) if self.id.data else None


@dataclass(frozen=True)
class BulkActionPage:
    """One deed in words; `{}` in `button` and `done` stands for how many."""

    action: Callable[[], BulkAction]
    endpoint: str
    label: str
    button: str
    icon: str
    done: str
    danger: bool = False


PAGES: Mapping[str, BulkActionPage] = {
    RESEND: BulkActionPage(
        SendAgain, "pages.resend_invitations", "Send again", "Send {} again", "send", "{} sent again."
    ),
    EXTEND: BulkActionPage(
        Extend, "pages.extend_invitations", "Extend", "Extend {}", "calendar-plus", "{} extended by 7 days."
    ),
    REVOKE: BulkActionPage(
        Revoke, "pages.revoke_invitations", "Revoke", "Revoke {}", "ban", "{} revoked.", danger=True
    ),
}


@pages.route(f"{ALL}/send-again", methods=["GET", "POST"])
def resend_invitations(organization_id: UUID) -> ResponseReturnValue:
    return _page(organization_id, RESEND)


@pages.route(f"{ALL}/extend", methods=["GET", "POST"])
def extend_invitations(organization_id: UUID) -> ResponseReturnValue:
    return _page(organization_id, EXTEND)


@pages.route(f"{ALL}/revoke", methods=["GET", "POST"])
def revoke_invitations(organization_id: UUID) -> ResponseReturnValue:
    return _page(organization_id, REVOKE)


def _page(organization_id: UUID, name: str) -> ResponseReturnValue:
    principal().check_can("invitations:write")
    act, form = PAGES[name], InvitationSelectionForm()
    only = form.only
    if only is None:
        flash(NONE, "warn")
        return redirect(url_for("pages.invitations", **form.place), 303)
    report = None
    with FormErrors(rows=TOO_MANY):
        report = invitations.preview_bulk(organization_id, only, act.action(), by=current_actor())
    if report is None:
        return redirect(url_for("pages.invitations", **form.place), 303)
    if request.method == "POST" and form.validate() and form.has_shown(report.total):
        with FormErrors(form, TOO_MANY):
            _say(act, invitations.apply_bulk(organization_id, only, act.action(), by=current_actor()))
            return redirect(url_for("pages.invitations", **form.place), 303)
    return render_page(
        f"invitations/bulk_{name}.html",
        status=form.status,
        form=form,
        act=act,
        report=report,
        people=[_name(one) for one in report.done],
        done=_invitations(len(report.done)),
        selected=_share(report),
        left_out=[_why(one) for one in report.left_out],
        works_until=dates.day(now() + principal().organization.invitation_lifetime),
    )


def _say(act: BulkActionPage, report: BulkResult) -> None:
    if report.done:
        flash(act.done.format(_invitations(len(report.done))), "ok")
    if report.left_out:
        named = [_why(one) for one in report.left_out[:MAX_NAMED]]
        more = len(report.left_out) - len(named)
        rest = [f"and {more:,} more"] if more else []
        flash(f"{len(report.left_out):,} of {report.total:,} left out: {'; '.join([*named, *rest])}.", "warn")


def _share(report: BulkResult) -> str:
    """Return the share of affected rows, for the title of the page."""
    if not report.left_out or not report.done:
        return _invitations(report.total)
    return f"{len(report.done):,} of {_invitations(report.total)}"


def _invitations(number: int) -> str:
    return f"{number:,} invitation{'s' if number != 1 else ''}"


def _why(left_out: Skipped) -> str:
    """'Ana Sousa (already accepted)'."""
    error = left_out.why
    say = next((WHY[kind] for kind in type(error).__mro__ if kind in WHY), form_errors.message)
    return f"{_name(left_out.invitation)} ({str(say(error)).rstrip('.')})"


def _name(invitation: Invitation) -> str:
    return invitation.name or invitation.email
