"""The invitee's side: looking at an invitation, accepting it, declining it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select

from invite_app import rows, tokens
from invite_app.db import session, transaction
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
from invite_app.reading import Question, Reader, attach
from invite_app.services import accounts, audit, delivery, inviter_rights, validation

from . import drafts, expiry, links


@dataclass(frozen=True)
class NewProfile:
    """What a new person says about themselves."""

    given_name: str
    family_name: str
    password: str


@dataclass(frozen=True)
class InvitationOffer:
    """An invitation as its invitee sees it, whatever its state.

    `has_account` is None on a copied link: the admin who copied it would learn whether a stranger has an account.
    `obstacle` is what keeps a pending one from being accepted as things stand. `landing` is where the inviter
    wants the invitee to go afterwards, while the organization still allows that address.
    """

    invitation: Invitation
    state: InvitationState
    has_account: bool | None
    obstacle: DomainError | None = None
    landing: str | None = None


_PLACE: Any = (
    select(Membership.id)
    .join(Invitation, Invitation.organization_id == Membership.organization_id)
    .where(Invitation.id == bindparam("invitation_id"), Membership.user_id == bindparam("user_id"))
    .scalar_subquery()
)
_PERSON = Reader(select(User, _PLACE).where(User.id == bindparam("user_id")))
"""A person, and the id of their place in the organization that an invitation leads to."""


def open_link(token: str) -> InvitationOffer:
    """What a link offers; changes nothing. Raises InvalidLink."""
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
    """Make an account at the invited address, and a member of it.

    Raises InvalidLink, InvitationClosed, InviterNotAllowed, RoleDeleted, DomainNotAllowed, SeatLimitReached,
    SignInRequired, InvalidName and WeakPassword.
    """
    parsed, offer = tokens.parse(token), open_link(token)
    password_hash = None if offer.has_account else _password_hash(offer, profile)
    with transaction():
        invitation, organization = _lock_pending(parsed)
        role = _check_acceptable(invitation, organization)
        if password_hash is None or accounts.find_by_email(invitation.email) is not None:
            raise SignInRequired(invitation.email)
        user = _add_account(invitation.email, profile, password_hash, is_verified=not parsed.is_copied)
        return _create_membership(invitation, organization, role, user, ip)


def accept_with_account(token: str, user_id: UUID, *, ip: str | None = None) -> Membership:
    """Make the signed-in person a member.

    Raises InvalidLink, InvitationClosed, WrongAccount, AlreadyMember, RoleDeleted, InviterNotAllowed,
    DomainNotAllowed, SeatLimitReached and EmailVerificationRequired.
    """
    parsed = tokens.parse(token)
    with transaction():
        person = _PERSON.question(user_id=user_id, invitation_id=parsed.id)
        invitation, organization = _lock_pending(parsed, prefetch=[person])
        user, membership_id = _answered(person)
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


def _answered(person: Question) -> tuple[User, UUID | None]:
    """The person, and the id of their place in the organization when they have one."""
    assert person.rows  # whoever is signed in has an account
    user, membership_id = person.rows[0]
    return attach(user), membership_id


def decline(token: str, *, word: str = "", ip: str | None = None) -> Invitation:
    """Turn the invitation down, with or without a word to the admin.

    Raises InvalidLink, InvitationClosed and InvalidNote.
    """
    parsed = tokens.parse(token)
    with transaction():
        invitation, organization = _lock_pending(parsed)
        invitation.decline_message = validation.note(word)
        expiry.close(invitation, organization, InvitationState.DECLINED)
        audit.record(organization.id, audit.invitee_actor(invitation, ip), "invitation.declined", invitation)
        delivery.notify_inviter(delivery.DECLINED, invitation)
        return invitation


def _lock_pending(parsed: tokens.Token, prefetch: Sequence[Question] = ()) -> tuple[Invitation, Organization]:
    """The invitation, locked and still pending, and what is asked `along`.

    Raises InvalidLink and InvitationClosed.
    """
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


def _password_hash(offer: InvitationOffer, profile: NewProfile) -> str:
    """Made before the organization is locked, where everything is checked again."""
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
    except AccountExists:  # another organization's invitation was accepted at this very moment
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
    who = audit.AuditActor("person", user.id, user.name, ip)
    event = audit.new_event(organization.id, who, "invitation.accepted", invitation, after={"role": role.name})
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
    links = [{"membership_id": membership.id, "workspace_id": one.id} for one in membership.workspaces]
    if links:
        session().execute(insert(membership_workspaces), links)
