"""Every grant ends with what it rests on: a table of grants, each with what ends it.

Tests of other grants: API keys and ownership in test_ended_rights.py, queued mail in delivery/test_held_mail.py,
saved forms in pages/account/test_sign_in.py, stored responses in api/test_idempotency.py.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update

from invite_app.db import session, transaction
from invite_app.errors import (
    DomainNotAllowed,
    InvalidCredentials,
    InvalidLink,
    InvitationClosed,
    InviterNotAllowed,
    OrganizationNotFound,
    OwnershipTransferNotFound,
    PermissionDenied,
    RoleDeleted,
    Unauthenticated,
)
from invite_app.models import Invitation, Session, User
from invite_app.models.types import now
from invite_app.services import accounts, imports, maintenance, members
from invite_app.services.accounts import Device, passwords
from invite_app.services.imports import batches
from invite_app.services.invitations import Draft
from tests.support import grants
from tests.support.factories import PASSWORD, Acme, invite, make_api_key, make_role, reread

ROWS: list[tuple[grants.Grant, grants.Ending, type[Exception]]] = [
    (grants.invitation, grants.removal, InviterNotAllowed),
    (grants.invitation, grants.removal_and_return, InviterNotAllowed),
    (grants.invitation, grants.demotion, InviterNotAllowed),
    (grants.invitation, grants.wider_role, InviterNotAllowed),
    (grants.invitation, grants.deletion_of_role, RoleDeleted),
    (grants.invitation, grants.deletion_of_organization, InvalidLink),
    (grants.invitation, grants.revocation, InvitationClosed),
    (grants.invitation, grants.new_invited_address, InvalidLink),
    (grants.invitation, grants.narrower_domains, DomainNotAllowed),
    (grants.invitation, grants.erasure_of_account, InviterNotAllowed),
    (grants.invitation_by_key, grants.removal, InviterNotAllowed),
    (grants.invitation_by_key, grants.demotion, InviterNotAllowed),
    (grants.invitation_by_key, grants.revocation_of_key, InviterNotAllowed),
    (grants.invitation_by_key, grants.reset, InviterNotAllowed),
    (grants.copied_link, grants.removal, InvalidLink),
    (grants.copied_link, grants.removal_and_return, InvalidLink),
    (grants.copied_link, grants.demotion, InvalidLink),
    (grants.copied_link, grants.wider_role, InvalidLink),
    (grants.copied_link, grants.deletion_of_role, RoleDeleted),
    (grants.copied_link, grants.revocation, InvitationClosed),
    (grants.copied_link, grants.new_invited_address, InvalidLink),
    (grants.copied_link, grants.narrower_domains, DomainNotAllowed),
    (grants.copied_link, grants.erasure_of_account, InvalidLink),
    (grants.link_copied_by_key, grants.removal, InvalidLink),
    (grants.link_copied_by_key, grants.demotion, InvalidLink),
    (grants.link_copied_by_key, grants.revocation_of_key, InvalidLink),
    (grants.link_in_outbox, grants.removal, InvalidLink),
    (grants.link_in_outbox, grants.demotion, InvalidLink),
    (grants.link_in_outbox, grants.wider_role, InvalidLink),
    (grants.api_key, grants.removal, Unauthenticated),
    (grants.api_key, grants.removal_and_return, Unauthenticated),
    (grants.api_key, grants.narrower_role, PermissionDenied),
    (grants.api_key, grants.deletion_of_role, Unauthenticated),
    (grants.api_key, grants.deletion_of_organization, Unauthenticated),
    (grants.api_key, grants.revocation_of_key, Unauthenticated),
    (grants.api_key, grants.reset, Unauthenticated),
    (grants.api_key, grants.erasure_of_account, Unauthenticated),
    (grants.ownership_transfer, grants.removal_and_return, OwnershipTransferNotFound),
    (grants.ownership_transfer, grants.demotion_of_owner, OwnershipTransferNotFound),
    (grants.ownership_transfer, grants.deletion_of_organization, OrganizationNotFound),
    (grants.reset_link, grants.new_password, InvalidLink),
    (grants.reset_link, grants.reset, InvalidLink),
    (grants.reset_link, grants.new_address, InvalidLink),
    (grants.reset_link, grants.end_of_sessions, InvalidLink),
    (grants.reset_link, grants.erasure_of_account, InvalidLink),
    (grants.sign_in_link, grants.new_password, InvalidLink),
    (grants.sign_in_link, grants.reset, InvalidLink),
    (grants.sign_in_link, grants.new_address, InvalidLink),
    (grants.sign_in_link, grants.end_of_sessions, InvalidLink),
    (grants.sign_in_link, grants.erasure_of_account, InvalidLink),
    (grants.address_link, grants.new_password, InvalidLink),
    (grants.address_link, grants.reset, InvalidLink),
    (grants.address_link, grants.end_of_sessions, InvalidLink),
    (grants.address_link, grants.erasure_of_account, InvalidLink),
    (grants.browser_session, grants.new_password, Unauthenticated),
    (grants.browser_session, grants.reset, Unauthenticated),
    (grants.browser_session, grants.end_of_sessions, Unauthenticated),
    (grants.browser_session, grants.erasure_of_account, Unauthenticated),
    (grants.membership, grants.removal, OrganizationNotFound),
    (grants.membership, grants.demotion, PermissionDenied),
    (grants.membership, grants.deletion_of_organization, OrganizationNotFound),
    (grants.known_device, grants.new_password, Unauthenticated),
    (grants.known_device, grants.reset, Unauthenticated),
    (grants.unsent_import, grants.removal, OrganizationNotFound),
    (grants.unsent_import, grants.demotion, PermissionDenied),
    (grants.unsent_import, grants.deletion_of_organization, OrganizationNotFound),
]

LIFETIMES: list[tuple[grants.Grant, timedelta, type[Exception]]] = [
    (grants.invitation, timedelta(days=7), InvitationClosed),
    (grants.copied_link, timedelta(days=7), InvitationClosed),
    (grants.link_in_outbox, timedelta(days=7), InvitationClosed),
    (grants.expiring_key, timedelta(days=30), Unauthenticated),
    (grants.ownership_transfer, timedelta(days=7), OwnershipTransferNotFound),
    (grants.reset_link, timedelta(hours=1), InvalidLink),
    (grants.sign_in_link, timedelta(minutes=15), InvalidLink),
    (grants.address_link, timedelta(hours=1), InvalidLink),
    (grants.browser_session, timedelta(days=14), Unauthenticated),
]
GRANTS = sorted({row[0] for row in ROWS} | {row[0] for row in LIFETIMES}, key=lambda grant: grant.__name__)


@pytest.fixture(autouse=True)
def helper_role(acme: Acme) -> None:
    make_role(acme, "Helper", ["members:read"])


@pytest.mark.parametrize("grant", GRANTS, ids=lambda grant: grant.__name__)
def test_grant_works_until_something_ends_it(acme: Acme, grant: grants.Grant) -> None:
    grant(acme)()


@pytest.mark.parametrize(
    ("grant", "end", "error"), ROWS, ids=[f"{grant.__name__}-{end.__name__}" for grant, end, _ in ROWS]
)
def test_grant_ends_with_its_basis(
    acme: Acme, grant: grants.Grant, end: grants.Ending, error: type[Exception]
) -> None:
    use = grant(acme)
    end(acme)
    with pytest.raises(error):
        use()


@pytest.mark.parametrize(("grant", "lifetime", "error"), LIFETIMES, ids=[row[0].__name__ for row in LIFETIMES])
def test_grant_ends_after_its_lifetime(
    acme: Acme, grant: grants.Grant, lifetime: timedelta, error: type[Exception]
) -> None:
    use = grant(acme)
    with time_machine.travel(now() + lifetime + timedelta(seconds=1)), pytest.raises(error):
        use()


class RemovingMeanwhile(list[Draft]):
    """A list whose sender is removed when the second row is read."""

    def __init__(self, acme: Acme, drafts: list[Draft]) -> None:
        super().__init__(drafts)
        self._acme = acme

    def __iter__(self) -> Iterator[Draft]:
        for position, draft in enumerate(super().__iter__()):
            if position == 1:
                grants.removal(self._acme)
            yield draft


def test_half_sent_list_stops_at_removal(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "CHUNK", 1)
    drafts = [Draft(email=f"ana{number}@guest.example", role="Helper") for number in range(3)]
    with pytest.raises(OrganizationNotFound):
        imports.send_batch(acme.id, RemovingMeanwhile(acme, drafts), by=acme.admin.actor)
    found = session().execute(select(Invitation.email, Invitation.inviter_lost_right)).all()
    assert [tuple(row) for row in found] == [("ana0@guest.example", True)]


def test_sign_in_fails_if_password_changes_meanwhile(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password that is checked outside the transaction is compared again inside it."""
    check = passwords.password_matches

    def change_after_check(password: str, password_hash: str | None) -> bool:
        matches = check(password, password_hash)
        with transaction() as writing:
            writing.execute(update(User).where(User.id == acme.admin.id).values(password_hash="another"))
        return matches

    monkeypatch.setattr(passwords, "password_matches", change_after_check)
    with pytest.raises(InvalidCredentials):
        accounts.sign_in(acme.admin.email, PASSWORD, device=Device())
    assert session().scalar(select(func.count()).select_from(Session)) == 0


def test_copied_link_returns_with_the_right(acme: Acme) -> None:
    use = grants.copied_link(acme)
    grants.demotion(acme)
    members.change_role(acme.id, acme.admin.id, "admin", by=acme.owner.actor)
    use()


def test_maintenance_marks_invitations_of_expired_keys(acme: Acme) -> None:
    key = make_api_key(acme, "admin", expires_at=now() + timedelta(hours=1))
    invitation = invite(acme, by=key.actor)
    maintenance.run()
    assert not reread(invitation).inviter_lost_right
    with time_machine.travel(now() + timedelta(hours=2)):
        maintenance.run()
        assert reread(invitation).inviter_lost_right
        assert maintenance.review_expired_keys() == 0
