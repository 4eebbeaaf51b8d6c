"""Pending invitations to addresses whose domain the organization no longer allows: they cannot be accepted."""

from sqlalchemy import false, update

from invite_app.db import session
from invite_app.models import IS_PENDING, Invitation, Organization
from invite_app.models.engines import email_domain

from . import held_mail


def review(organization: Organization) -> None:
    """Mark the pending invitations at other domains, and no others, as part of the caller's transaction."""
    domains = organization.allowed_domains
    is_refused = email_domain(Invitation.email).not_in(domains) if domains else false()
    session().flush()
    session().execute(
        update(Invitation)
        .where(Invitation.organization_id == organization.id, IS_PENDING, Invitation.domain_not_allowed != is_refused)
        .values(domain_not_allowed=is_refused)
        .execution_options(synchronize_session=False)
    )
    held_mail.release(organization.id)
