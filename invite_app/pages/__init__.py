"""The HTML pages: forms that check shape, views that call a service and show what it returned."""

from flask import Flask


def register(app: Flask) -> None:
    """Add every page to the application."""
