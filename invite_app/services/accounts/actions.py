"""Create accounts."""

from sqlalchemy.exc import IntegrityError

from invite_app.db import session, transaction
from invite_app.errors import AccountExists
from invite_app.models import User
from invite_app.services import audit, validation

from . import passwords


def create(
    address: str, *, given_name: str, family_name: str, password: str | None = None, is_verified: bool = True
) -> User:
    """An account made by the operator. Raises InvalidEmail, InvalidName, WeakPassword and AccountExists."""
    password_hash = password and passwords.hash_new_password(password, about=(address, given_name, family_name))
    with transaction():
        user = add(
            validation.email(address),
            given_name=given_name,
            family_name=family_name,
            password_hash=password_hash,
            is_verified=is_verified,
        )
        audit.record(None, audit.AuditActor("operator", None, "The operator"), "account.created", user)
    return user


def add(address: str, *, given_name: str, family_name: str, password_hash: str | None, is_verified: bool) -> User:
    """A new account at a normalized address, in the caller's transaction. Raises InvalidName and AccountExists."""
    user = User(
        email=address,
        given_name=validation.name(given_name, "given_name", "a given name"),
        family_name=validation.name(family_name, "family_name", "a family name") if family_name else "",
        password_hash=password_hash,
        is_verified=is_verified,
    )
    session().add(user)
    try:
        session().flush()
    except IntegrityError:
        raise AccountExists(address) from None
    return user
