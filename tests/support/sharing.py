"""What the apps of one process share: templates and statements as they were compiled for an earlier one.

Each test makes an app of its own, and compiling took half of its time. Nothing of an app or of its database is in
what is compiled, so a test sees no difference.
"""

from types import CodeType
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Dialect, Engine

from invite_app.extensions import db


class _Templates(BytecodeCache):
    """Jinja asks for a template by its name and the sum of its source."""

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
    """To be called before the app answers anything."""
    app.jinja_env.bytecode_cache = _templates
    with app.app_context():
        engine = db.engine
    engine.dialect = _dialects.get(_server(engine), engine.dialect)
    engine.update_execution_options(compiled_cache=_statements)


def keep_compiled(app: Flask) -> None:
    """Let later apps use what this one, which is done, knows of its kind of database."""
    with app.app_context():
        engine = db.engine
    if getattr(engine.dialect, "server_version_info", None):  # it was connected, and knows the other side
        _dialects.setdefault(_server(engine), engine.dialect)


def _server(engine: Engine) -> tuple[object, ...]:
    """Compiled statements belong to a dialect, which knows the version of one server."""
    return engine.url.drivername, engine.url.host, engine.url.port
