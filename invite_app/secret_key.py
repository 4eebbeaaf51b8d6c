"""The server's secret where the operator has set none."""

import os
import secrets
from pathlib import Path

from flask import Flask
from sqlalchemy.engine import make_url

from .errors import ConfigurationError


def embedded(app: Flask) -> str:
    """The secret in the instance folder, made on first use and readable by this account only.

    Raises ConfigurationError on PostgreSQL, where several machines must share one secret.
    """
    if make_url(app.config["SQLALCHEMY_DATABASE_URI"]).get_backend_name() != "sqlite":
        raise ConfigurationError(
            "INVITE_SECRET_KEY is missing: with PostgreSQL every process needs the same secret, "
            "for example from `openssl rand -hex 32`."
        )
    path = Path(app.instance_path) / "secret_key"
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _wait_for(path)
    with os.fdopen(file, "w") as stream:
        stream.write(secrets.token_hex(32))
    return path.read_text()


def _wait_for(path: Path) -> str:
    """The secret that another process may be writing at this very moment."""
    for _ in range(100):
        if secret := path.read_text().strip():
            return secret
        os.sched_yield()
    raise ConfigurationError(f"{path} is empty. Delete it to have a new secret made.")
