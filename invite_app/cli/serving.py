"""Preparations of `flask run`: migrate the database and print the URLs. Never used under gunicorn."""

import click
from flask import Flask
from werkzeug.serving import is_running_from_reloader

from invite_app import worker
from invite_app.services import organizations

from .links import setup_url


def prepare(app: Flask) -> None:
    """Migrate the database and print the URLs, once although the reloader builds the application twice."""
    context = click.get_current_context(silent=True)
    if context is None or context.info_name != "run" or is_running_from_reloader():
        return
    worker.migrate_sqlite(app)
    with app.app_context():
        click.echo(f" * invite_app is at {app.config['EXTERNAL_URL']}")
        if not organizations.is_set_up():
            click.echo(f" * Set it up, once: {setup_url()}")
