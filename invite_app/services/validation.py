"""Validation of addresses, names, notes, origins and lifetimes, shared by all interfaces."""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import idna

from invite_app.errors import (
    DomainNotAllowed,
    InvalidEmail,
    InvalidLifetime,
    InvalidMetadata,
    InvalidName,
    InvalidNote,
    InvalidSetting,
)
from invite_app.models.types import casefolded

# A local part that needs no full validation.
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*", re.ASCII)
MAX_LOCAL, MAX_EMAIL = 64, 254
_HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")
MAX_NAME = 100
MAX_FOLDED_NAME = 300  # a single ligature can stand for a whole sentence
MAX_NOTE = 1000
MAX_METADATA = 8192
MAX_SEARCH, MAX_WORDS = 4000, 20
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_JOINERS = "\u200c\u200d"
MIN_LIFETIME, MAX_LIFETIME = timedelta(hours=1), timedelta(days=365)


def email(text: str) -> str:
    """The normalized address: ASCII local part in lower case, IDNA domain. Raises InvalidEmail."""
    local, _, domain = text.strip().rpartition("@")
    is_plain = len(domain) <= MAX_EMAIL and len(local) <= MAX_LOCAL and _PLAIN_LOCAL.fullmatch(local)
    if is_plain and (known := _domain(domain)):
        found = f"{local}@{known}".lower()
        if len(found) <= MAX_EMAIL:
            return found
    return _validate_email(text)


@lru_cache(maxsize=1024)
def _domain(text: str) -> str | None:
    """The normalized domain, or None for what is none: most addresses share theirs with others."""
    try:
        return _validate_email(f"a@{text}").partition("@")[2]
    except InvalidEmail:
        return None


def _validate_email(text: str) -> str:
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - its patterns take long to compile

    try:
        parts = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise InvalidEmail(text) from None
    if parts.ascii_email is None:
        raise InvalidEmail(text)
    return parts.ascii_email.lower()


def valid_emails(texts: Iterable[str]) -> list[str]:
    """Return the valid addresses among the texts, normalized."""
    found = []
    for text in texts:
        with suppress(InvalidEmail):
            found.append(email(text))
    return found


def check_domain_allowed(address: str, allowed: Iterable[str]) -> None:
    """Raises DomainNotAllowed; an empty list allows every domain."""
    domains = tuple(allowed)
    if domains and address.rpartition("@")[2] not in domains:
        raise DomainNotAllowed(address, domains)


def name(text: str, field: str, label: str) -> str:
    """A name of 1 to 100 characters without control characters, trimmed. Raises InvalidName."""
    cleaned = text.strip()
    if not cleaned:
        raise InvalidName(field, f"Enter {label}.")
    if len(cleaned) > MAX_NAME or len(casefolded(cleaned)) > MAX_FOLDED_NAME:
        raise InvalidName(field, f"Use at most {MAX_NAME} characters.")
    if has_control_characters(text):
        raise InvalidName(field, "Leave out line breaks and other control characters.")
    return cleaned


def note(text: str) -> str:
    """A note of at most 1,000 characters; line breaks are allowed. Raises InvalidNote."""
    cleaned = text.replace("\r\n", "\n").strip()
    if len(cleaned) > MAX_NOTE:
        raise InvalidNote("note", f"Use at most {MAX_NOTE:,} characters.")
    if has_control_characters(cleaned.replace("\n", "").replace("\t", "")):
        raise InvalidNote("note", "Leave out control characters.")
    return cleaned


def lifetime(value: timedelta) -> timedelta:
    """Raises InvalidLifetime outside 1 hour to 365 days."""
    if not MIN_LIFETIME <= value <= MAX_LIFETIME:
        raise InvalidLifetime("lifetime", "Choose between 1 hour and 365 days.")
    return value


def metadata(given: Mapping[str, Any], field: str) -> dict[str, Any]:
    """A JSON object of at most 8 kB that every database can store. Raises InvalidMetadata."""
    if not given:
        return {}
    try:
        text = json.dumps(given, ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (ValueError, TypeError, RecursionError):
        raise InvalidMetadata(field, "Use plain JSON values.") from None
    if size > MAX_METADATA:
        raise InvalidMetadata(field, f"Use at most {MAX_METADATA:,} bytes.")
    if "\\u0000" in text:
        raise InvalidMetadata(field, "Leave out the character U+0000.")
    return dict(given)


def origin(url: str) -> str | None:
    """Scheme, host and port of a http(s) URL in their normal form, or None when it is not one."""
    if has_control_characters(url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        return None
    if (host := _host(parts.hostname)) is None:
        return None
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if port in (None, default) else f":{port}")


def _host(name: str) -> str | None:
    """Return the host as browsers send it, or None if it is invalid."""
    try:
        host = f"[{name}]" if ":" in name else name if name.isascii() else idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        return None
    return host if _HOST.fullmatch(host) else None


def allowed_origin(text: str) -> str:
    """An entry of the allowed redirect origins. Raises InvalidSetting."""
    found = origin(text.strip())
    if found is None or "*" in found or urlsplit(text.strip()).path.strip("/") or "?" in text or "#" in text:
        raise InvalidSetting("allowed_origins", "Use scheme and host only, like https://app.example.com.")
    return found


def allowed_domain(text: str) -> str:
    """An entry of the allowed email domains, in its IDNA form. Raises InvalidSetting."""
    try:
        return email(f"name@{text.strip().lower().removeprefix('@')}").rpartition("@")[2]
    except InvalidEmail:
        raise InvalidSetting("allowed_domains", f"“{text.strip()}” is not a domain, like example.com.") from None


def words(fragment: str) -> list[str]:
    """The different words of a search, as many and as long as a database can look for without harm.

    U+0000, which no database holds in a text, separates them like a space.
    """
    found = replace_unsearchable(fragment[:MAX_SEARCH].replace("\0", " ")).split()
    return [word[:MAX_EMAIL] for word in dict.fromkeys(found)][:MAX_WORDS]


def replace_unsearchable(text: str) -> str:
    """Replace characters that databases cannot store with one that no name contains."""
    return "".join(_REPLACEMENT if char == "\0" or unicodedata.category(char) == "Cs" else char for char in text)


def has_control_characters(text: str) -> bool:
    """Check for characters that could break a header or a line, or change the reading direction.

    Zero-width joiners are allowed: several scripts need them inside names.
    """
    if text.isascii():
        return not text.isprintable()
    return any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in _JOINERS for char in text)
