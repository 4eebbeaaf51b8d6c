"""Browsers that have signed in to an account before. They keep a budget for wrong passwords that no stranger can use.

A browser is recognized by a cookie: a random id, and a signature for each account that has signed in there. A
signature covers the id, the account and its password hash, so it is of no use for another account, in a cookie with
another id, or after a change of the password.
"""

import base64
import binascii
import secrets

from invite_app import tokens
from invite_app.models import User

PURPOSE = "device"
ID_BYTES = 16
MAX_ACCOUNTS = 10


def find_device_id(user: User, cookie: str | None) -> str | None:
    """Return the id of the browser with this cookie if the account has signed in there, else None."""
    device_id, signatures = _parse(cookie)
    message = _message(device_id, user)
    is_known = any(tokens.is_signature(PURPOSE, message, one) for one in signatures)
    return device_id.hex() if is_known else None


def remember_device(user: User, cookie: str | None) -> str:
    """Return the cookie of a browser where the account has just signed in; it names the last ten accounts."""
    device_id, signatures = _parse(cookie)
    own = tokens.sign(PURPOSE, _message(device_id, user))
    others = [one for one in signatures if one != own]
    raw = device_id + b"".join([*others, own][-MAX_ACCOUNTS:])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _parse(cookie: str | None) -> tuple[bytes, list[bytes]]:
    """Return the id and the signatures of a cookie, or a new id where there is none that can be read."""
    size = tokens.SIGNATURE_BYTES
    try:
        raw = base64.urlsafe_b64decode((cookie or "") + "=" * (-len(cookie or "") % 4))
    except (binascii.Error, ValueError):
        raw = b""
    device_id, rest = raw[:ID_BYTES], raw[ID_BYTES:]
    if len(device_id) < ID_BYTES or len(rest) % size or len(rest) > MAX_ACCOUNTS * size:
        return secrets.token_bytes(ID_BYTES), []
    return device_id, [rest[start : start + size] for start in range(0, len(rest), size)]


def _message(device_id: bytes, user: User) -> bytes:
    return device_id + user.id.bytes + (user.password_hash or "").encode()
