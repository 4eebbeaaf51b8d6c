"""Inviting people: send, look, send again, revoke, copy the link. The invitee's side is in `acceptance`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, selectinload

from invite_app.access import Actor, KeyActor, PersonActor, Standing, authorize, locked
from invite_app.db import session
from invite_app.errors import (
    AlreadyMember,
    InvitationEnded,
    InvitationPending,
    InvitationUnknown,
    PlanUpgradeRequired,
    RedirectNotAllowed,
    RoleGone,
    SeatsFull,
)
from invite_app.mail import messages
from invite_app.models import Invitation, InvitationState, Membership, Organization, Plan, Role, User
from invite_app.models.base import now

from . import audit, cursors, delivery, endings, roles, values, workspaces


@dataclass(frozen=True)
class Draft:
    """Whom to invite, into what. Names may be left out (None); everything else has the organization's default."""

    email: str
    role: str
    given_name: str | None = None
    family_name: str | None = None
    workspace_ids: Sequence[UUID | str] = ()
    note: str = ""
    lifetime: timedelta | None = None
    redirect_uri: str | None = None
    app_url: str | None = None
    public_metadata: Mapping[str, Any] = field(default_factory=dict)
    private_metadata: Mapping[str, Any] = field(default_factory=dict)


NEWEST: cursors.Order[Invitation] = cursors.Order(
    (Invitation.created_at, Invitation.id),
    lambda row: (row.created_at, row.id),
    descending=True,
)


def send(organization_id: UUID | str, draft: Draft, *, by: Actor) -> Invitation:
    """Invite a person by mail. With immediate delivery the mail server has the message when this returns.

    Raises InvalidEmail, InvalidName, InvalidNote, InvalidLifetime, DomainNotAllowed, RoleUnknown,
    WorkspaceUnknown, RedirectNotAllowed, RoleAboveOwn, PlanUpgradeRequired, AlreadyMember, InvitationPending,
    SeatsFull and DeliveryFailed, the first that applies; then nothing is kept.
    """
    with locked(organization_id, by=by, needs="invitations:write") as standing:
        invitation = _build(standing, draft)
        endings.record_overdue(standing.organization)
        check_may_be_invited(standing.organization, invitation.email)
        _insert(standing.organization, invitation)
        invitation.message = delivery.enqueue(invitation)
        audit.record(
            standing.organization.id,
            standing,
            "invitation.sent",
            invitation,
            after={"role": invitation.role_name},
        )
    delivery.send_now(invitation.message, audit.author(standing))
    return invitation


def list_page(
    organization_id: UUID | str,
    *,
    by: Actor,
    state: InvitationState | None = None,
    cursor: str | None = None,
    limit: int = 25,
) -> cursors.Page[Invitation]:
    """Invitations, newest first, with role, workspaces, inviter and delivery; of one state, or of all."""
    standing = authorize(by, organization_id, "invitations:read")
    conditions = [Invitation.organization_id == standing.organization.id]
    if state is not None:
        conditions.append(_is(state, now()))
    total = session().scalar(select(func.count()).select_from(Invitation).where(*conditions)) or 0
    return cursors.fetch(_complete().where(*conditions), NEWEST, total=total, cursor=cursor, limit=limit)


def get(organization_id: UUID | str, invitation_id: UUID | str, *, by: Actor) -> Invitation:
    """One invitation with role, workspaces, inviter and delivery. Raises InvitationUnknown."""
    standing = authorize(by, organization_id, "invitations:read")
    return _get(standing.organization.id, invitation_id)


def resend(organization_id: UUID | str, invitation_id: UUID | str, *, by: Actor) -> Invitation:
    """Send the same link again and renew its end; one that has expired becomes pending again.

    The latter needs everything that `send` needs, now for the resender, who becomes the inviter. Raises
    InvitationUnknown, InvitationEnded, RoleGone, RoleAboveOwn, and for an expired one what `send` raises.
    """
    with locked(organization_id, by=by, needs="invitations:write") as standing:
        organization = standing.organization
        endings.record_overdue(organization)
        invitation = _get(organization.id, invitation_id)
        if invitation.state not in (InvitationState.PENDING, InvitationState.EXPIRED):
            raise InvitationEnded(invitation.id, invitation.state)
        standing.check_may_grant(_role_of(invitation))
        if invitation.state == InvitationState.EXPIRED:
            _reopen(standing, invitation)
        invitation.expires_at = now() + organization.invitation_lifetime
        assert invitation.message is not None
        delivery.enqueue_again(invitation.message)
        audit.record(organization.id, standing, "invitation.resent", invitation)
    return invitation


def revoke(organization_id: UUID | str, invitation_id: UUID | str, *, by: Actor) -> Invitation:
    """The link stops working at once and the seat is free. Raises InvitationUnknown and InvitationEnded."""
    with locked(organization_id, by=by, needs="invitations:write") as standing:
        endings.record_overdue(standing.organization)
        invitation = _get(standing.organization.id, invitation_id)
        if invitation.state != InvitationState.PENDING:
            raise InvitationEnded(invitation.id, invitation.state)
        endings.end(invitation, standing.organization, InvitationState.REVOKED)
        audit.record(standing.organization.id, standing, "invitation.revoked", invitation)
    return invitation


