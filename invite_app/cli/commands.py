"""The base of all commands: a migrated database, output as text or JSON, and one-line errors."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from invite_app import db, worker
from invite_app.access import OperatorActor
from invite_app.db.retries import retry
from invite_app.errors import DomainError, InvalidValue
from invite_app.services import audit

from .output import Result, show

OPERATOR = OperatorActor()
BY_OPERATOR = audit.AuditActor("operator", None, "The operator")


class Commands(click.Group):
    """A group of commands that return a Result. Each has `--json`, and exits with 1 unless the result is ok.

    With `needs_database=False` a command runs without checking or migrating the database.
    """

    def command(  # type: ignore[override]
        self, name: str, *, needs_database: bool = True, **options: Any
    ) -> Callable[[Callable[..., Result]], click.Command]:
        def register(function: Callable[..., Result]) -> click.Command:
            decorate: Any = click.command(name, **options)
            made: click.Command = decorate(with_appcontext(_answering(function, needs_database)))
            made.params.append(click.Option(["--json", "as_json"], is_flag=True, help="Answer with JSON."))
            self.add_command(made)
            return made

        return register


def _answering(function: Callable[..., Result], needs_database: bool) -> Callable[..., None]:
    @wraps(function)
    def run(*args: Any, as_json: bool, **options: Any) -> None:
        with _errors_in_one_line():
            if needs_database:
                _prepare_database()
            answer = retry(partial(function, *args, **options))
            show(answer, as_json=as_json)
        if not answer.ok:
            raise click.exceptions.Exit(1)

    return run


@contextmanager
def _errors_in_one_line() -> Iterator[None]:
    try:
        yield
    except InvalidValue as error:
        raise click.ClickException(f"{error.field.replace('_', ' ')}: {error}") from None
    except DomainError as error:
        raise click.ClickException(str(error)) from None
    except SQLAlchemyError as error:
        raise unusable(error) from None


class Migrations(click.Group):
    """Flask-Migrate's commands, which by themselves answer with a traceback where no database does."""

    def __init__(self, theirs: click.Group) -> None:
        super().__init__(
            theirs.name, theirs.commands, params=theirs.params, callback=theirs.callback, help=theirs.help
        )

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DBAPIError as error:
            if error.statement is not None:  # a migration that fails has more to tell
                raise
            raise unusable(error) from None


def unusable(error: SQLAlchemyError) -> click.ClickException:
    """Return the error message of a command that cannot use the database."""
    reason = str(getattr(error, "orig", None) or type(error).__name__).partition("\n")[0]
    return click.ClickException(f"The database cannot be used: {reason}")


def _prepare_database() -> None:
    worker.migrate_sqlite(current_app)
    if not db.is_current():
        raise click.ClickException("Migrations are missing. Run: flask db upgrade")


def read_password(is_wanted: bool) -> str | None:
    """Read a password from standard input, which keeps it out of process lists and shell history."""
    return sys.stdin.readline().rstrip("\r\n") if is_wanted else None


password_option = click.option("--password-stdin", is_flag=True, help="Read the password, one line, from stdin.")
