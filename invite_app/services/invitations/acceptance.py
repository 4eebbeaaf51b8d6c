"""The invitee's side: open an invitation link, accept or decline the invitation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select

from invite_app import tokens
from invite_app.db import rows, session, transaction
from invite_app.db.reading import Question, Reader, attach
from invite_app.errors import (
    AccountExists,
    AlreadyMember,
    DomainError,
    EmailVerificationRequired,
    InvitationClosed,
    InviterNotAllowed,
    RoleDeleted,
    SeatLimitReached,
    SignInRequired,
    WrongAccount,
)
from invite_app.models import Invitation, InvitationState, Membership, Organization, Role, User
from invite_app.models.members import membership_workspaces, sort_name
from invite_app.models.types import fresh, now
from invite_app.services import accounts, audit, delivery, inviter_mail, inviter_rights, validation

from . import drafts, expiry, links


@dataclass(frozen=True)
class NewProfile:
    """The name and password of a new account."""

    given_name: str
    family_name: str
    password: str


@dataclass(frozen=True)
class InvitationOffer:
    """An invitation in any state, as its invitee sees it.

    `has_account` is None for a copied link, so that the admin who copied it cannot find out who has an account.
    `obstacle` is the error that accepting a pending invitation would raise now. `landing` is the redirect URL, or
    None when the organization no longer allows it.
    """

    invitation: Invitation
    state: InvitationState
    has_account: bool | None
    obstacle: DomainError | None = None
    landing: str | None = None


_MEMBERSHIP_ID: Any = (
    select(Membership.id)
    .join(Invitation, Invitation.organization_id == Membership.organization_id)
    .where(Invitation.id == bindparam("invitation_id"), Membership.user_id == bindparam("user_id"))
    .scalar_subquery()
)
# A user, and the id of their membership in the organization of an invitation.
_USER_AND_MEMBERSHIP = Reader(select(User, _MEMBERSHIP_ID).where(User.id == bindparam("user_id")))


def open_link(token: str) -> InvitationOffer:
    """Return the invitation behind a link, without recording a visit. Raises InvalidLink."""
    parsed = tokens.parse(token)
    invitation = links.find(parsed)
    state = invitation.state_at(now())
    return InvitationOffer(
        invitation,
        state,
        has_account=None if parsed.is_copied else accounts.find_by_email(invitation.email) is not None,
        obstacle=_find_obstacle(invitation) if state == InvitationState.PENDING else None,
        landing=_landing(invitation),
    )


def accept_with_new_account(token: str, profile: NewProfile, *, ip: str | None = None) -> Membership:
    """Create an account at the invited address, and its membership.

    Raises InvalidLink, InvitationClosed, InviterNotAllowed, RoleDeleted, DomainNotAllowed, SeatLimitReached,
    SignInRequired, InvalidName and WeakPassword.
    """
    parsed, offer = tokens.parse(token), open_link(token)
    password_hash = None if offer.has_account else _hash_password(offer, profile)
    with transaction():
        invitation, organization = _lock_pending(parsed)
        role = _check_acceptable(invitation, organization)
        if password_hash is None or accounts.find_by_email(invitation.email) is not None:
            raise SignInRequired(invitation.email)
        user = _add_account(invitation.email, profile, password_hash, is_verified=not parsed.is_copied)
        return _create_membership(invitation, organization, role, user, ip)


def accept_with_account(token: str, user_id: UUID, *, ip: str | None = None) -> Membership:
    """Make the signed-in user a member.

    Raises InvalidLink, InvitationClosed, WrongAccount, AlreadyMember, RoleDeleted, InviterNotAllowed,
    DomainNotAllowed, SeatLimitReached and EmailVerificationRequired.
    """
    parsed = tokens.parse(token)
    with transaction():
        user_query = _USER_AND_MEMBERSHIP.question(user_id=user_id, invitation_id=parsed.id)
        invitation, organization = _lock_pending(parsed, prefetch=[user_query])
        user, membership_id = _user_and_membership_id(user_query)
        if user.email != invitation.email:
            raise WrongAccount(invitation.email, user.email)
        if membership_id is not None:
            raise AlreadyMember(user.email, user.id)
        role = _check_acceptable(invitation, organization)
        if not user.is_verified and parsed.is_copied:
            raise EmailVerificationRequired(invitation.email)
        if not user.is_verified:
            user.is_verified = True
        return _create_membership(invitation, organization, role, user, ip)


def _user_and_membership_id(user_query: Question) -> tuple[User, UUID | None]:
    assert user_query.rows  # a signed-in user has an account
    user, membership_id = user_query.rows[0]
    return attach(user), membership_id


def decline(token: str, *, word: str = "", ip: str | None = None) -> Invitation:
    """Decline the invitation, optionally with a message to the inviter.

    Raises InvalidLink, InvitationClosed and InvalidNote.
    """
    parsed = tokens.parse(token)
    with transaction():
        invitation, organization = _lock_pending(parsed)
        invitation.decline_message = validation.note(word)
        expiry.close(invitation, organization, InvitationState.DECLINED)
        audit.record(organization.id, audit.invitee_actor(invitation, ip), "invitation.declined", invitation)
        delivery.notify_inviter(inviter_mail.DECLINED, invitation)
        return invitation


def _lock_pending(parsed: tokens.Token, prefetch: Sequence[Question] = ()) -> tuple[Invitation, Organization]:
    """Return the locked pending invitation; `prefetch` queries run in the same round trip."""
    invitation, organization = links.lock(parsed, prefetch)
    if (state := invitation.state_at(now())) != InvitationState.PENDING:
        raise InvitationClosed(invitation.id, state)
    return invitation, organization


def _find_obstacle(invitation: Invitation) -> DomainError | None:
    try:
        _check_acceptable(invitation, invitation.organization)
    except DomainError as error:
        return error
    return None


def _landing(invitation: Invitation) -> str | None:
    url = invitation.redirect_uri
    return url if url is not None and drafts.is_redirect_allowed(url, invitation.organization) else None


def _check_acceptable(invitation: Invitation, organization: Organization) -> Role:
    if invitation.role is None:
        raise RoleDeleted(invitation.role_name)
    if not inviter_rights.can_still_grant(invitation, invitation.role):
        raise InviterNotAllowed(invitation.inviter_name, invitation.role_name)
    validation.check_domain_allowed(invitation.email, organization.allowed_domains)
    if organization.seat_limit is not None and organization.members_count + 1 > organization.seat_limit:
        raise SeatLimitReached(organization.seat_limit)
    return invitation.role


def _hash_password(offer: InvitationOffer, profile: NewProfile) -> str:
    """Hash the password before the organization is locked, because it is slow; the checks are repeated then."""
    invitation = offer.invitation
    if offer.state != InvitationState.PENDING:
        raise InvitationClosed(invitation.id, offer.state)
    if offer.obstacle is not None:
        raise offer.obstacle
    names = (
        validation.name(profile.given_name, "given_name", "a given name"),
        validation.name(profile.family_name, "family_name", "a family name"),
    )
    return accounts.hash_new_password(
        profile.password, about=(invitation.email, *names, invitation.organization.name)
    )


def _add_account(address: str, profile: NewProfile, password_hash: str, *, is_verified: bool) -> User:
    try:
        return accounts.add(
            address,
            given_name=profile.given_name,
            family_name=profile.family_name,
            password_hash=password_hash,
            is_verified=is_verified,
        )
    except AccountExists:  # another organization's invitation was accepted at the same time
        raise SignInRequired(address) from None


def _create_membership(
    invitation: Invitation, organization: Organization, role: Role, user: User, ip: str | None
) -> Membership:
    session().flush()  # the account may be new
    moment = now()
    membership = fresh(
        Membership,
        organization_id=organization.id,
        user_id=user.id,
        user=user,
        role_id=role.id,
        role=role,
        sort_name=sort_name(user),
        invitation_id=invitation.id,
        workspaces=list(invitation.workspaces),
        public_metadata=invitation.public_metadata,
        private_metadata=invitation.private_metadata,
        created_at=moment,
        updated_at=moment,
    )
    actor = audit.AuditActor("person", user.id, user.name, ip)
    event = audit.new_event(organization.id, actor, "invitation.accepted", invitation, after={"role": role.name})
    accepted = {"state": InvitationState.ACCEPTED, "closed_at": moment, "accepted_by_id": user.id}
    counts = {"members_count": organization.members_count + 1, "pending_count": organization.pending_count - 1}
    rows.write(
        rows.new_row(membership),
        rows.new_row(event),
        rows.change(invitation, updated_at=moment, **accepted),
        rows.change(organization, **counts),
    )
    _link_workspaces(membership)
    return membership


def _link_workspaces(membership: Membership) -> None:
    links = [{"membership_id": membership.id, "workspace_id": workspace.id} for workspace in membership.workspaces]
    if links:
        session().execute(insert(membership_workspaces), links)
