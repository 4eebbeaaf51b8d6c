"""What `flask run` does before it serves: it makes the database ready and says where to go. Never under gunicorn."""

import click
from flask import Flask
from werkzeug.serving import is_running_from_reloader

from invite_app import worker
from invite_app.services import organizations

from .links import setup_url


def prepare(app: Flask) -> None:
    """Greet whoever has started the server by hand; once, although the reloader makes the application twice."""
    context = click.get_current_context(silent=True)
    if context is None or context.info_name != "run" or is_running_from_reloader():
        return
    worker.migrate_sqlite(app)
    with app.app_context():
        click.echo(f" * invite_app is at {app.config['EXTERNAL_URL']}")
        if not organizations.is_set_up():
            click.echo(f" * Set it up, once: {setup_url()}")
