"""Logs on standard error, as readable lines or JSON, with secrets redacted."""

import logging
import re
import sys
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any

import structlog
from flask import Flask
from flask.logging import wsgi_errors_stream

from . import request_context

REDACTED = "[redacted]"

_SECRETS = (
    (
        re.compile(r"(/(?:invitations|sign-in|reset|leave|setup|account(?:/address)?)/)[^/\s?#\"'<>&]{37,}"),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"((?:token|inv_code|password|secret|key)=)[^&\s\"'<>]+"), rf"\1{REDACTED}"),
    (re.compile(r"\bsk_[\w-]{8,}"), f"sk_{REDACTED}"),
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+@"), rf"\1{REDACTED}@"),
)
# Matches every secret and few other values: a cheap test before redaction.
_MAY_HOLD_SECRET = re.compile("[/=]|sk_")
_SECRET_NAMES = re.compile(r"token|password|secret|api_key|authorization|cookie|nonce", re.IGNORECASE)
# What ends a line for a terminal or a log reader, or moves the cursor, and how it is written instead.
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_SEPARATORS = {code: f"\\u{code:04x}" for code in (0x2028, 0x2029)}
_CONTROL |= _SEPARATORS
_TRACES = frozenset({"exception", "stack"})
_PRE_CHAIN = (
    request_context.add_request,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)
# One list for all apps of a process, because loggers cache the first list they use.
_PROCESSORS: list[Any] = [*_PRE_CHAIN, structlog.stdlib.ProcessorFormatter.wrap_for_formatter]


def configure(app: Flask) -> None:
    """Send the app's log lines, structlog's and Flask's alike, through one handler; twice changes nothing."""
    structlog.configure(
        processors=_PROCESSORS,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    stream: Any = wsgi_errors_stream
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(app.config["LOG_FORMAT"]))
    handler.set_name("invite_app")
    ours = logging.getLogger("invite_app")
    ours.handlers = [handler, *(other for other in ours.handlers if other.name != "invite_app")]
    ours.setLevel(logging.INFO)
    requests = logging.getLogger("werkzeug")
    if not any(isinstance(kept, Redacting) for kept in requests.filters):
        requests.addFilter(Redacting())


def warn_unknown_settings(names: Sequence[str]) -> None:
    """Warn of variables that start as ours do and mean nothing to us."""
    if names:
        structlog.get_logger("invite_app").warning("unknown_settings", names=list(names))


def redact(text: str) -> str:
    """The text without link tokens, keys and passwords."""
    if not _MAY_HOLD_SECRET.search(text):
        return text
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def on_one_line(text: str) -> str:
    """Return the text with its control characters escaped, so that it cannot begin another line of the log."""
    return text if text.isprintable() else text.translate(_CONTROL)


class Redacting(logging.Filter):
    """Keeps the request lines that `flask run` logs from showing tokens."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and record.args:
            # A proxy may have sent the address, which begins the format. Werkzeug escapes the request, but for two.
            record.msg = on_one_line(record.msg)
            record.args = tuple(v.translate(_SEPARATORS) if isinstance(v, str) else v for v in record.args)
        record.msg, record.args = redact(record.getMessage()), ()
        return True


def _formatter(log_format: str) -> logging.Formatter:
    render: list[Any] = [structlog.processors.JSONRenderer()]
    if log_format == "console":
        plain = structlog.dev.plain_traceback
        render = [
            _escape_event,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain),
        ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_PRE_CHAIN,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _redact_event, *render],
    )


def _escape_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep each event on one line; the lines of a traceback are indented, so none looks like another event."""
    return {name: _escape_value(name, value) for name, value in event.items()}


def _escape_value(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if name in _TRACES:
        return "\n".join(f"  {on_one_line(line)}" for line in value.split("\n"))
    return on_one_line(value)


def _redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last step but one, so that nothing is added after it."""
    return {name: REDACTED if _is_secret(name) else _redact_value(value) for name, value in event.items()}


@lru_cache(maxsize=256)
def _is_secret(name: str) -> bool:
    return _SECRET_NAMES.search(name) is not None


def _redact_value(value: Any) -> Any:
    match value:
        case str():
            return redact(value)
        case dict():
            return _redact_event(None, "", value)
        case list() | tuple():
            return [_redact_value(item) for item in value]
        case _:
            return value
