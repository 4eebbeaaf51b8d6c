"""What a supervisor or load balancer asks: is the process up, can it do its work."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from invite_app import db

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    try:
        current = db.is_reachable() and db.is_current()
    except SQLAlchemyError:
        return jsonify(status="unavailable", reason="The database cannot be reached."), 503
    if not current:
        return jsonify(status="unavailable", reason="Migrations are missing. Run: flask db upgrade"), 503
    return jsonify(status="ok")
