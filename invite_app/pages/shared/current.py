"""The account, actor and principal of the current request."""

from flask import g, request, session
from flask_login import current_user

from invite_app.access import Principal, UserActor
from invite_app.models import Organization, User
from invite_app.services import organizations
from invite_app.services.accounts import Device

# Name of the cookie that recognizes a browser in which somebody has signed in before.
DEVICE_COOKIE = "device"
# Session key of the organization whose pages were opened last.
LATEST = "organization"


def current_account() -> User:
    """The person who is signed in."""
    user: User = current_user.user
    return user


def current_actor() -> UserActor:
    return UserActor(current_user.user_id, request.remote_addr)


def principal() -> Principal:
    """Return the person's principal in the organization of the URL."""
    found: Principal = g.principal
    return found


def last_organization() -> Organization | None:
    """The one whose pages were open last, as long as the person belongs to it; else the first of theirs."""
    belongs_to = organizations.list_for_user(current_account().id)
    latest = session.get(LATEST)
    return next((one for one in belongs_to if str(one.id) == latest), next(iter(belongs_to), None))


def current_device() -> Device:
    return Device(request.remote_addr, request.user_agent.string, request.cookies.get(DEVICE_COOKIE))
