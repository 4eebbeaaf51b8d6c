"""Who is asking, as the services want to hear it."""

from flask import g, request
from flask_login import current_user

from invite_app.access import PersonActor, Standing
from invite_app.models import User
from invite_app.services.accounts import Device


def person() -> User:
    """The person who is signed in."""
    user: User = current_user.user
    return user


def actor() -> PersonActor:
    return PersonActor(current_user.user_id, request.remote_addr)


def standing() -> Standing:
    """What the person is and may do in the organization that the address names."""
    found: Standing = g.standing
    return found


def device() -> Device:
    return Device(request.remote_addr, request.user_agent.string)
