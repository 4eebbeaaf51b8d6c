"""Changes of one invitation inside the caller's transaction, which has expired overdue invitations."""

from datetime import timedelta

from invite_app.access import Principal
from invite_app.errors import InvitationClosed, RoleDeleted
from invite_app.models import Invitation, InvitationState, Role
from invite_app.models.types import now
from invite_app.services import audit, delivery, held_mail, validation

from . import checks, drafts, expiry

EXTENSION = timedelta(days=7)
PENDING = (InvitationState.PENDING,)
RESENDABLE = (InvitationState.PENDING, InvitationState.EXPIRED)


def check_state(invitation: Invitation, states: tuple[InvitationState, ...]) -> None:
    """Raise InvitationClosed unless the invitation is in one of the states."""
    if (state := invitation.state_at(now())) not in states:
        raise InvitationClosed(invitation.id, state)


def check_can_grant(principal: Principal, invitation: Invitation) -> Role:
    """Return the invitation's role. Raises RoleDeleted and CannotGrantRole."""
    if invitation.role is None:
        raise RoleDeleted(invitation.role_name)
    principal.check_can_grant(invitation.role)
    return invitation.role


def make_inviter(principal: Principal, invitation: Invitation) -> None:
    """Make the actor the inviter. A mail held because the old inviter lost permission is queued."""
    if held_mail.must_wait(invitation):
        held_mail.release_one(invitation)
    before = invitation.inviter_name
    drafts.set_inviter(invitation, principal)
    names = {"before": {"inviter": before}, "after": {"inviter": invitation.inviter_name}}
    audit.record(principal.organization.id, principal, "invitation.taken_over", invitation, **names)


def set_role(invitation: Invitation, role: Role) -> None:
    """Give the invitation another role. A mail held because the old role was deleted is queued."""
    if invitation.role_id is None:
        held_mail.release_one(invitation)
    invitation.role, invitation.role_id, invitation.role_name = role, role.id, role.name


def resend(
    principal: Principal,
    invitation: Invitation,
    *,
    email: str | None = None,
    note: str | None = None,
    in_bulk: bool = False,
) -> None:
    """Resend a pending or expired invitation and renew its expiry, optionally with a new address or note.

    Raises InvitationClosed, RoleDeleted, CannotGrantRole, DomainNotAllowed, RateLimited, and for an expired
    invitation or a new address also what `send` raises.
    """
    check_state(invitation, RESENDABLE)
    check_can_grant(principal, invitation)
    before = {"email": invitation.email, "note": invitation.note}
    new_note = invitation.note if note is None else validation.note(note)
    address = invitation.email if email is None else validation.email(email)
    validation.check_domain_allowed(address, principal.organization.allowed_domains)
    if invitation.state == InvitationState.EXPIRED:
        _reopen(principal, invitation, address, in_bulk=in_bulk)
    elif address != invitation.email:
        checks.check_can_readdress(principal, checks.address_status(principal.organization.id, address))
    else:
        checks.check_send_rate(principal, address, in_bulk=in_bulk)
    invitation.note = new_note
    requeue_to(principal, invitation, address)
    after = {"email": invitation.email, "note": invitation.note}
    changed = [name for name in after if after[name] != before[name]]
    audit.record(
        principal.organization.id,
        principal,
        "invitation.resent",
        invitation,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )


def extend_invitation(principal: Principal, invitation: Invitation) -> None:
    """Extend a pending invitation. Raises InvitationClosed, RoleDeleted and CannotGrantRole."""
    check_state(invitation, PENDING)
    check_can_grant(principal, invitation)
    invitation.expires_at = min(invitation.expires_at + EXTENSION, now() + validation.MAX_LIFETIME)
    after = {"ends": invitation.expires_at.isoformat()}
    audit.record(principal.organization.id, principal, "invitation.extended", invitation, after=after)


def revoke_invitation(principal: Principal, invitation: Invitation) -> None:
    """Revoke a pending invitation. Raises InvitationClosed."""
    check_state(invitation, PENDING)
    expiry.close(invitation, principal.organization, InvitationState.REVOKED)
    audit.record(principal.organization.id, principal, "invitation.revoked", invitation)


def requeue_to(principal: Principal, invitation: Invitation, address: str) -> None:
    """Queue the mail again and renew the expiry. A new address gets a new link.

    The caller has checked the domain of the address.
    """
    if address != invitation.email:
        invitation.email, invitation.nonce, invitation.link_copied = address, drafts.new_nonce(), False
    invitation.expires_at = now() + principal.organization.invitation_lifetime
    invitation.reset_tracking()
    invitation.domain_not_allowed = False
    if invitation.message is None:
        invitation.message = delivery.enqueue(invitation)
    else:
        delivery.requeue(invitation.message)


def _reopen(principal: Principal, invitation: Invitation, address: str, *, in_bulk: bool) -> None:
    drafts.check_redirects(principal.organization, invitation)
    status = checks.address_status(principal.organization.id, address)
    checks.check_can_invite(principal, status, in_bulk=in_bulk)
    invitation.state, invitation.closed_at = InvitationState.PENDING, None
    principal.organization.pending_count += 1
    drafts.set_inviter(invitation, principal)
