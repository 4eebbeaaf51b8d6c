"""The operator's commands, one module per group."""

from flask import Flask

from . import api_keys, demo, invitations, links, organizations, outbox, serving, users, workspaces

GROUPS = (organizations, users, workspaces, api_keys, outbox)
SINGLE = (invitations, links, demo)


def register(app: Flask) -> None:
    """Add every command to the application, and greet whoever starts it with `flask run`."""
    for module in GROUPS:
        app.cli.add_command(module.group)
    for module in SINGLE:
        for command in module.commands.commands.values():
            app.cli.add_command(command)
    serving.prepare(app)
