"""The JSON endpoints, one module or package per dialect."""

from flask import Flask

from . import dialect, docs, health, metrics
from .almanac import almanac
from .clerk import clerk
from .deepset import deepset
from .trieve import trieve

DIALECTS = (deepset, clerk, trieve, almanac)


def register(app: Flask) -> None:
    """Add every endpoint to the application."""
    app.register_blueprint(health.blueprint)
    app.register_blueprint(metrics.blueprint)
    app.register_blueprint(docs.blueprint(DIALECTS))
    dialect.register(app, DIALECTS)
