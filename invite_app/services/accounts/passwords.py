"""Passwords: which are good enough, and how they are hashed (argon2id with OWASP's parameters)."""

import re
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from invite_app.errors import WeakPassword

MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH = 12, 200
# On zxcvbn's scale from 0 to 4: more than a hundred million guesses.
MIN_SCORE = 3
SHORTEST_WORD = 4
LOOK_ALIKES = str.maketrans("013457@$", "oieastas")

WEAK = "This password is easy to guess."
COMMON = "This password is among those that are tried first."
CONTAINS_NAME = "Leave your name, your address and the organization's name out of it."
ADVICE = "Use three or four words that have nothing to do with each other."
WELL_KNOWN = (
    "ThisIsATop10Password",
    "ThisIsATop100Password",
    "ThisIsACommonPassword",
    "ThisIsSimilarToACommonlyUsedPassword",
)

_hasher = PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1)
# Verified when there is no hash, so that the response time does not reveal missing accounts.
_DECOY = "$argon2id$v=19$m=19456,t=2,p=1$2A7LQapbD5A2UQSfJ80djA$qkFF5hp7sGSpXYrQe8Vs78lZUuxcEulQhXPJgLI9T5k"


def check_password_strength(password: str, *, field: str = "password", about: Iterable[str] = ()) -> None:
    """Raises WeakPassword. `about` is what everybody knows: names of the person and their organization, the address.

    What they are worth is left out of the count, so that a password is as strong as the rest of it.
    """
    if len(password) < MIN_PASSWORD_LENGTH:
        raise WeakPassword(field, f"Use at least {MIN_PASSWORD_LENGTH} characters. A few words in a row work well.")
    if len(password) > MAX_PASSWORD_LENGTH:
        raise WeakPassword(field, f"Use at most {MAX_PASSWORD_LENGTH} characters.")
    if reason := _reason(password):
        raise WeakPassword(field, f"{reason} {ADVICE}")
    words = _words(about)
    if words and _reason(_without(password, words), words):
        raise WeakPassword(field, f"{WEAK} {CONTAINS_NAME}")


def hash_new_password(password: str, *, field: str = "password", about: Iterable[str] = ()) -> str:
    """The hash of a password that is good enough. Raises WeakPassword.

    It takes its time: never call it inside a transaction, where others would wait for it.
    """
    check_password_strength(password, field=field, about=about)
    return hash_password(password)


def hash_password(password: str) -> str:
    return _hasher.hash(_bytes(password))


def password_matches(password: str, stored: str | None) -> bool:
    """Check a password against a hash. Takes the same time when there is no hash."""
    try:
        _hasher.verify(stored or _DECOY, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")  # whatever was sent is a password, if only a wrong one


def _reason(password: str, words: Iterable[str] = ()) -> str | None:
    """Return why the password is too weak, or None."""
    from zxcvbn_rs_py import Warning as Reason  # noqa: PLC0415 - its dictionaries take a MiB, and few choose passwords
    from zxcvbn_rs_py import zxcvbn  # noqa: PLC0415 - likewise

    if not password:
        return WEAK
    found = zxcvbn(password.encode(errors="replace").decode(), list(words))
    if int(found.score) >= MIN_SCORE:
        return None
    warning = found.feedback.warning if found.feedback else None
    return COMMON if warning in [getattr(Reason, name) for name in WELL_KNOWN] else WEAK


def _words(about: Iterable[str]) -> list[str]:
    """The longest first, so that none is missed because a part of it was found before."""
    parts = {part for text in about for part in re.split(r"[\W_]+", text.lower()) if len(part) >= SHORTEST_WORD}
    return sorted(parts, key=len, reverse=True)


def _without(password: str, words: Iterable[str]) -> str:
    return re.sub("|".join(map(re.escape, words)), "", password.lower().translate(LOOK_ALIKES))
