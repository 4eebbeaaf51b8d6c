"""flask invite: one person, or everybody on a list."""

from collections.abc import Iterable, Iterator
from itertools import islice, tee
from pathlib import Path
from uuid import UUID

import click

from invite_app.errors import DomainError
from invite_app.models import Workspace
from invite_app.models.types import casefolded
from invite_app.services import imports, invitations, organizations, workspaces

from . import lists
from .commands import OPERATOR, Commands
from .output import Facts, Result

commands = Commands()
Listed = tuple[lists.Person, invitations.Draft]


@commands.command("invite")
@click.argument("organization")
@click.argument("email", required=False)
@click.option("--role", help="What they may do. With a list: of those rows that name none.")
@click.option("--workspace", "chosen", multiple=True, metavar="ID", help="By id or name; may be repeated.")
@click.option("--given-name")
@click.option("--family-name")
@click.option("--note", default="", help="A personal word in the mail.")
@click.option("--csv", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A list of people.")
@click.option("--dry-run", is_flag=True, help="With a list: send nothing, only say what would happen.")
def invite(
    *,
    organization: str,
    email: str | None,
    role: str | None,
    chosen: tuple[str, ...],
    given_name: str | None,
    family_name: str | None,
    note: str,
    file: Path | None,
    dry_run: bool,
) -> Result:
    """Invite EMAIL, or everybody on a list: CSV with columns email, given_name, family_name, role, workspaces."""
    _check_usage(email, role, file, dry_run)
    organization_id = organizations.resolve_id(organization)
    known = workspaces.list_all(organization_id, by=OPERATOR)
    if file is not None:
        people = ((person, _draft(person, role or "", chosen, note, known)) for person in lists.read(file))
        return _tell(
            _check_all(organization_id, people) if dry_run else _invite_all(organization_id, people), dry_run
        )
    ids = _workspace_ids(chosen, known)
    draft = invitations.Draft(email or "", role or "", given_name, family_name, ids, note)
    sent = invitations.send(organization_id, draft, by=OPERATOR)
    return Result({"invitation_id": sent.id, "email": sent.email}, message=f"Invited {sent.email}.")


def _check_usage(email: str | None, role: str | None, file: Path | None, dry_run: bool) -> None:
    if (email is None) == (file is None):
        raise click.UsageError("Name an EMAIL, or a list with --csv.")
    if email is not None and role is None:
        raise click.UsageError("Missing option '--role'.")
    if dry_run and file is None:
        raise click.UsageError("--dry-run needs a list: --csv.")


def _draft(
    person: lists.Person, role: str, chosen: tuple[str, ...], note: str, known: list[Workspace]
) -> invitations.Draft:
    return invitations.Draft(
        person.email,
        person.role or role,
        person.given_name or None,
        person.family_name or None,
        _workspace_ids(person.workspaces or chosen, known),
        note,
    )


def _workspace_ids(chosen: tuple[str, ...], known: list[Workspace]) -> list[UUID | str]:
    """Ids for names; what is no name passes as it is, for the service to judge."""
    by_name: dict[str, UUID] = {workspace.folded_name: workspace.id for workspace in known}
    return [by_name.get(casefolded(item), item) for item in chosen]


def _check_all(organization_id: UUID, people: Iterable[Listed]) -> Iterator[Facts]:
    people, same = tee(people)
    results = imports.dry_run_each(organization_id, (draft for _, draft in same), by=OPERATOR)
    for (person, _), result in zip(people, results, strict=True):
        yield _result(person, result.error, "ready")


def _invite_all(organization_id: UUID, people: Iterable[Listed]) -> Iterator[Facts]:
    """However long the list is, no more of it than one sending takes is held at a time."""
    people = iter(people)
    while part := list(islice(people, imports.MAX_ROWS)):
        _, results = imports.send_batch(organization_id, [draft for _, draft in part], by=OPERATOR)
        for (person, _), result in zip(part, results, strict=True):
            yield _result(person, result.error, "invited")


def _tell(results: Iterator[Facts], dry_run: bool) -> Result:
    """All rows, or of a list that is longer than one sending the refused ones."""
    total, rows, refused = 0, list[Facts](), list[Facts]()
    for row in results:
        total += 1
        refused += [row] if row["result"] == "refused" else []
        if total <= imports.MAX_ROWS:
            rows.append(row)
    good = total - len(refused)
    message = f"{good} of {total} {'are ready; nothing was sent' if dry_run else 'invited'}."
    return Result(rows if total <= imports.MAX_ROWS else refused, message=message, ok=not refused)


def _result(person: lists.Person, obstacle: DomainError | None, done: str) -> Facts:
    return {
        "row": person.row,
        "email": person.email,
        "result": "refused" if obstacle else done,
        "reason": str(obstacle) if obstacle else None,
    }
