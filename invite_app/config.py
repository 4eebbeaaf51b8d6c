"""INVITE_* variables, typed and strict, turned into Flask's own configuration keys."""

import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import click
from dotenv import dotenv_values, find_dotenv
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr, ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from . import config_check
from .errors import ConfigurationError
from .web import request_limits

SHORTEST_SECRET = 16
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_ADDRESS = re.compile(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+")


def _external_url(value: str) -> str:
    parts = urlsplit(value)
    is_origin = parts.scheme in ("http", "https") and parts.path in ("", "/") and not parts.query + parts.fragment
    if not is_origin or parts.username is not None or not _is_host(parts.hostname or "") or parts.port == 0:
        raise ValueError
    return value.rstrip("/")


def _database_url(value: str) -> str:
    """SQLAlchemy's name for the driver, whatever the platform calls it."""
    for prefix in ("postgres://", "postgresql://"):
        if value.startswith(prefix):
            value = "postgresql+psycopg://" + value.removeprefix(prefix)
    try:
        url = make_url(value)
    except ArgumentError:
        raise ValueError from None
    if url.drivername not in ("postgresql+psycopg", "sqlite") or url.database in (None, "", ":memory:"):
        raise ValueError
    return value


def _secret(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < SHORTEST_SECRET:
        raise ValueError
    return value


def _fallbacks(value: str) -> list[str]:
    secrets = [secret.strip() for secret in value.split(",") if secret.strip()]
    if any(len(secret) < SHORTEST_SECRET for secret in secrets):
        raise ValueError
    return secrets


def _host(value: str) -> str:
    if not _is_host(value):
        raise ValueError
    return value


def _sender(value: str) -> str:
    if not _ADDRESS.fullmatch(parseaddr(value)[1]) or not value.isprintable():
        raise ValueError
    return value


def _redis_url(value: str) -> str:
    if not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError
    return value


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return bool(_HOST.fullmatch(text))
    return True


def _local_url() -> str:
    """Return the URL of `flask run`, with the port of its command line."""
    context = click.get_current_context(silent=True)
    if context is None or context.info_name != "run":
        return "http://localhost:5000"
    scheme = "https" if context.params.get("cert") else "http"
    return f"{scheme}://localhost:{context.params['port']}"


def _setting(description: str, default: Any = "") -> Any:
    """A variable's default, and what the operator is told when a value is none of these."""
    return Field(default, description=description)


BOOLEAN = "true or false"
SECONDS = "a number of seconds up to 3600, or 0 for no limit"


class Settings(BaseModel):
    """Every variable an operator can set; see the README's configuration table."""

    database_url: Annotated[str, AfterValidator(_database_url)] = _setting(
        "a URL like postgresql://user:password@host/database or sqlite:////folder/file"
    )
    secret_key: Annotated[SecretStr, AfterValidator(_secret)] = _setting(
        "at least 16 characters long, for example from 'openssl rand -hex 32'", SecretStr("")
    )
    secret_key_fallbacks: Annotated[list[str], BeforeValidator(_fallbacks)] = _setting(
        "earlier secrets of at least 16 characters, separated by commas", []
    )
    external_url: Annotated[str, AfterValidator(_external_url)] = Field(
        default_factory=_local_url, description="a URL of scheme and host, like https://invite.example.com"
    )
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = _setting("a number of proxies from 0 to 10", 0)
    mail_server: Annotated[str, AfterValidator(_host)] = _setting("a host name; the port is INVITE_MAIL_PORT")
    mail_port: Annotated[int, Field(ge=1, le=65535)] | None = _setting("a port from 1 to 65535", None)
    mail_username: str = ""
    mail_password: SecretStr = SecretStr("")
    mail_use_tls: bool = _setting(BOOLEAN, False)
    mail_use_ssl: bool = _setting(BOOLEAN, False)
    mail_default_sender: Annotated[str, AfterValidator(_sender)] = _setting("an address, with or without a name")
    mail_timeout: Annotated[float, Field(gt=0, le=300, allow_inf_nan=False)] = _setting(
        "a number of seconds over 0 and up to 300", 10.0
    )
    sqlite_synchronous: Literal["normal", "full"] = _setting("normal or full", "normal")
    db_lock_timeout: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = _setting(SECONDS, 10.0)
    db_statement_timeout: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = _setting(SECONDS, 60.0)
    mail_delivery: Literal["immediate", "queued"] = _setting("immediate or queued", "immediate")
    outbox_worker: Literal["embedded", "external"] = _setting("embedded or external", "embedded")
    redis_url: Annotated[str, AfterValidator(_redis_url)] = _setting("a URL like redis://host:6379/0")
    rate_limits: Literal["on", "off"] = _setting("on or off", "on")
    web_threads: Annotated[int, Field(ge=1, le=1000)] = _setting("a number of threads from 1 to 1000", 8)
    metrics_token: Annotated[SecretStr, AfterValidator(_secret)] = _setting(
        "at least 16 characters long, for example from 'openssl rand -hex 32'", SecretStr("")
    )
    instance_path: str = ""
    log_format: Literal["console", "json"] = _setting("console or json", "console")


# Names that others gave to variables of ours.
FALLBACKS = {"database_url": "DATABASE_URL", "web_threads": "WEB_THREADS"}
KNOWN_SETTINGS = frozenset(name.upper() for name in Settings.model_fields)


def read_settings(environ: Mapping[str, str] | None) -> Settings:
    """The settings in `environ`, or in `.env` and the process's environment when it is None.

    Raises ConfigurationError naming every variable that is misspelt, or that cannot be read and what is allowed.
    """
    environ = read_environment(environ)
    if slips := config_check.misspelled(environ, KNOWN_SETTINGS):
        raise ConfigurationError(" ".join(f"{name} is no setting; {near} is." for name, near in slips.items()))
    names = {name: f"INVITE_{name.upper()}" for name in Settings.model_fields}
    names |= {field: name for field, name in FALLBACKS.items() if not environ.get(names[field], "").strip()}
    given = {name: value for name, variable in names.items() if (value := environ.get(variable, "").strip())}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        raise ConfigurationError(" ".join(_error_messages(error, names))) from None
    if settings.mail_use_tls and settings.mail_use_ssl:
        raise ConfigurationError("Only one of INVITE_MAIL_USE_TLS and INVITE_MAIL_USE_SSL can be true.")
    return settings


def read_environment(environ: Mapping[str, str] | None) -> Mapping[str, str]:
    return {**_dotenv(), **os.environ} if environ is None else environ


def _dotenv() -> dict[str, str]:
    """Read `.env` in this folder or above, since only `flask` does so by itself."""
    return {name: value or "" for name, value in dotenv_values(find_dotenv(usecwd=True)).items()}


def _error_messages(error: ValidationError, names: Mapping[str, str]) -> Iterator[str]:
    """The value itself is left out: it may be a secret."""
    for name in dict.fromkeys(str(item["loc"][0]) for item in error.errors()):
        yield f"{names[name]} must be {Settings.model_fields[name].description}."


def make_folder(folder: Path) -> None:
    """Make the instance folder for this account only; one that exists keeps the mode its owner chose.

    Raises ConfigurationError when there cannot be one.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"INVITE_INSTANCE_PATH must be a folder that can be written to: {folder}: {error.strerror}."
        ) from None


def flask_config(settings: Settings, instance: Path) -> dict[str, Any]:
    """Flask's and its extensions' own keys for these settings; the secrets are `secret_key`'s."""
    url = urlsplit(settings.external_url)
    return {
        "EXTERNAL_URL": settings.external_url,
        "SQLALCHEMY_DATABASE_URI": settings.database_url or f"sqlite:///{instance / 'invite_app.sqlite'}",
        "SQLITE_SYNCHRONOUS": settings.sqlite_synchronous,
        "DB_LOCK_TIMEOUT": settings.db_lock_timeout,
        "DB_STATEMENT_TIMEOUT": settings.db_statement_timeout,
        "TRUSTED_HOSTS": sorted({str(url.hostname), "localhost", "127.0.0.1", "[::1]"}),
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
        "WEB_THREADS": settings.web_threads,
        "METRICS_TOKEN": settings.metrics_token.get_secret_value(),
        "LOG_FORMAT": settings.log_format,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": url.scheme == "https",
        "SESSION_REFRESH_EACH_REQUEST": False,  # a sign-in ends 14 days after it began, however often it is used
        "WTF_CSRF_SSL_STRICT": False,
        "WTF_CSRF_TIME_LIMIT": None,
        "MAX_CONTENT_LENGTH": request_limits.PUBLIC_BYTES,
        "MAX_FORM_MEMORY_SIZE": request_limits.PUBLIC_BYTES,
        "MAX_FORM_PARTS": request_limits.PUBLIC_FIELDS,
    }
