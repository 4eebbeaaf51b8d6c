"""Inviting many: the first page, where a list is pasted or a file is chosen, and what opens and drops it."""

from io import SEEK_END
from typing import IO
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.file import FileField
from werkzeug.exceptions import RequestEntityTooLarge
from wtforms import HiddenField, SelectField, SelectMultipleField, TextAreaField, ValidationError

from invite_app.errors import (
    BatchNotFound,
    CannotGrantRole,
    DomainError,
    EmptyImport,
    ImportNotFound,
    RoleNotFound,
    TooManyRows,
    UnreadableImport,
)
from invite_app.models import Import
from invite_app.models.roles import MEMBER
from invite_app.pages.blueprint import large_form, pages
from invite_app.pages.shared import (
    ErrorText,
    FormErrors,
    PageForm,
    choice,
    csv_download,
    current_actor,
    form_errors,
    principal,
    render_page,
    role_choices,
)
from invite_app.services import imports, invitations, roles, workspaces
from invite_app.web.request_limits import KIB, MIB

HERE = "/organizations/<uuid:organization_id>/invitations/bulk"
ONE = f"{HERE}/<uuid:sheet_id>"
LARGEST_FILE = 10 * MIB
# Larger than the largest file, so that the page can show the typed text beside a file that is too large.
LARGEST_FORM = 32 * MIB
EXAMPLE = (
    ("ana.sousa@example.com", "Ana", "Sousa", "Member", ""),
    ("bo.ek@example.com", "Bo", "Ek", "Admin", ""),
)
ROWS = {
    EmptyImport: ErrorText("text", lambda _: "Paste a list, or choose a file with at least one person on it."),
    UnreadableImport: ErrorText("file"),
    TooManyRows: ErrorText("text", lambda error: f"{error} Take some out, and send them as another list."),
    RoleNotFound: ErrorText("role"),
    CannotGrantRole: ErrorText("role", form_errors.message),
}


class StartForm(PageForm):
    text = TextAreaField("The list")
    file = FileField("Or a file")
    # Set by the page's script, which does not send a file that is too large.
    too_large = HiddenField()
    role = SelectField("Role", validate_choice=False, default=MEMBER)
    workspaces = SelectMultipleField("Workspaces", validate_choice=False)

    def validate_file(self, field: FileField) -> None:
        if self.too_large.data or (field.data and _size(field.data.stream) > LARGEST_FILE):
            self.too_large.data = ""
            if field.data:
                field.data.close()
            limit = f"This file is larger than {LARGEST_FILE // MIB} MiB."
            raise ValidationError(f"{limit} Choose a smaller one, or send the list in parts.")

    def list_text(self) -> str:
        """Return the text of the chosen file, else the pasted text. Raises UnreadableImport.

        The text is put into the box, since a browser sends no file twice.
        """
        if self.file.data:
            with self.file.data.stream as file:
                self.text.data = imports.decode(file.read())
        return self.text.data or ""


@pages.route(HERE, methods=["GET", "POST"])
@large_form("invitations:write", size=LARGEST_FORM)
def invite_many(organization_id: UUID) -> ResponseReturnValue:
    principal().check_can("invitations:write")
    form = StartForm()
    form.role.choices = role_choices(roles.list_all(organization_id, by=current_actor()), principal())
    rooms = workspaces.list_all(organization_id, by=current_actor())
    form.workspaces.choices = [choice(room.name, room.name) for room in rooms]
    if form.validate_on_submit():
        with FormErrors(form, ROWS):
            sheet = _create(organization_id, form)
            return redirect(url_for("pages.check_list", sheet_id=sheet.id), 303)
    return render_page(
        "invite_many/start.html",
        status=form.status,
        form=form,
        obstacle="" if form.errors else _obstacle(),
        largest_file=LARGEST_FILE,
    )


@pages.get(f"{HERE}/example")
def example_list(organization_id: UUID) -> ResponseReturnValue:  # noqa: ARG001 - the address names it
    principal().check_can("invitations:write")
    return csv_download.download("invite-example.csv", imports.COLUMNS, EXAMPLE)


@pages.route(f"{ONE}/start-over", methods=["GET", "POST"])
def drop_list(organization_id: UUID, sheet_id: UUID) -> ResponseReturnValue:
    if request.method == "POST":
        imports.delete(organization_id, sheet_id, by=current_actor())
        flash("The list is gone.", "ok")
        return redirect(url_for("pages.invite_many"), 303)
    return render_page(
        "invite_many/drop.html", summary=imports.summarize(organization_id, sheet_id, by=current_actor())
    )


@pages.errorhandler(ImportNotFound)
@pages.errorhandler(BatchNotFound)
def show_no_such_list(_: DomainError) -> ResponseReturnValue:
    return render_page("errors/404.html", status=404)


@pages.errorhandler(RequestEntityTooLarge)
def show_too_large(_: RequestEntityTooLarge) -> ResponseReturnValue:
    most, fields = request.max_content_length or 0, request.max_form_parts or 0
    limit = f"a form may have up to {_in_words(most)} and {fields:,} fields"
    if request.endpoint == "pages.invite_many" and most > LARGEST_FILE:
        limit = f"a file may have up to {_in_words(LARGEST_FILE)}"
    sentence = f"This is too large: {limit}. Go back and send less."
    return render_page("errors/400.html", status=413, sentence=sentence)


def _in_words(size: int) -> str:
    return f"{size // MIB} MiB" if size >= MIB else f"{size // KIB} KiB"


def _size(stream: IO[bytes]) -> int:
    size = stream.seek(0, SEEK_END)
    stream.seek(0)
    return size


def _create(organization_id: UUID, form: StartForm) -> Import:
    lines = imports.parse(form.list_text())
    names = form.workspaces.data or ()
    return imports.create(organization_id, lines, by=current_actor(), role=form.role.data or "", workspaces=names)


def _obstacle() -> form_errors.Text:
    """Return the error that every list would get, to show before one is pasted."""
    try:
        invitations.check_plan(principal().organization)
    except DomainError as error:
        return form_errors.message(error)
    return ""
