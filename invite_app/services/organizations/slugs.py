"""Slugs: the names of organizations in addresses, each given once on this server."""

import re
import unicodedata

from sqlalchemy import select

from invite_app.db import session
from invite_app.errors import InvalidSetting
from invite_app.models import Organization

MAX_LENGTH = 100


def validate_slug(given: str) -> str:
    """Raises InvalidSetting. Whether the slug is free, the database decides."""
    if len(given) > MAX_LENGTH or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", given):
        raise InvalidSetting("slug", f"Use at most {MAX_LENGTH} lower-case letters, digits and single hyphens.")
    return given


def generate_slug(name: str) -> str:
    """A free slug that resembles the name."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:80] or "organization"
    taken = set(session().scalars(select(Organization.slug).where(Organization.slug.startswith(base))))
    number = 2
    slug = base
    while slug in taken:
        slug, number = f"{base}-{number}", number + 1
    return slug
