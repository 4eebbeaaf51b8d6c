"""The operator's commands, one module per group."""

import click
from flask import Flask
from flask.cli import AppGroup


class LazyCommands(AppGroup):
    """The application's commands, imported on first use so that servers start without them."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        self._add_all()
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._add_all()
        return super().list_commands(ctx)

    def _add_all(self) -> None:
        from flask_migrate.cli import db as migrations  # noqa: PLC0415 - see above

        from . import (  # noqa: PLC0415 - see above
            api_keys,
            audit,
            backup,
            commands,
            demo,
            invitations,
            links,
            organizations,
            outbox,
            users,
            workspaces,
        )

        self.add_command(commands.Migrations(migrations))
        for group in (organizations, users, workspaces, api_keys, outbox, audit):
            self.add_command(group.group)
        for single in (invitations, links, demo, backup):
            for command in single.commands.commands.values():
                self.add_command(command)


def register(app: Flask) -> None:
    """Add every command to the application, and greet whoever starts it with `flask run`."""
    app.cli = LazyCommands(app.name)
    if click.get_current_context(silent=True) is not None:
        from . import serving  # noqa: PLC0415 - no other server greets

        serving.prepare(app)
