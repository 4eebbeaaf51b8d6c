"""What sending an invitation would do, before it is sent. Nothing is checked for good and nothing is kept."""

from dataclasses import dataclass
from uuid import UUID

from invite_app.access import Actor, authorize
from invite_app.mail import messages
from invite_app.models import Invitation, Organization, Role, Workspace
from invite_app.models.base import now

from . import attention, drafts, roles, workspaces
from .drafts import Draft


@dataclass(frozen=True)
class Preview:
    """`seat` is the number of the seat that the invitation would hold."""

    organization: Organization
    role: Role
    workspaces: list[Workspace]
    seat: int
    message: messages.MailMessage

    @property
    def is_full(self) -> bool:
        """Whether there is no such seat."""
        limit = self.organization.seat_limit
        return limit is not None and self.seat > limit


def of(organization_id: UUID | str, draft: Draft, *, by: Actor) -> Preview:
    """The effect and the mail of a draft that need not be complete yet.

    Raises RoleUnknown, WorkspaceUnknown and RoleAboveOwn: without them there is no effect to speak of.
    """
    standing = authorize(by, organization_id, "invitations:write")
    organization = standing.organization
    role = roles.get(organization.id, draft.role)
    standing.check_may_grant(role)
    chosen = workspaces.get_many(organization.id, draft.workspace_ids)
    invitation = Invitation(
        organization_id=organization.id,
        email=draft.email.strip() or "name@example.com",
        given_name=(draft.given_name or "").strip(),
        family_name=(draft.family_name or "").strip(),
        note=draft.note.strip(),
        role_name=role.name,
        expires_at=now() + (draft.lifetime or organization.invitation_lifetime),
    )
    invitation.organization, invitation.workspaces = organization, chosen
    drafts.set_inviter(invitation, standing)
    seat = organization.members_count + attention.pending(standing) + 1
    return Preview(organization, role, chosen, seat, messages.sample(invitation))
