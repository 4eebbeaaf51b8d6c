"""The JSON endpoints, one module per dialect."""

from flask import Flask

from . import health


def register(app: Flask) -> None:
    """Add every endpoint to the application."""
    app.register_blueprint(health.blueprint)
