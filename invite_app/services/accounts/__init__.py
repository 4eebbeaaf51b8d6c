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
    confirm_email_change,
    end_other_sessions,
    end_session,
    list_sessions,
    rename,
    request_email_change,
    request_reset,
    reset_password,
)
from .queries import any_account, find_by_email, get_by_email
from .sessions import (
    SESSION_LIFETIME,
    Device,
    create_sign_in_link,
    find_session,
    sign_in,
    sign_in_with_link,
    sign_out,
    start_session,
    touch_membership,
    touch_session,
)

__all__ = [
    "MIN_PASSWORD_LENGTH",
    "SESSION_LIFETIME",
    "Device",
    "Purpose",
    "add",
    "any_account",
    "change_password",
    "check_password",
    "check_password_strength",
    "confirm_email_change",
    "create",
    "create_sign_in_link",
    "end_other_sessions",
    "end_session",
    "find_by_email",
    "find_session",
    "get_by_email",
    "get_identity",
    "get_link",
    "hash_new_password",
    "hash_password",
    "list_live_keys",
    "list_sessions",
    "remember_device",
    "rename",
    "request_email_change",
    "request_reset",
    "reset_password",
    "sign_in",
    "sign_in_with_link",
    "sign_out",
    "start_session",
    "touch_membership",
    "touch_session",
]
