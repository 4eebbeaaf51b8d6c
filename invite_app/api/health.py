"""Liveness and readiness probes for supervisors and load balancers."""

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
    """Return the readiness of this server and the reason when it is not ready.

    Stalled delivery makes only servers with an embedded worker unavailable. Taking the others out of service would
    not deliver mail any sooner.
    """
    if not (db.is_reachable() and db.is_current()):
        return "unavailable", "Migrations are missing. Run: flask db upgrade"
    if not (problem := delivery.read_heartbeat().problem):
        return "ok", ""
    delivers = current_app.config["OUTBOX_WORKER"] == "embedded" and current_app.config["MAIL_SERVER"]
    return "unavailable" if delivers else "degraded", problem
