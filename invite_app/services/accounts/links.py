"""Links that act for an account once, and only for a while: signing in, a new password, a new address."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from invite_app import tokens
from invite_app.db import session
from invite_app.errors import InvalidLink
from invite_app.models import AccountLink, User
from invite_app.models.types import now


class Purpose(StrEnum):
    SIGN_IN = "sign-in"
    RESET = "reset"
    ADDRESS = "address"


LINK_LIFETIMES = {
    Purpose.SIGN_IN: timedelta(minutes=15),
    Purpose.RESET: timedelta(hours=1),
    Purpose.ADDRESS: timedelta(hours=1),
}


def add(user: User, purpose: Purpose, *, email: str = "") -> AccountLink:
    """A new link, as part of the caller's transaction."""
    link = AccountLink(
        user_id=user.id, user=user, purpose=purpose, email=email, expires_at=now() + LINK_LIFETIMES[purpose]
    )
    session().add(link)
    session().flush()
    return link


def end_all(user_id: UUID) -> None:
    """No link of this account works any more: they may lie in a mailbox or browser that is not its owner's."""
    session().execute(
        update(AccountLink)
        .where(AccountLink.user_id == user_id, AccountLink.used_at.is_(None))
        .values(used_at=now())
        .execution_options(synchronize_session=False)
    )


def get_link(token: str, purpose: Purpose) -> AccountLink:
    """The link behind a token, left as it is, with its user. Raises InvalidLink as `use` does."""
    link: AccountLink | None = session().scalar(select(AccountLink).where(*_usable(token, purpose, now())))
    if link is None:
        raise InvalidLink
    return link


def use(token: str, purpose: Purpose) -> AccountLink:
    """The link behind a token, used up with the caller's transaction, with its user, who is locked before it.

    Raises InvalidLink when it is not one for this purpose, was used before, or has ended.
    """
    moment = now()
    is_usable = _usable(token, purpose, moment)
    owner = select(AccountLink.user_id).where(*is_usable).scalar_subquery()
    session().execute(select(User.id).where(User.id == owner).with_for_update(key_share=True))
    used = session().execute(update(AccountLink).where(*is_usable).values(used_at=moment))
    if not used.rowcount:  # type: ignore[attr-defined]  # an UPDATE's result has a row count
        raise InvalidLink
    return session().get_one(AccountLink, tokens.parse(token).id)


def _usable(token: str, purpose: Purpose, moment: datetime) -> tuple[ColumnElement[bool], ...]:
    parsed = tokens.parse(token)
    if not tokens.is_valid(parsed, "account"):
        raise InvalidLink
    return (
        AccountLink.id == parsed.id,
        AccountLink.purpose == purpose,
        AccountLink.used_at.is_(None),
        AccountLink.expires_at > moment,
    )
