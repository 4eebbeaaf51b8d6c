"""The demo organization has content for every page."""

from uuid import UUID

from flask import Flask
from sqlalchemy import func, select

from invite_app.access import UserActor, authorize
from invite_app.db import session
from invite_app.models import Invitation, Membership, User
from invite_app.models.types import now
from invite_app.services import accounts, invitations
from invite_app.services.invitations import StatusReason

from .conftest import Ask, Run


def test_has_people_and_invitations_in_every_state(app: Flask, ask: Ask) -> None:
    made = ask("demo")
    assert list(made) == ["organization_id", "owner_email", "password", "sign_in_url"]
    with app.app_context():
        here = UUID(made["organization_id"])
        owner = session().scalars(select(User).where(User.email == made["owner_email"])).one()
        counted = session().scalar(select(func.count()).where(Membership.organization_id == here))
        counts = invitations.counts(here, by=UserActor(owner.id))
        assert counted == 120
        assert all(counts.values())
        rows = session().scalars(invitations.complete().where(Invitation.organization_id == here))
        shown = {invitations.why(invitation, now()) for invitation in rows}
        assert shown == set(StatusReason) - {StatusReason.ROLE_GONE, StatusReason.DOMAIN_NOT_ALLOWED}
        assert invitations.compute_statistics(authorize(UserActor(owner.id), here)).accepted > 50


def test_owner_can_sign_in(app: Flask, ask: Ask) -> None:
    made = ask("demo")
    with app.app_context():
        started = accounts.sign_in(made["owner_email"], made["password"], device=accounts.Device())
        assert started.user.email == made["owner_email"]


def test_is_created_once(ask: Ask, run: Run) -> None:
    ask("demo")
    again = run("demo")
    assert (again.exit_code, "already an account" in again.output) == (1, True)
