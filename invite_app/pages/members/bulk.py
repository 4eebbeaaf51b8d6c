"""Change or remove many members, after a look at what that would do."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, HiddenField, RadioField, SelectMultipleField
from wtforms.validators import DataRequired

from invite_app.errors import CannotGrantRole, RoleNotFound
from invite_app.models import Membership
from invite_app.pages.blueprint import large_form, pages
from invite_app.pages.shared import (
    ErrorText,
    ErrorTexts,
    FormErrors,
    SelectionForm,
    choice,
    current_actor,
    form_errors,
    principal,
    render_page,
    workspace_choices,
)
from invite_app.services import cross_search, members
from invite_app.services.members import (
    BulkAction,
    BulkResult,
    ChangeRole,
    ChangeWorkspaces,
    Filter,
    Remove,
    Skipped,
    SkipReason,
)

from . import filters
from .form import lines, withheld
from .list_page import ALL

REFUSALS: ErrorTexts = {kind: ErrorText("new_role", form_errors.message) for kind in (RoleNotFound, CannotGrantRole)}
DONE = {
    "role": "{} got another role.",
    "workspaces": "{} got other workspaces.",
    "remove": "{} removed.",
}
NOBODY = "Select at least one member first."
WHY = {
    SkipReason.YOURSELF: "{} is you",
    SkipReason.ABOVE_OWN: "{} may do more than you",
    SkipReason.LAST_OWNER: "{} is the last owner",
    SkipReason.UNCHANGED: "nothing changes for {}",
}
# Number of skipped rows that a message names.
MAX_NAMED = 5


class MemberSelectionForm(SelectionForm):
    filters = ("q", "role", "workspace")

    q = HiddenField()
    role = HiddenField()
    workspace = HiddenField()

    @property
    def only(self) -> Filter | None:
        """None when nobody is selected."""
        if self.all.data:
            return filters.read(self.narrows).only
        return Filter(user_ids=self.id.data) if self.id.data else None


class RoleForm(MemberSelectionForm):
    new_role = RadioField("New role", [DataRequired("Choose a role.")], validate_choice=False)
    undecided = ChangeRole("")

    def action(self) -> BulkAction:
        return ChangeRole(self.new_role.data or "")


class WorkspacesForm(MemberSelectionForm):
    how = RadioField("What to do", choices=[choice("in", "Put in"), choice("out", "Take out")], default="in")
    workspace_ids = SelectMultipleField(
        "Workspaces", [DataRequired("Choose at least one workspace.")], validate_choice=False
    )
    undecided = ChangeWorkspaces([])

    def action(self) -> BulkAction:
        return ChangeWorkspaces(self.workspace_ids.data or [], out=self.how.data == "out")


class RemovalForm(MemberSelectionForm):
    take_over = BooleanField("Take over their pending invitations", default=True)
    tell = BooleanField("Tell them by email", default=True)
    undecided = Remove()

    def action(self) -> BulkAction:
        return Remove(take_over=self.take_over.data, tell=self.tell.data)


BulkForm = RoleForm | WorkspacesForm | RemovalForm


@pages.route(f"{ALL}/change-role", methods=["GET", "POST"])
def change_roles(organization_id: UUID) -> ResponseReturnValue:
    principal().check_can("members:write")
    form = RoleForm()
    roles, _ = cross_search.filter_options(principal())
    form.new_role.choices = [choice(role.key, role.name) for role in roles]
    return _page(organization_id, form, "role", lines=lines(roles), locked=withheld(roles, principal()))


@pages.route(f"{ALL}/change-workspaces", methods=["GET", "POST"])
@large_form("members:write")
def change_workspaces(organization_id: UUID) -> ResponseReturnValue:
    principal().check_can("members:write")
    form = WorkspacesForm()
    _, workspaces = cross_search.filter_options(principal())
    form.workspace_ids.choices = workspace_choices(workspaces)
    return _page(organization_id, form, "workspaces")


@pages.route(f"{ALL}/remove", methods=["GET", "POST"])
def remove_members(organization_id: UUID) -> ResponseReturnValue:
    principal().check_can("members:write")
    return _page(organization_id, RemovalForm(), "remove")


def _page(organization_id: UUID, form: BulkForm, action: str, **values: Any) -> ResponseReturnValue:
    only = form.only
    if only is None:
        flash(NOBODY, "warn")
        return redirect(url_for("pages.members"), 303)
    is_final = request.method == "POST" and "preview" not in request.form and form.validate()
    report = _preview(organization_id, form, only)
    if is_final and not form.errors and form.has_shown(report.total):
        with FormErrors(form, REFUSALS):
            _say(DONE[action], members.apply_bulk(organization_id, only, form.action(), by=current_actor()))
            return redirect(url_for("pages.members", **form.narrows), 303)
    return render_page(
        f"members/bulk_{action}.html",
        status=form.status,
        form=form,
        report=report,
        people=[_name(one) for one in report.done],
        done=_people(report.done),
        left_out=[_why(one) for one in report.left_out],
        **values,
    )


def _preview(organization_id: UUID, form: BulkForm, only: Filter) -> BulkResult:
    """Return the preview of the chosen action, or of none if the choice is invalid."""
    with FormErrors(form, REFUSALS):
        return members.preview_bulk(organization_id, only, form.action(), by=current_actor())
    return members.preview_bulk(organization_id, only, form.undecided, by=current_actor())


def _say(sentence: str, report: BulkResult) -> None:
    if report.done:
        flash(sentence.format(_people(report.done)), "ok")
    if report.left_out:
        named = [_why(one) for one in report.left_out[:MAX_NAMED]]
        more = len(report.left_out) - len(named)
        rest = [f"and {more:,} more"] if more else []
        flash(f"{len(report.left_out):,} of {report.total:,} left out: {'; '.join([*named, *rest])}.", "warn")


def _people(members: Sequence[Membership]) -> str:
    return _name(members[0]) if len(members) == 1 else f"{len(members):,} people"


def _why(left_out: Skipped) -> str:
    return WHY[left_out.obstacle].format(_name(left_out.member))


def _name(member: Membership) -> str:
    return member.user.name or member.user.email
