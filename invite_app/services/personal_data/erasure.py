"""Erasing a person: the account and all that belongs to it goes, and a pseudonym replaces it in what has to stay.

Organizations keep their audit log and invitations. Their seats, counters and pending invitations change as if the
person had left.
"""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import Select, String, and_, cast, delete, or_, select, update

from invite_app.access import Actor, OperatorActor, UserActor, authorize, lock_organization
from invite_app.db import session, transaction
from invite_app.errors import InvalidCredentials, SoleOwner, UserNotFound
from invite_app.models import (
    ApiKey,
    AuditEvent,
    IdempotencyKey,
    Import,
    ImportRow,
    Invitation,
    InvitationEvent,
    InvitationState,
    Membership,
    Organization,
    OutboxMessage,
    RowState,
    User,
)
from invite_app.services import accounts, audit, invitations, members

from .pseudonyms import ErasedPerson

# Audit events that are read and overwritten together.
CHUNK = 500
OPEN = (InvitationState.PENDING, InvitationState.EXPIRED)
UNNAMED = dict.fromkeys(("given_name", "family_name", "note", "decline_message", "request_message"), "")


def erase_own(user_id: UUID, *, password: str, session_id: str, by: UserActor) -> str:
    """Erase the signed-in person. Raises InvalidCredentials, RateLimited and SoleOwner."""
    known = accounts.check_password(user_id, password, session_id)
    return _erase(user_id, by, known)


def erase(user_id: UUID, *, by: OperatorActor) -> str:
    """Erase a person and return the pseudonym that replaces their name. Raises UserNotFound and SoleOwner."""
    return _erase(user_id, by)


def find_sole_ownerships(user_id: UUID) -> list[Organization]:
    """Return the organizations that have no other owner, by name."""
    owned = [one for one in members.memberships_of(user_id) if one.role.is_owner]
    alone = [one.organization for one in owned if members.count_owners(one) == 1]
    return sorted(alone, key=lambda one: one.name)


def _erase(user_id: UUID, by: Actor, password_hash: str | None = None) -> str:
    with transaction() as writing:
        organizations = _lock_organizations(user_id)
        user = _lock_account(user_id)
        if password_hash is not None and user.password_hash != password_hash:
            raise InvalidCredentials
        if alone := find_sole_ownerships(user_id):
            raise SoleOwner(tuple(one.name for one in alone))
        person = _describe(user)
        _leave_all(user, by)
        for organization in organizations:
            _close_invitations(organization, person)
        writing.flush()
        _replace_in_audit(person)
        _replace_in_invitations(person)
        _delete_copies(person)
        _delete_account(user, person, by)
    return person.pseudonym


def _lock_organizations(user_id: UUID) -> list[Organization]:
    """Lock the organizations that an erasure changes, in the order of their ids."""
    user = _get(session().get(User, user_id), user_id)
    member_of = select(Membership.organization_id).where(Membership.user_id == user_id)
    concerned = or_(Invitation.email.in_(_addresses(user)), Invitation.inviter_id == user_id)
    inviting = select(Invitation.organization_id).where(concerned, Invitation.state.in_(OPEN))
    found = {*session().scalars(member_of), *session().scalars(inviting)}
    return [lock_organization(organization_id) for organization_id in sorted(found)]


def _lock_account(user_id: UUID) -> User:
    """Lock the row, so that nothing refers to it any more after its deletion."""
    query = select(User).where(User.id == user_id).with_for_update()
    return _get(session().scalar(query.execution_options(populate_existing=True)), user_id)


def _get(user: User | None, user_id: UUID) -> User:
    """Return the account. Raise UserNotFound when it was erased meanwhile."""
    if user is None:
        raise UserNotFound(str(user_id))
    return user


def _describe(user: User) -> ErasedPerson:
    keys = session().execute(select(ApiKey.id, ApiKey.name).where(ApiKey.user_id == user.id))
    return ErasedPerson(user.id, user.name, _addresses(user), {row.id: row.name for row in keys})


def _addresses(user: User) -> list[str]:
    """Return the present address and the earlier ones, without those that another account has by now."""
    changes = select(AuditEvent.before).where(
        AuditEvent.target_id == user.id, AuditEvent.action == "account.address_changed"
    )
    earlier = {before["email"] for before in session().scalars(changes)} - {user.email}
    taken = set(session().scalars(select(User.email).where(User.email.in_(earlier), User.id != user.id)))
    return [user.email, *sorted(earlier - taken)]


