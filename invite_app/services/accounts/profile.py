"""Users' own accounts: name, address, password and sessions."""

from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from invite_app.db import session, transaction
from invite_app.errors import AccountExists, InvalidCredentials, InvalidEmail
from invite_app.models import Membership, Organization, Session, User
from invite_app.models.members import sort_name
from invite_app.models.types import now
from invite_app.services import audit, delivery, rate_limits, validation

from . import keys, links, passwords, queries, sessions
from .links import Purpose
from .sessions import Device


def rename(user_id: UUID, *, given_name: str, family_name: str, ip: str | None = None) -> User:
    """Raises InvalidName."""
    with transaction() as writing:
        user = writing.get_one(User, user_id)
        user.given_name = validation.name(given_name, "given_name", "a given name")
        user.family_name = validation.name(family_name, "family_name", "a family name")
        _refresh_sort_name(user)
        audit.record(None, _author(user, ip), "account.renamed", user)
    return user


def change_password(user_id: UUID, *, old: str, new: str, keep_session: str | None, ip: str | None = None) -> User:
    """End every other sign-in with the old password. Raises InvalidCredentials, RateLimited and WeakPassword."""
    known = check_password(user_id, old, keep_session)
    password_hash = passwords.hash_new_password(new, field="new_password", about=_personal_words(user_id))
    with transaction():
        user = queries.lock_unchanged(user_id, known)
        user.password_hash = password_hash
        _end_sessions(user_id, keep_session)
        _tell("password_changed", user)
        audit.record(None, _author(user, ip), "account.password_changed", user)
    return user


def request_reset(text: str, *, ip: str | None = None) -> None:
    """Mail a link for a new password to that address, if it has an account; nobody learns whether it has.

    The same is read and written in both cases, and taken back where there is none, so that the time tells nothing.

    Raises RateLimited, for addresses without an account as well.
    """
    rate_limits.count("reset by address", rate_limits.network(ip))
    try:
        address = validation.email(text)
    except InvalidEmail:
        return
    rate_limits.count("reset of account", address)
    with transaction() as writing:
        if (user := _find_or_decoy(address)) is None:
            return
        written = writing.begin_nested()
        delivery.enqueue_notification("reset", user, link=links.add(user, Purpose.RESET))
        audit.record(None, _author(user, ip), "account.reset_requested", user)
        writing.flush()
        if user.email == address:
            written.commit()
        else:
            written.rollback()


def reset_password(token: str, password: str, *, device: Device, end_api_keys: bool = False) -> Session:
    """Set a new password through a mailed link, which also proves the address. End every other sign-in, and if
    asked the account's API keys.

    Raises InvalidLink and WeakPassword; a weak password leaves the link usable.
    """
    owner = links.get_link(token, Purpose.RESET).user
    password_hash = passwords.hash_new_password(password, about=_personal_words(owner.id))
    with transaction():
        if end_api_keys:
            keys.revoke_all_keys(owner.id, _author(owner, device.ip))
        user = links.use(token, Purpose.RESET).user
        user.password_hash = password_hash
        user.is_verified = True
        _end_sessions(user.id, None)
        _tell("password_changed", user)
        audit.record(None, _author(user, device.ip), "account.password_reset", user)
        return sessions.add_session(user, device)


def request_email_change(user_id: UUID, text: str, *, password: str, session_id: str | None = None) -> str:
    """Mail a link to a new address; the address changes when the link is followed. Returns it normalized.

    Raises InvalidCredentials, RateLimited, InvalidEmail and AccountExists.
    """
    known = check_password(user_id, password, session_id)
    address = validation.email(text)
    rate_limits.count("addresses of account", user_id)
    with transaction():
        user = queries.lock_unchanged(user_id, known)
        if queries.find_by_email(address) is not None:
            raise AccountExists(address)
        link = links.add(user, Purpose.ADDRESS, email=address)
        delivery.enqueue_notification("address", user, link=link)
    return address


def confirm_email_change(token: str, *, ip: str | None = None) -> User:
    """Take the new address over. Raises InvalidLink and AccountExists."""
    with transaction() as writing:
        link = links.use(token, Purpose.ADDRESS)
        user, address = link.user, link.email
        before, was_proven = user.email, user.is_verified
        user.email, user.is_verified = address, True
        try:
            writing.flush()
        except IntegrityError:
            raise AccountExists(address) from None
        _refresh_sort_name(user)
        links.end_all(user.id)
        _tell("address_changed", user)
        if was_proven:
            _tell("address_changed", user, email=before)
        what = {"before": {"email": before}, "after": {"email": user.email}}
        audit.record(None, _author(user, ip), "account.address_changed", user, **what)
    return user


def list_sessions(user_id: UUID) -> list[Session]:
    """Return the sessions of the account, most recently used first."""
    query = select(Session).where(Session.user_id == user_id, Session.created_at > now() - sessions.SESSION_LIFETIME)
    return list(session().scalars(query.order_by(Session.last_seen_at.desc())))


def end_session(user_id: UUID, session_id: str) -> None:
    """Sign out one browser of this account."""
    with transaction() as writing:
        writing.execute(
            delete(Session).where(
                Session.user_id == user_id, Session.id == validation.replace_unsearchable(session_id)
            )
        )


def end_other_sessions(user_id: UUID, keep_session: str) -> None:
    """Sign out every browser but this one."""
    with transaction() as writing:
        _end_sessions(user_id, keep_session)
        _tell("signed_out", writing.get_one(User, user_id))


def _find_or_decoy(address: str) -> User | None:
    """The account at the address, or any other."""
    first = select(User.id).order_by(User.id).limit(1).scalar_subquery()
    is_wanted = User.email == address
    query = select(User).where(is_wanted | (User.id == first)).order_by(is_wanted.desc()).limit(1)
    found: User | None = session().scalar(query)
    return found


def check_password(user_id: UUID, password: str, session_id: str | None) -> str | None:
    """Return the hash that the password belongs to. Raises InvalidCredentials and RateLimited.

    Failures are counted for the session: a thief at a signed-in browser cannot try passwords without end, and nobody
    else can use the budget up.
    """
    known: str | None = session().get_one(User, user_id).password_hash
    rate_limits.check("password of session", user_id, session_id)
    if not passwords.password_matches(password, known):
        rate_limits.count("password of session", user_id, session_id)
        raise InvalidCredentials
    return known


def _personal_words(user_id: UUID) -> list[str]:
    """Return words that an attacker would try first: names, address and organizations."""
    user = session().get_one(User, user_id)
    organizations = (
        select(Organization.name)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(Membership.user_id == user_id)
    )
    return [user.email, user.name, *session().scalars(organizations)]


def _end_sessions(user_id: UUID, keep_session: str | None) -> None:
    """End the sign-ins, and the links that could make new ones."""
    links.end_all(user_id)
    which = delete(Session).where(Session.user_id == user_id)
    session().execute(which if keep_session is None else which.where(Session.id != keep_session))


def _tell(kind: str, user: User, *, email: str | None = None) -> None:
    """Queue a mail about the security of an account. An unproven address may be that of a stranger."""
    if user.is_verified:
        delivery.enqueue_notification(kind, user, email=email)


def _refresh_sort_name(user: User) -> None:
    session().execute(update(Membership).where(Membership.user_id == user.id).values(sort_name=sort_name(user)))


def _author(user: User, ip: str | None) -> audit.AuditActor:
    return audit.AuditActor("person", user.id, user.name, ip)
