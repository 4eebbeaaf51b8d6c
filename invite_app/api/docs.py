"""The API's own description: `/openapi.json` for programs, `/docs` for people."""

from collections.abc import Sequence
from functools import cache

from flask import Blueprint, Response, current_app, render_template
from flask.typing import ResponseReturnValue

from . import openapi
from .dialect import Dialect, written


def blueprint(dialects: Sequence[Dialect]) -> Blueprint:
    """The pages that describe these dialects; the document is made when it is first asked for."""
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
