"""Inviting many: the list as it is judged, row by row, each of which can be mended where it stands."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from invite_app.models import Role
from invite_app.models.types import now
from invite_app.pages.blueprint import pages
from invite_app.pages.shared import FormErrors, Links, csv_download, current_actor, principal, render_page
from invite_app.services import imports, roles, suggestions
from invite_app.services.imports import PAGE, ImportSummary, Row

from .start import ONE

TABS = {
    "not_ready": "Not ready",
    "fix": "Fix",
    "check": "Check",
    "no_seat": "No seat",
    "skipped": "Skipped",
    "ready": "Ready",
    "sent": "Sent",
}
BADGES = {
    "fix": ("bad", "alert-circle", "Fix"),
    "check": ("warn", "wand", "Check"),
    "no_seat": ("warn", "armchair", "No seat"),
    "skipped": ("off", "minus", "Skipped"),
    "ready": ("ok", "circle-check", "Ready"),
    "sent": ("wait", "send", "Sent"),
}
# Cells that can be corrected.
LABELS = {
    "email": "Email",
    "role": "Role",
    "workspaces": "Workspaces",
    "given_name": "Given name",
    "family_name": "Family name",
}
TO_MEND = ("fix", "check")


@dataclass(frozen=True)
class ReviewRow:
    """A row in words: what is said of it, and the cell to mend with what the cell holds now."""

    position: int
    name: str
    email: str
    place: str
    state: str
    reason: str
    field: str
    value: str
    suggestion: str
    invitation_id: UUID | None

    @property
    def badge(self) -> tuple[str, str, str]:
        return BADGES[self.state]

    @property
    def label(self) -> str:
        return LABELS[self.field]

    @property
    def domain(self) -> str:
        return self.suggestion.rpartition("@")[2]

    @property
    def wants_mending(self) -> bool:
        return self.state in TO_MEND


@pages.get(ONE)
def check_list(organization_id: UUID, sheet_id: UUID) -> ResponseReturnValue:
    summary = imports.summarize(organization_id, sheet_id, by=current_actor())
    section = request.args.get("section", "")
    section = section if section in TABS else _first_section(summary)
    page = max(request.args.get("page", 1, type=int), 1)
    found = imports.list_rows(organization_id, sheet_id, section, by=current_actor(), page=page)
    all_roles = roles.list_all(organization_id, by=current_actor())
    rows = [_shown(row, summary, all_roles) for row in found]
    return render_page(
        "invite_many/check.html",
        summary=summary,
        rows=rows,
        focus=_to_focus(rows, request.args.get("after", -1, type=int)),
        roles=[role for role in all_roles if principal().can_grant(role)],
        tabs=_tabs(summary, section),
        section=section,
        number=page,
        page=_links(summary, section, page),
    )


@pages.post(f"{ONE}/rows/<int:position>")
def mend_row(organization_id: UUID, sheet_id: UUID, position: int) -> ResponseReturnValue:
    """Write a cell anew, or keep the address; then on to the next row."""
    cells = {name: request.form[name] for name in LABELS if name in request.form}
    row = imports.update_cells(
        organization_id, sheet_id, position, cells, by=current_actor(), keep="keep" in request.form
    )
    is_mended = row.state not in TO_MEND
    flash(f"Row {position}: {BADGES[row.state][2].lower()}.", "ok" if is_mended else "warn")
    after = position if is_mended else position - 1
    return redirect(_address(sheet_id, request.form, after=after), 303)


@pages.post(f"{ONE}/send")
def send_list(organization_id: UUID, sheet_id: UUID) -> ResponseReturnValue:
    with FormErrors():
        imports.send(organization_id, sheet_id, by=current_actor())
        return redirect(url_for("pages.list_progress", sheet_id=sheet_id), 303)
    return redirect(url_for("pages.check_list", sheet_id=sheet_id), 303)


@pages.get(f"{ONE}/rest")
def list_rest(organization_id: UUID, sheet_id: UUID) -> ResponseReturnValue:
    """The rows that were not sent, for mending in a spreadsheet; the file can be chosen for the next list."""
    rest = imports.unsent_rows(organization_id, sheet_id, by=current_actor())
    head, *rows = imports.format_rows([line for line, _ in rest])
    reasons = [reason for _, reason in rest]
    lines = [[*row, reason] for row, reason in zip(rows, reasons, strict=True)]
    return csv_download.download(f"not-sent-{now():%Y-%m-%d}.csv", [*head, "reason"], lines)


def _first_section(summary: ImportSummary) -> str:
    """Return the first section with rows to fix."""
    return next((name for name in ("not_ready", "ready", "sent") if getattr(summary, name)), "not_ready")


def _tabs(summary: ImportSummary, section: str) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "href": url_for("pages.check_list", sheet_id=summary.sheet.id, section=name),
            "count": getattr(summary, name),
            "current": name == section,
            "bad": name == "fix",
        }
        for name, label in TABS.items()
        if name != "sent" or summary.sent
    ]


def _links(summary: ImportSummary, section: str, page: int) -> Links:
    total: int = getattr(summary, section)

    def at(number: int) -> str | None:
        exists = 1 <= number <= max(-(-total // PAGE), 1)
        return (
            url_for("pages.check_list", sheet_id=summary.sheet.id, section=section, page=number) if exists else None
        )

    return Links(total, back=at(page - 1), next=at(page + 1))


def _address(sheet_id: UUID, form: Any, *, after: int) -> str:
    """The page of the list that a row's form stands on; `after` is the row from which the next one is looked for."""
    section = form.get("section", "")
    page = form.get("page", 1, type=int)
    return url_for("pages.check_list", sheet_id=sheet_id, section=section, page=page, after=after)


def _to_focus(rows: list[ReviewRow], after: int) -> int | None:
    """The row to mend next, once one has been: the first below it, or else the first of the page."""
    if after < 0:
        return None
    waiting = [row.position for row in rows if row.wants_mending]
    return next((position for position in waiting if position > after), next(iter(waiting), None))


def _without(email: str, reason: str) -> str:
    """The reason without the address, which stands in the same row."""
    _, names_it, rest = reason.partition(f"{email.lower()} is ")
    return f"{rest[0].upper()}{rest[1:]}" if names_it else reason


def _shown(found: Row, summary: ImportSummary, all_roles: list[Role]) -> ReviewRow:
    row, sheet = found.row, summary.sheet
    field = row.field if row.field in LABELS else "email"
    reason, guess = _without(row.email, row.reason), None
    if found.state == "no_seat":
        free = f"{summary.ready:,} seat{' is' if summary.ready == 1 else 's are'} free"
        reason = f"{free}; this is number {found.seat:,}."
    elif row.field == "role" and (guess := suggestions.closest_name(row.role, [role.name for role in all_roles])):
        reason = f"{reason} Did you mean {guess}?"
    return ReviewRow(
        position=row.position,
        name=f"{row.given_name} {row.family_name}".strip() or "No name",
        email=row.email,
        place=_place(row.role or sheet.role, row.workspaces or sheet.workspaces, all_roles),
        state=found.state,
        reason=reason,
        field=field,
        value=guess or ("; ".join(row.workspaces) if field == "workspaces" else getattr(row, field)),
        suggestion=row.suggestion,
        invitation_id=row.invitation_id,
    )


def _place(role: str, names: list[str], all_roles: list[Role]) -> str:
    """'Member · Research, Sales'."""
    name = next((one.name for one in all_roles if one.key == role), role)
    return f"{name} · {', '.join(names)}" if names else name