def _leave_all(user: User, by: Actor) -> None:
    action = "member.removed" if isinstance(by, OperatorActor) else "member.left"
    for membership in members.memberships_of(user.id):
        organization = lock_organization(membership.organization_id)
        principal = replace(authorize(by, organization.id), organization=organization)
        members.end_membership(principal, membership, action)


def _close_invitations(organization: Organization, person: ErasedPerson) -> None:
    """End the open invitations to the person, so that nobody sends them again."""
    for address in person.addresses:
        invitations.revoke_for_address(organization, address)
    expired = update(Invitation).where(
        Invitation.organization_id == organization.id,
        Invitation.email.in_(person.addresses),
        Invitation.state == InvitationState.EXPIRED,
    )
    session().execute(expired.values(state=InvitationState.REVOKED), execution_options=_UNSYNCED)


def _replace_in_audit(person: ErasedPerson) -> None:
    about = {person.id, *session().scalars(_received(person))}
    query = _events_naming(person, about).order_by(AuditEvent.id).limit(CHUNK)
    last = UUID(int=0)
    while events := session().scalars(query.where(AuditEvent.id > last)).all():
        last = events[-1].id
        audit.pseudonymize([person.replaced_event(one, is_about_them=one.target_id in about) for one in events])


def _events_naming(person: ErasedPerson, about: set[UUID]) -> Select[AuditEvent]:
    """Select the events that name a person: as actor, as target, or in a value that changed.

    A name alone is looked for only in organizations where the person has acted, since others may have the same.
    """
    acted = AuditEvent.actor_id.in_([person.id, *person.keys])
    here = AuditEvent.organization_id.in_(select(AuditEvent.organization_id).where(acted))
    sides = [cast(side, String) for side in (AuditEvent.before, AuditEvent.after)]
    addressed = [side.contains(one, autoescape=True) for side in sides for one in person.addresses]
    named = [side.contains(one, autoescape=True) for side in sides for one in person.written_names]
    is_target = or_(AuditEvent.target_id.in_(about), AuditEvent.target_name.in_(person.addresses))
    return select(AuditEvent).where(or_(acted, is_target, *addressed, and_(here, or_(*named))))


def _replace_in_invitations(person: ErasedPerson) -> None:
    received = _received(person)
    for event in session().scalars(select(InvitationEvent).where(InvitationEvent.invitation_id.in_(received))):
        event.detail = person.replace_in(event.detail) | ({"word": ""} if "word" in event.detail else {})
    session().flush()
    told = update(OutboxMessage).where(OutboxMessage.invitation_id.in_(received)).values(answer="", reason="")
    sent = update(Invitation).where(Invitation.inviter_id == person.id).values(inviter_name=person.pseudonym)
    invited = update(Invitation).where(Invitation.email.in_(person.addresses))
    emptied = invited.values(email=person.address, public_metadata={}, private_metadata={}, **UNNAMED)
    for statement in (told, sent, emptied):
        session().execute(statement, execution_options=_UNSYNCED)


def _delete_copies(person: ErasedPerson) -> None:
    """Delete what was kept for a while only: lists in preparation and answers to repeated requests."""
    rows = ImportRow.address.in_(person.addresses)
    unnamed = {"email": person.address, "address": person.address, "given_name": "", "family_name": ""}
    answers = or_(*(IdempotencyKey.answer.contains(one, autoescape=True) for one in person.addresses))
    for statement in (
        delete(Import).where(Import.created_by_id == person.id, Import.batch_id.is_(None)),
        delete(ImportRow).where(rows, ImportRow.state != RowState.SENT),
        update(ImportRow).where(rows).values(unnamed),
        delete(IdempotencyKey).where(answers),
    ):
        session().execute(statement, execution_options=_UNSYNCED)


def _delete_account(user: User, person: ErasedPerson, by: Actor) -> None:
    """Delete the row, and with it sessions, links, keys, messages and offers; record it under the pseudonym."""
    user.email, user.given_name, user.family_name = person.address, person.pseudonym, ""
    own = audit.AuditActor("person", user.id, person.pseudonym)
    author = audit.AuditActor("operator", None, "The operator") if isinstance(by, OperatorActor) else own
    audit.record(None, author, "account.erased", user)
    session().flush()
    session().execute(delete(User).where(User.id == person.id), execution_options=_UNSYNCED)


def _received(person: ErasedPerson) -> Select[UUID]:
    return select(Invitation.id).where(Invitation.email.in_(person.addresses))


_UNSYNCED = {"synchronize_session": False}
