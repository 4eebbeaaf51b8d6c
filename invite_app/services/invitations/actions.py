"""Change an invitation that was sent: resend, revoke, extend, edit, take over, copy its link."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from invite_app.access import Actor, Principal, organization_transaction
from invite_app.mail import messages
from invite_app.models import Invitation
from invite_app.services import audit, copied_links, delivery, roles, validation, workspaces

from . import checks, expiry, steps
from .queries import get_in
from .steps import PENDING, check_can_grant, check_state


@dataclass(frozen=True)
class Changes:
    """New values of a pending invitation; None leaves a value unchanged."""

    email: str | None = None
    role: str | None = None
    workspace_ids: Sequence[UUID | str] | None = None
    note: str | None = None


def resend(
    organization_id: UUID | str,
    invitation_id: UUID | str,
    *,
    by: Actor,
    email: str | None = None,
    note: str | None = None,
) -> Invitation:
    """Send the same link again and renew its expiry; an expired invitation becomes pending again.

    A new address gets a new link. A new note replaces the old one. Reopening an expired invitation passes the checks
    of `send`, with the actor as the inviter.

    Raises
    InvitationNotFound, InvitationClosed, RoleDeleted, CannotGrantRole, InvalidNote, DomainNotAllowed, RateLimited,
    and for
    an expired invitation or a new address what `send` raises.
    """
    with _invitation_transaction(organization_id, invitation_id, by) as (principal, invitation):
        steps.resend(principal, invitation, email=email, note=note)
    return invitation


def revoke(organization_id: UUID | str, invitation_id: UUID | str, *, by: Actor) -> Invitation:
    """Revoke the invitation: its link stops working and its seat is free.

    Raises InvitationNotFound and InvitationClosed.
    """
    with _invitation_transaction(organization_id, invitation_id, by) as (principal, invitation):
        steps.revoke_invitation(principal, invitation)
    return invitation


def extend(organization_id: UUID | str, invitation_id: UUID | str, *, by: Actor) -> Invitation:
    """Extend a pending invitation by seven days, without sending a mail.

    Raises InvitationNotFound, InvitationClosed, RoleDeleted and CannotGrantRole.
    """
    with _invitation_transaction(organization_id, invitation_id, by) as (principal, invitation):
        steps.extend_invitation(principal, invitation)
    return invitation


def edit(organization_id: UUID | str, invitation_id: UUID | str, changes: Changes, *, by: Actor) -> Invitation:
    """Change a pending invitation. A new address gets a new link, and the old link stops working.

    Raises InvitationNotFound, InvitationClosed, RoleDeleted, CannotGrantRole (for the old and the new role),
    RoleNotFound, WorkspaceNotFound, InvalidNote, InvalidEmail, DomainNotAllowed, and for a new address
    PlanUpgradeRequired, AlreadyMember, InvitationPending and RateLimited.
    """
    with _invitation_transaction(organization_id, invitation_id, by) as (principal, invitation):
        check_state(invitation, PENDING)
        before = _summary(invitation)
        if invitation.role is not None:
            principal.check_can_grant(invitation.role)
        _apply(principal, invitation, changes)
        after = _summary(invitation)
        changed = [name for name in after if after[name] != before[name]]
        if changed:
            _record(
                principal,
                "invitation.changed",
                invitation,
                before={name: before[name] for name in changed},
                after={name: after[name] for name in changed},
            )
    return invitation


def retry_delivery(organization_id: UUID | str, invitation_id: UUID | str, *, by: Actor) -> Invitation:
    """Retry the delivery of an unsent mail now. The expiry stays unchanged.

    Raises InvitationNotFound, InvitationClosed, RoleDeleted and CannotGrantRole.
    """
    with _invitation_transaction(organization_id, invitation_id, by) as (principal, invitation):
        check_state(invitation, PENDING)
        check_can_grant(principal, invitation)
        if invitation.message is not None:
            delivery.retry_now(invitation.message)
            _record(principal, "message.retried", invitation)
    return invitation


def take_over(organization_id: UUID | str, invitation_id: UUID | str, *, by: Actor) -> Invitation:
    """Become the inviter of a pending invitation, for example when its inviter has lost permission.

    Raises InvitationNotFound, InvitationClosed, RoleDeleted and CannotGrantRole.
    """
    with _invitation_transaction(organization_id, invitation_id, by) as (principal, invitation):
        check_state(invitation, PENDING)
        check_can_grant(principal, invitation)
        steps.make_inviter(principal, invitation)
    return invitation


def copy_link(organization_id: UUID | str, invitation_id: UUID | str, *, by: Actor) -> str:
    """Return the link, to share it without mail, and record an audit event.

    It works as long as the actor may grant the invitation's role.

    Raises InvitationNotFound, InvitationClosed, RoleDeleted and CannotGrantRole.
    """
    with _invitation_transaction(organization_id, invitation_id, by) as (principal, invitation):
        check_state(invitation, PENDING)
        check_can_grant(principal, invitation)
        invitation.link_copied = True
        _record(principal, "invitation.link_copied", invitation)
    return messages.link(invitation, copied_links.new_token(invitation, by))


@contextmanager
def _invitation_transaction(
    organization_id: UUID | str, invitation_id: UUID | str, by: Actor
) -> Iterator[tuple[Principal, Invitation]]:
    """Open a transaction on one invitation, after overdue invitations have been expired."""
    with organization_transaction(organization_id, by=by, needs="invitations:write") as principal:
        expiry.expire_overdue(principal.organization)
        yield principal, get_in(principal.organization.id, invitation_id)


def _apply(principal: Principal, invitation: Invitation, changes: Changes) -> None:
    organization = principal.organization
    if changes.role is not None:
        steps.set_role(invitation, roles.get(organization.id, changes.role))
    if changes.workspace_ids is not None:
        invitation.workspaces = workspaces.get_many(organization.id, changes.workspace_ids)
    if changes.note is not None:
        invitation.note = validation.note(changes.note)
    address = invitation.email if changes.email is None else validation.email(changes.email)
    if address != invitation.email:
        validation.check_domain_allowed(address, organization.allowed_domains)
    check_can_grant(principal, invitation)
    if address != invitation.email:
        checks.check_can_readdress(principal, checks.address_status(organization.id, address))
        steps.requeue_to(principal, invitation, address)


def _summary(invitation: Invitation) -> dict[str, Any]:
    return {
        "email": invitation.email,
        "role": invitation.role_name,
        "workspaces": [workspace.name for workspace in invitation.workspaces],
        "note": invitation.note,
    }


def _record(principal: Principal, action: str, invitation: Invitation, **what: dict[str, Any]) -> None:
    audit.record(principal.organization.id, principal, action, invitation, **what)
