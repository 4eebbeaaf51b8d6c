"""Find accounts."""

from uuid import UUID

from sqlalchemy import exists, select

from invite_app.db import session
from invite_app.errors import InvalidCredentials, UserNotFound
from invite_app.models import User
from invite_app.services import validation


def find_by_email(address: str) -> User | None:
    """The account at a normalized address."""
    user: User | None = session().scalar(select(User).where(User.email == address))
    return user


def get_by_email(text: str) -> User:
    """Raises InvalidEmail and UserNotFound."""
    if (user := find_by_email(validation.email(text))) is None:
        raise UserNotFound(text)
    return user


def any_account() -> bool:
    """Check if any account exists."""
    return bool(session().scalar(select(exists().select_from(User))))


def lock_unchanged(user_id: UUID, password_hash: str | None) -> User:
    """Return the account, locked. Raises InvalidCredentials when its password has changed."""
    query = select(User).where(User.id == user_id, User.password_hash == password_hash)
    user: User | None = session().scalar(query.with_for_update(key_share=True))
    if user is None:
        raise InvalidCredentials
    return user
