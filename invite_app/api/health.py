"""What a supervisor or load balancer asks: is the process up, can it do its work."""

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from invite_app import db
from invite_app.services import delivery

from .deadline import in_time

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    try:
        status, reason = in_time(_status)
    except (SQLAlchemyError, TimeoutError):
        status, reason = "unavailable", "The database cannot be reached."
    answer = {"status": status, "reason": reason} if reason else {"status": status}
    return jsonify(answer), 503 if status == "unavailable" else 200


def _status() -> tuple[str, str]:
    """Return whether this server can do its work, and the reason when it cannot.

    Delivery that stands still makes those servers unavailable that deliver themselves. The others would be missed,
    and mail would not go out any sooner.
    """
    if not (db.is_reachable() and db.is_current()):
        return "unavailable", "Migrations are missing. Run: flask db upgrade"
    if not (problem := delivery.read_heartbeat().problem):
        return "ok", ""
    delivers = current_app.config["OUTBOX_WORKER"] == "embedded" and current_app.config["MAIL_SERVER"]
    return "unavailable" if delivers else "degraded", problem
