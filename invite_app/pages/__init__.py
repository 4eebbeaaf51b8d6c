"""The HTML pages: forms that check shape, views that call a service and show what it returned."""

from flask import Flask

from . import (  # noqa: F401 - importing a module adds its views to the blueprint
    account,
    error_pages,
    imports,
    invitations,
    invitee,
    members,
    organization,
)
from .blueprint import pages
from .shared import browser_session, dates, layout, security_headers


def register(app: Flask) -> None:
    """Add every page to the application."""
    for part in (layout, security_headers, browser_session, dates):
        part.register(app)
    app.register_blueprint(pages)