def copy_link(organization_id: UUID | str, invitation_id: UUID | str, *, by: Actor) -> str:
    """The link, for handing over by other means. Needs the right to grant the invitation's role; is audited.

    Raises InvitationUnknown, InvitationEnded, RoleGone and RoleAboveOwn.
    """
    with locked(organization_id, by=by, needs="invitations:write") as standing:
        invitation = _get(standing.organization.id, invitation_id)
        if invitation.state_at(now()) != InvitationState.PENDING:
            raise InvitationEnded(invitation.id, invitation.state_at(now()))
        standing.check_may_grant(_role_of(invitation))
        invitation.link_copied = True
        audit.record(standing.organization.id, standing, "invitation.link_copied", invitation)
    return messages.link(invitation, copied=True)


def check_may_be_invited(organization: Organization, address: str) -> None:
    """Raises PlanUpgradeRequired, AlreadyMember, InvitationPending and SeatsFull, in this order."""
    if organization.plan == Plan.FREE:
        raise PlanUpgradeRequired
    query = (
        select(User.id)
        .join(Membership, Membership.user_id == User.id)
        .where(User.email == address, Membership.organization_id == organization.id)
    )
    if user_id := session().scalar(query):
        raise AlreadyMember(address, user_id)
    pending = (
        session()
        .execute(
            select(Invitation.id, Invitation.created_at).where(
                Invitation.organization_id == organization.id,
                Invitation.email == address,
                Invitation.state == InvitationState.PENDING,
            )
        )
        .first()
    )
    if pending:
        raise InvitationPending(address, pending.id, pending.created_at)
    limit = organization.seat_limit
    if limit is not None and organization.members_count + organization.pending_count >= limit:
        raise SeatsFull(limit)


def _build(standing: Standing, draft: Draft) -> Invitation:
    organization = standing.organization
    address = values.email(draft.email)
    values.check_domain(address, organization.allowed_domains)
    lifetime = values.lifetime(draft.lifetime) if draft.lifetime else organization.invitation_lifetime
    invitation = Invitation(
        organization_id=organization.id,
        organization=organization,
        email=address,
        given_name=_optional_name(draft.given_name, "given_name", "a given name"),
        family_name=_optional_name(draft.family_name, "family_name", "a family name"),
        note=values.note(draft.note),
        expires_at=now() + lifetime,
        redirect_uri=_allowed(draft.redirect_uri, organization),
        app_url=_allowed(draft.app_url, organization),
        public_metadata=dict(draft.public_metadata),
        private_metadata=dict(draft.private_metadata),
    )
    role = roles.get(organization.id, draft.role)
    invitation.workspaces = workspaces.get_many(organization.id, draft.workspace_ids)
    standing.check_may_grant(role)
    invitation.role, invitation.role_id, invitation.role_name = role, role.id, role.name
    _set_inviter(invitation, standing)
    return invitation


def _optional_name(text: str | None, name: str, label: str) -> str:
    return "" if text is None else values.name(text, name, label)


def _allowed(url: str | None, organization: Organization) -> str | None:
    if url is None:
        return None
    own = values.origin(current_app.config["EXTERNAL_URL"])
    found = values.origin(url)
    if found is None or len(url) > 2000 or found not in (own, *organization.allowed_origins):
        raise RedirectNotAllowed(url)
    return url


def _set_inviter(invitation: Invitation, standing: Standing) -> None:
    kinds = {PersonActor: "person", KeyActor: "key"}
    invitation.inviter_kind = kinds.get(type(standing.actor), "operator")
    invitation.inviter = standing.user
    invitation.inviter_id = standing.user.id if standing.user else None
    invitation.inviter_key_id = standing.api_key.id if standing.api_key else None
    invitation.inviter_name = standing.name if standing.user else standing.organization.name


def _insert(organization: Organization, invitation: Invitation) -> None:
    session().add(invitation)
    organization.pending_count += 1
    try:
        session().flush()
    except IntegrityError:
        raise InvitationPending(invitation.email, invitation.id, now()) from None


def _reopen(standing: Standing, invitation: Invitation) -> None:
    values.check_domain(invitation.email, standing.organization.allowed_domains)
    check_may_be_invited(standing.organization, invitation.email)
    invitation.state, invitation.ended_at = InvitationState.PENDING, None
    standing.organization.pending_count += 1
    _set_inviter(invitation, standing)


def _role_of(invitation: Invitation) -> Role:
    if invitation.role is None:
        raise RoleGone(invitation.role_name)
    return invitation.role


def _is(state: InvitationState, moment: datetime) -> Any:
    overdue = and_(Invitation.state == InvitationState.PENDING, Invitation.expires_at <= moment)
    match state:
        case InvitationState.PENDING:
            return and_(Invitation.state == InvitationState.PENDING, Invitation.expires_at > moment)
        case InvitationState.EXPIRED:
            return or_(Invitation.state == InvitationState.EXPIRED, overdue)
        case _:
            return Invitation.state == state


def _complete() -> Select[Invitation]:
    return select(Invitation).options(
        joinedload(Invitation.role),
        joinedload(Invitation.inviter),
        joinedload(Invitation.message),
        joinedload(Invitation.organization, innerjoin=True),
        selectinload(Invitation.workspaces),
    )


def _get(organization_id: UUID, invitation_id: UUID | str) -> Invitation:
    try:
        wanted = invitation_id if isinstance(invitation_id, UUID) else UUID(invitation_id)
    except ValueError:
        raise InvitationUnknown(str(invitation_id)) from None
    query = _complete().where(Invitation.id == wanted, Invitation.organization_id == organization_id)
    if (invitation := session().scalar(query)) is None:
        raise InvitationUnknown(str(invitation_id))
    return invitation
