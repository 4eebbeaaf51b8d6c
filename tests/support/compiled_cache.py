"""Compiled templates and statements, shared by the apps of one process.

Each test creates an app, and compiling took half of its time. Compiled code contains nothing of an app or its
database.
"""

from types import CodeType
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Dialect, Engine

from invite_app.extensions import db


class _Templates(BytecodeCache):
    """Jinja looks up a template by its name and the checksum of its source."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code:
            self._codes[bucket.key, bucket.checksum] = bucket.code


_templates = _Templates()
_dialects: dict[tuple[object, ...], Dialect] = {}
_statements: dict[Any, Any] = {}


def share_compiled(app: Flask) -> None:
    """Share compiled code. Call it before the app handles its first request."""
    app.jinja_env.bytecode_cache = _templates
    with app.app_context():
        engine = db.engine
    engine.dialect = _dialects.get(_server(engine), engine.dialect)
    engine.update_execution_options(compiled_cache=_statements)


def keep_compiled(app: Flask) -> None:
    """Keep the compiled code of a finished app for later ones."""
    with app.app_context():
        engine = db.engine
    if getattr(engine.dialect, "server_version_info", None):  # it has been connected
        _dialects.setdefault(_server(engine), engine.dialect)


def _server(engine: Engine) -> tuple[object, ...]:
    """Return the server version, since compiled statements belong to the dialect of one version."""
    return engine.url.drivername, engine.url.host, engine.url.port
