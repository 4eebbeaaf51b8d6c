"""flask backup: a copy of the embedded database."""

import shlex
import sqlite3
from pathlib import Path

import click

from invite_app.services import backups

from .commands import Commands
from .output import Result

commands = Commands()


@commands.command("backup", needs_database=False)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> Result:
    """Copy the SQLite database into a new FILE while others use it. For PostgreSQL, say how pg_dump does it."""
    if not backups.is_possible():
        name = shlex.quote(str(file))
        raise click.ClickException(
            "PostgreSQL has its own program for this. Run: "
            f'(umask 077; pg_dump --format=custom --no-owner --file={name} "$INVITE_DATABASE_URL")'
        )
    try:
        size = backups.write(file)
    except FileExistsError:
        raise click.ClickException(f"{file} exists. Name a new file.") from None
    except (OSError, sqlite3.Error, backups.NoBackup) as error:
        raise click.ClickException(f"There is no backup: {error}") from None
    return Result(
        {"file": str(file.absolute()), "bytes": size},
        message="The database is copied.",
        hint="Keep the secret key with it, at another place: links and sessions are worth nothing without it.",
    )
