"""What a supervisor or load balancer asks: is the process up, can it do its work."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from invite_app import db

from .deadline import in_time

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    try:
        reason = in_time(_reason)
    except (SQLAlchemyError, TimeoutError):
        reason = "The database cannot be reached."
    if reason:
        return jsonify(status="unavailable", reason=reason), 503
    return jsonify(status="ok")


def _reason() -> str:
    """Return why this server cannot do its work; empty when it can."""
    return "" if db.is_reachable() and db.is_current() else "Migrations are missing. Run: flask db upgrade"
