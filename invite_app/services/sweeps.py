"""What time alone brings about, written down now and then, whether or not anybody looks."""

from sqlalchemy import exists, select

from invite_app.access import lock_organization
from invite_app.db import session, transaction
from invite_app.errors import OrganizationUnknown
from invite_app.models import Invitation, InvitationState, Organization
from invite_app.models.base import now

from . import endings


def record_expired() -> int:
    """Record which invitations have passed their end; in how many organizations there were any.

    Each organization has a transaction of its own, so that nobody waits for the others'.
    """
    overdue = exists().where(
        Invitation.organization_id == Organization.id,
        Invitation.state == InvitationState.PENDING,
        Invitation.expires_at <= now(),
    )
    organization_ids = list(session().scalars(select(Organization.id).where(overdue)))
    for organization_id in organization_ids:
        try:
            with transaction():
                endings.record_overdue(lock_organization(organization_id))
        except OrganizationUnknown:
            continue  # deleted meanwhile
    return len(organization_ids)
