"""Accounts: create them, sign in and out, change one's own name, address and password."""

from .actions import add, create
from .identity import get_identity
from .keys import list_live_keys
from .known_devices import remember_device
from .links import Purpose, get_link
from .passwords import MIN_PASSWORD_LENGTH, check_password_strength, hash_new_password, hash_password
from .profile import (
    change_password,
    check_password,
    end_other_sessions,
    end_session,
    list_sessions,
    prove_address,
    rename,
    request_address,
    request_reset,
    reset_password,
)
from .queries import exist, find_by_email, get_by_email
from .sessions import (
    SESSION_LIFETIME,
    Device,
    create_sign_in_link,
    find_session,
    follow_sign_in_link,
    remember_use,
    remember_visit,
    sign_in,
    sign_out,
    start_session,
)

__all__ = [
    "MIN_PASSWORD_LENGTH",
    "SESSION_LIFETIME",
    "Device",
    "Purpose",
    "add",
    "change_password",
    "check_password",
    "check_password_strength",
    "create",
    "create_sign_in_link",
    "end_other_sessions",
    "end_session",
    "exist",
    "find_by_email",
    "find_session",
    "follow_sign_in_link",
    "get_by_email",
    "get_identity",
    "get_link",
    "hash_new_password",
    "hash_password",
    "list_live_keys",
    "list_sessions",
    "prove_address",
    "remember_device",
    "remember_use",
    "remember_visit",
    "rename",
    "request_address",
    "request_reset",
    "reset_password",
    "sign_in",
    "sign_out",
    "start_session",
]
