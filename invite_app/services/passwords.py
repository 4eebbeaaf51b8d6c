"""Passwords: which are good enough, and how they are hashed (argon2id with OWASP's parameters)."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from invite_app.errors import WeakPassword

MIN_LENGTH, MAX_LENGTH = 12, 200

_hasher = PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1)


def check_strength(password: str, *, field: str = "password") -> None:
    """Raises WeakPassword."""
    if len(password) < MIN_LENGTH:
        raise WeakPassword(field, f"Use at least {MIN_LENGTH} characters. A few words in a row work well.")
    if len(password) > MAX_LENGTH:
        raise WeakPassword(field, f"Use at most {MAX_LENGTH} characters.")
    if len(set(password)) < 5:
        raise WeakPassword(field, "This password is too easy to guess. A few words in a row work well.")


def hashed(password: str) -> str:
    return _hasher.hash(_bytes(password))


def matches(password: str, stored: str | None) -> bool:
    """Whether the password is the one behind the hash. Without a hash it takes just as long to say no."""
    try:
        _hasher.verify(stored or _decoy(), _bytes(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")  # whatever was sent is a password, if only a wrong one


@cache
def _decoy() -> str:
    return _hasher.hash("nobody has this password")
