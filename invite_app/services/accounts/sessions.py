"""Sign in and out, by password or by a link, and keep track of a person's devices."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm.attributes import set_committed_value

from invite_app import tokens
from invite_app.db import session, transaction
from invite_app.db.reading import Reader
from invite_app.errors import InvalidCredentials, InvalidEmail
from invite_app.models import Membership, Session, User
from invite_app.models.types import now
from invite_app.services import audit, rate_limits, validation

from . import known_devices, links, passwords, queries
from .links import Purpose

SESSION_LIFETIME = timedelta(days=14)
LAST_SEEN_STEP = timedelta(minutes=5)


@dataclass(frozen=True)
class Device:
    """The origin of a sign-in, as the list of sessions shows it; `cookie` is that of `known_devices`."""

    ip: str | None = None
    user_agent: str | None = None
    cookie: str | None = None


_LIVE = Reader(
    select(Session, User)
    .join(User, User.id == Session.user_id)
    .where(Session.id == bindparam("id"), Session.created_at > bindparam("oldest"))
)


def sign_in(text: str, password: str, *, device: Device) -> Session:
    """Sign in by password. Raises RateLimited and InvalidCredentials after the same time with and without account.

    Only failures count, so that nobody is kept out by signing in often. A browser that has signed in to the account
    before has a budget of its own. All others share budgets for their network, for the account from their network,
    and for the account from everywhere.
    """
    try:
        address = validation.email(text)
    except InvalidEmail:
        address = ""
    user = queries.find_by_email(address) if address else None
    budgets = _budgets(address, user, device)
    for what, *whom in budgets:
        rate_limits.check(what, *whom)
    known = user.password_hash if user else None
    if not passwords.password_matches(password, known) or user is None:
        for what, *whom in budgets:
            rate_limits.count(what, *whom)
        raise InvalidCredentials
    with transaction():
        return add_session(queries.lock_unchanged(user.id, known), device)


def _budgets(address: str, user: User | None, device: Device) -> list[tuple[str, ...]]:
    """Return the limits that a failed sign-in counts against, each with what it is counted for."""
    if user is not None and (device_id := known_devices.find_device_id(user, device.cookie)):
        return [("sign-in from known device", str(user.id), device_id)]
    network = rate_limits.network(device.ip)
    budgets: list[tuple[str, ...]] = [("sign-in by address", network)]
    if address:
        budgets += [("sign-in to account from network", address, network), ("sign-in to account", address)]
    return budgets


def start_session(user_id: UUID, *, device: Device) -> Session:
    """Sign an account in that has just proven itself in another way (a link, a new password)."""
    with transaction():
        return add_session(session().get_one(User, user_id), device)


def find_session(session_id: str) -> Session | None:
    """The sign-in with its user, or None when it was ended or has become too old."""
    if (row := _LIVE.first(id=session_id, oldest=now() - SESSION_LIFETIME)) is None:
        return None
    found: Session = row[0]
    set_committed_value(found, "user", row[1])
    return found


def touch_session(used: Session) -> bool:
    """Note that somebody is here, unless that was noted a moment ago; whether it was not."""
    moment = now()
    if moment - used.last_seen_at < LAST_SEEN_STEP:
        return False
    with transaction(is_idempotent=True) as writing:
        writing.execute(update(Session).where(Session.id == used.id).values(last_seen_at=moment))
    return True


def touch_membership(user_id: UUID, organization_id: UUID) -> None:
    """Note that a member is here, in this organization, unless that was noted a moment ago."""
    moment = now()
    theirs = (
        Membership.user_id == user_id,
        Membership.organization_id == organization_id,
        Membership.last_seen_at < moment - LAST_SEEN_STEP,
    )
    if session().scalar(select(Membership.id).where(*theirs)) is None:
        return
    seen = {"last_seen_at": moment, "updated_at": Membership.updated_at}  # being here is no change
    with transaction(is_idempotent=True) as writing:
        writing.execute(update(Membership).where(*theirs).values(seen))


def sign_out(session_id: str) -> None:
    """End one sign-in; the account's others stay."""
    with transaction() as writing:
        writing.execute(delete(Session).where(Session.id == session_id))


def create_sign_in_link(text: str) -> str:
    """The token of a link that signs this account in once, within 15 minutes. For the operator only."""
    with transaction():
        user = queries.get_by_email(text)
        link = links.add(user, Purpose.SIGN_IN)
        audit.record(None, audit.AuditActor("operator", None, "The operator"), "account.sign_in_link_made", user)
    return tokens.account_token(link.id)


def sign_in_with_link(token: str, *, device: Device) -> Session:
    """Use a sign-in link up. Raises InvalidLink when it is not one, was used, or has ended."""
    with transaction():
        return add_session(links.use(token, Purpose.SIGN_IN).user, device)


def add_session(user: User, device: Device) -> Session:
    """A new sign-in, as part of the caller's transaction."""
    started = Session(
        id=secrets.token_urlsafe(32),
        user_id=user.id,
        user=user,
        ip=device.ip,
        user_agent=(device.user_agent or "")[:300] or None,
    )
    session().add(started)
    session().flush()
    return started
