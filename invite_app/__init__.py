"""invite_app: invitations, membership and who may enter."""

from collections.abc import Mapping
from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from . import api, bounds, cli, config_check, db, pages, secret_key, worker
from .config import KNOWN_SETTINGS, flask_config, make_folder, read_environment, read_settings
from .db import private_files, read_timeouts
from .extensions import csrf, login, mail
from .extensions import db as database
from .mail.rendering import break_links
from .mail.smtp import SmtpTransport
from .mail.transport import LocalOutbox
from .observability import logs, metrics, request_context
from .services import rate_limits
from .web import request_limits
from .web.application import Application
from .web.client_address import CleanAddress
from .web.flask_overrides import CachedSignerSessions, LazyRule
from .web.hosts import NormalizedHosts

PACKAGE = Path(__file__).parent


def create_app(environ: Mapping[str, str] | None = None, *, testing: bool = False) -> Flask:
    """The application as the INVITE_* variables in `environ` (or in the process's environment) describe it.

    Raises ConfigurationError naming every variable that cannot be read.
    """
    settings = read_settings(environ)
    app = Application(
        __name__,
        template_folder=_folder("templates"),
        static_folder=_folder("static"),
        instance_path=str(Path(settings.instance_path).absolute()) if settings.instance_path else None,
    )
    app.url_rule_class = LazyRule
    app.session_interface = CachedSignerSessions()
    app.config.from_mapping(flask_config(settings, Path(app.instance_path)), TESTING=testing)
    logs.configure(app)
    logs.warn_unknown_settings(config_check.unrelated(read_environment(environ), KNOWN_SETTINGS))
    make_folder(Path(app.instance_path))
    secret_key.configure(app, settings.secret_key.get_secret_value(), settings.secret_key_fallbacks)
    _init_extensions(app)
    _init_mail(app)
    app.wsgi_app = NormalizedHosts(app.wsgi_app)  # type: ignore[method-assign]
    _trust_proxies(app)
    bounds.register(app)
    metrics.register(app)
    request_limits.register(app)
    request_context.register(app)
    rate_limits.register(app)
    api.register(app)
    pages.register(app)
    cli.register(app)
    worker.register(app)
    return app


def _folder(name: str) -> str:
    """Templates and static files lie inside an installed package, and beside it in a checkout."""
    inside = PACKAGE / name
    return str(inside if inside.is_dir() else PACKAGE.parent / name)


def _init_extensions(app: Flask) -> None:
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = db.engine_options(
        app.config["SQLALCHEMY_DATABASE_URI"], read_timeouts(app.config)
    )
    database.init_app(app)
    with app.app_context():
        private_files.register(database.engine)
        db.configure_engine(database.engine, app.config["SQLITE_SYNCHRONOUS"])
    app.extensions["migrate"] = db.Migrations()
    login.init_app(app)
    csrf.init_app(app)


def _init_mail(app: Flask) -> None:
    mail.init_app(app)
    app.jinja_env.filters["break_links"] = break_links
    has_server = bool(app.config["MAIL_SERVER"])
    app.extensions["invite_app.transport"] = (
        SmtpTransport(app.extensions["mail"], app.config) if has_server else LocalOutbox()
    )


def _trust_proxies(app: Flask) -> None:
    app.wsgi_app = CleanAddress(app.wsgi_app)  # type: ignore[method-assign]  # as Flask's documentation does
    if hops := app.config["TRUSTED_PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
