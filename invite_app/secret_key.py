"""The server's secrets: the present one, and those from before a rotation, which still verify."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock
from flask import Flask
from sqlalchemy.engine import make_url

from .errors import ConfigurationError


def configure(app: Flask, secret: str, fallbacks: Sequence[str]) -> None:
    """Sign links, sessions and forms with `secret` or the embedded one, and believe the fallbacks too.

    Raises ConfigurationError on PostgreSQL, where several machines must share one secret.
    """
    secret = secret or _stored_secret(app)
    app.config["SECRET_KEY"] = secret
    app.config["SECRET_KEY_FALLBACKS"] = list(fallbacks)
    app.config["WTF_CSRF_SECRET_KEY"] = [*reversed(fallbacks), secret]  # it knows no fallbacks; the last one signs


def _stored_secret(app: Flask) -> str:
    """The secret in the instance folder, made on first use and readable by this account only."""
    if make_url(app.config["SQLALCHEMY_DATABASE_URI"]).get_backend_name() != "sqlite":
        raise ConfigurationError(
            "INVITE_SECRET_KEY is missing: with PostgreSQL every process needs the same secret, "
            "for example from 'openssl rand -hex 32'."
        )
    path = Path(app.instance_path) / "secret_key"
    try:
        return _read(path) or _make(path)
    except OSError as error:
        raise ConfigurationError(
            f"INVITE_INSTANCE_PATH must be a folder for this account: {path}: {error.strerror}."
        ) from None


def _read(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""


def _make(path: Path) -> str:
    """Write a new secret once, also when several processes start together. The file appears complete."""
    with FileLock(path.with_suffix(".lock")):
        if secret := _read(path):
            return secret
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(secrets.token_hex(32))
        draft.replace(path)
        return _read(path)
