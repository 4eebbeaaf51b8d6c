"""API documentation: `/openapi.json` for programs, `/docs` for people."""

from collections.abc import Sequence
from functools import cache

from flask import Blueprint, Response, current_app, render_template
from flask.typing import ResponseReturnValue

from . import openapi
from .dialect import Dialect, written


def blueprint(dialects: Sequence[Dialect]) -> Blueprint:
    """Return the documentation routes; the document is built and cached on the first request."""
    docs = Blueprint("docs", __name__)

    @cache
    def made(server: str) -> bytes:
        return written(openapi.document(dialects, server=server))

    @docs.get("/openapi.json")
    def document() -> ResponseReturnValue:
        return Response(made(current_app.config["EXTERNAL_URL"]), content_type="application/json")

    @docs.get("/docs")
    def page() -> ResponseReturnValue:
        return render_template("docs/page.html")

    return docs
