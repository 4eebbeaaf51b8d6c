"""INVITE_* variables, typed and strict, turned into Flask's own configuration keys."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import click
from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError

from .errors import ConfigurationError

MIB = 1024 * 1024


def _check_external_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("a URL of scheme and host, like https://invite.example.com")
    if parts.path.strip("/"):
        raise ValueError("a URL without a path, like https://invite.example.com")
    return value.rstrip("/")


def _check_database_url(value: str) -> str:
    for prefix in ("postgres://", "postgresql://"):
        if value.startswith(prefix):
            return "postgresql+psycopg://" + value.removeprefix(prefix)
    if value.startswith(("postgresql+psycopg://", "sqlite://")):
        return value
    raise ValueError("a URL that starts with postgresql:// or sqlite:///")


def _check_secret(value: SecretStr) -> SecretStr:
    if value.get_secret_value() and len(value.get_secret_value()) < 16:
        raise ValueError("at least 16 characters, for example from `openssl rand -hex 32`")
    return value


def _local_url() -> str:
    """Where `flask run` serves, which is another port when it was given one."""
    context = click.get_current_context(silent=True)
    if context is None or context.info_name != "run":
        return "http://localhost:5000"
    scheme = "https" if context.params.get("cert") else "http"
    return f"{scheme}://localhost:{context.params['port']}"


class Settings(BaseModel):
    """Every variable an operator can set; see the README's configuration table."""

    database_url: Annotated[str, AfterValidator(_check_database_url)] = ""
    secret_key: Annotated[SecretStr, AfterValidator(_check_secret)] = SecretStr("")
    secret_key_fallbacks: str = ""
    external_url: Annotated[str, AfterValidator(_check_external_url)] = Field(default_factory=_local_url)
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0
    mail_server: str = ""
    mail_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    mail_username: str = ""
    mail_password: SecretStr = SecretStr("")
    mail_use_tls: bool = False
    mail_use_ssl: bool = False
    mail_default_sender: str = ""
    mail_timeout: Annotated[float, Field(gt=0, le=300)] = 10.0
    mail_delivery: Literal["immediate", "queued"] = "immediate"
    outbox_worker: Literal["embedded", "external"] = "embedded"
    redis_url: str = ""
    rate_limits: Literal["on", "off"] = "on"
    instance_path: str = ""


def read_settings(environ: Mapping[str, str] | None) -> Settings:
    """The settings in `environ`, or in `.env` and the process's environment when it is None.

    Raises ConfigurationError naming every variable that cannot be read and what is allowed.
    """
    if environ is None:
        environ = {**{name: value or "" for name, value in dotenv_values().items()}, **os.environ}
    given = {
        name: value for name in Settings.model_fields if (value := environ.get(f"INVITE_{name.upper()}", "").strip())
    }
    if fallback := environ.get("DATABASE_URL"):
        given.setdefault("database_url", fallback)
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise ConfigurationError("\n".join(_sentence(item) for item in error.errors())) from None


def _sentence(item: Any) -> str:
    reason = item["msg"].removeprefix("Value error, ")
    return f"INVITE_{str(item['loc'][0]).upper()} cannot be read: {reason}."


def flask_config(settings: Settings, instance: Path) -> dict[str, Any]:
    """Flask's and its extensions' own keys for these settings."""
    url = urlsplit(settings.external_url)
    return {
        "EXTERNAL_URL": settings.external_url,
        "SQLALCHEMY_DATABASE_URI": settings.database_url or f"sqlite:///{instance / 'invite_app.sqlite'}",
        "TRUSTED_HOSTS": sorted({str(url.hostname), "localhost", "127.0.0.1", "[::1]"}),
        "SECRET_KEY_FALLBACKS": [key for key in settings.secret_key_fallbacks.split(",") if key],
        "PREFERRED_URL_SCHEME": url.scheme,
        "TRUSTED_PROXIES": settings.trusted_proxies,
        "MAIL_SERVER": settings.mail_server,
        "MAIL_PORT": settings.mail_port or (465 if settings.mail_use_ssl else 587 if settings.mail_use_tls else 25),
        "MAIL_USERNAME": settings.mail_username or None,
        "MAIL_PASSWORD": settings.mail_password.get_secret_value() or None,
        "MAIL_USE_TLS": settings.mail_use_tls,
        "MAIL_USE_SSL": settings.mail_use_ssl,
        "MAIL_DEFAULT_SENDER": settings.mail_default_sender or f"invitations@{url.hostname}",
        "MAIL_TIMEOUT": settings.mail_timeout,
        "MAIL_DELIVERY": settings.mail_delivery,
        "MAIL_SUPPRESS_SEND": False,
        "MAIL_DEBUG": False,
        "OUTBOX_WORKER": settings.outbox_worker,
        "REDIS_URL": settings.redis_url,
        "RATE_LIMITS": settings.rate_limits == "on",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": url.scheme == "https",
        "WTF_CSRF_SSL_STRICT": False,
        "WTF_CSRF_TIME_LIMIT": None,
        "MAX_CONTENT_LENGTH": MIB,
        "MAX_FORM_MEMORY_SIZE": MIB,
    }
