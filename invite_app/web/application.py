"""The Flask application: one place that repeats a request's action, and answers for a database that is busy."""

from typing import Any

from flask import Flask
from flask.typing import ResponseReturnValue

from invite_app.db import busy_fact
from invite_app.db.retries import retry


class Application(Flask):
    """Flask, whose requests outlive what the database gives up. No answer has begun when one is repeated."""

    def preprocess_request(self) -> ResponseReturnValue | None:
        return retry(super().preprocess_request)

    def dispatch_request(self) -> ResponseReturnValue:
        return retry(super().dispatch_request)

    def handle_user_exception(self, e: Exception) -> Any:
        return super().handle_user_exception(busy_fact(e) or e)
