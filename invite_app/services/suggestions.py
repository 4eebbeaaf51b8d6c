"""Suggestions for mistyped addresses. A suggestion never rejects an address."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from invite_app.access import Actor, Principal, authorize
from invite_app.db import session
from invite_app.errors import InvalidEmail
from invite_app.models import Membership, User
from invite_app.models.types import casefolded

from . import validation

PROVIDERS = (
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "yahoo.com",
    "icloud.com",
    "proton.me",
    "protonmail.com",
    "gmx.de",
    "gmx.net",
    "web.de",
)


@dataclass(frozen=True)
class EmailSuggestion:
    """A suggested address, and the number of members of the organization with its domain."""

    email: str
    domain: str
    members: int


def suggest_email(organization_id: UUID | str, email: str, *, by: Actor) -> EmailSuggestion | None:
    """Return a similar address that is more likely, or None."""
    principal = authorize(by, organization_id, "invitations:write")
    try:
        address = validation.email(email)
    except InvalidEmail:
        return None
    domain = suggest_domain(address, expected_domains(principal))
    if domain is None:
        return None
    return EmailSuggestion(f"{address.rpartition('@')[0]}@{domain}", domain, _members_at(principal, domain))


def expected_domains(principal: Principal) -> Collection[str]:
    """The domains that people of this organization are likely to have: the allowed ones, and the actor's own."""
    own = [principal.user.email.rpartition("@")[2]] if principal.user else []
    return [*principal.organization.allowed_domains, *own]


def suggest_domain(address: str, known: Collection[str]) -> str | None:
    """The known domain or common provider that is one slip of the finger away, unless this is one itself."""
    domain = address.rpartition("@")[2]
    candidates = [*known, *PROVIDERS]
    if domain in candidates:
        return None
    from rapidfuzz.distance import OSA  # noqa: PLC0415 - forty modules that a server starts without

    return next((other for other in candidates if OSA.distance(domain, other, score_cutoff=1) == 1), None)


def closest_name(text: str, names: Collection[str]) -> str | None:
    """The name that was probably meant: at most two slips away, and not the whole word."""
    from rapidfuzz import process  # noqa: PLC0415 - likewise
    from rapidfuzz.distance import OSA  # noqa: PLC0415 - likewise

    slips = min(2, len(casefolded(text)) // 3)
    found = process.extractOne(text, names, processor=casefolded, scorer=OSA.distance, score_cutoff=slips)
    return found[0] if found else None


def _members_at(principal: Principal, domain: str) -> int:
    query = (
        select(func.count())
        .select_from(Membership)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.organization_id == principal.organization.id,
            User.email.endswith(f"@{domain}", autoescape=True),
        )
    )
    return session().scalar(query) or 0
