"""An organization to look at: 120 members, and invitations in every state with a believable past.

The only service that writes what never happened, and only into an organization of its own. The same each time, but
for the clock.
"""

import random
from datetime import datetime, timedelta

from invite_app.db import session, transaction
from invite_app.errors import AccountExists
from invite_app.models import (
    AuditEvent,
    DeliveryState,
    Invitation,
    InvitationEvent,
    InvitationState,
    Membership,
    Organization,
    OutboxMessage,
    Role,
    TrackingEvent,
    User,
    Workspace,
)
from invite_app.models.members import NEVER, sort_name
from invite_app.models.roles import ADMIN, MEMBER, OWNER
from invite_app.models.types import casefolded, now
from invite_app.services import accounts, organizations, roles

from . import people
from .histories import DAY, ENDED_STORIES, HOUR, PENDING_STORIES, InvitationHistory

PASSWORD = "look around the demo"  # noqa: S105 - guards only made-up people, and the command prints it
WORKSPACES = (
    "Research",
    "Ethics",
    "Legal discovery",
    "Customer support",
    "Sales",
    "Data platform",
    "Clinical trials",
    "Field operations",
    "Finance",
    "Design",
    "People",
    "Security",
    "Marketing",
    "Library",
)
EDITOR = ("Editor", ("invitations:read", "invitations:write", "members:read", "members:write"))
REVIEWER = ("Reviewer", ("members:read", "audit:read"))
MEMBERS, ACCEPTED_LATELY = 120, 93


def fill() -> tuple[Organization, User]:
    """A new demo organization and its owner, whose password is PASSWORD. Raises AccountExists the second time."""
    with transaction():
        if accounts.find_by_email(people.OWNER.email) is not None:
            raise AccountExists(people.OWNER.email)
        return _DemoBuilder().make()


class _DemoBuilder:
    def __init__(self) -> None:
        self.random = random.Random(7)  # noqa: S311 - the same demo each time
        self.now = now()
        self.people = people.people(self.random)
        self.password_hash = accounts.hash_password(PASSWORD)
        self.memberships: list[Membership] = []

    def make(self) -> tuple[Organization, User]:
        name = "Northwind Research"
        self.organization = Organization(
            name=name,
            slug=organizations.generate_slug(name),
            seat_limit=150,
            created_at=self.now - 400 * DAY,
        )
        session().add(self.organization)
        session().flush()
        self.roles = self._roles()
        self.workspaces = self._workspaces()
        self._members()
        self.owner = self.memberships[0].user
        self._accepted_invitations()
        for story in (*PENDING_STORIES, *ENDED_STORIES):
            self._invitation(story)
        self.organization.members_count = len(self.memberships)
        self.organization.pending_count = len(PENDING_STORIES)
        session().flush()
        return self.organization, self.owner

    def _roles(self) -> dict[str, Role]:
        built_in = roles.add_built_in(self.organization)
        custom = {
            casefolded(name): Role(
                organization_id=self.organization.id,
                key=casefolded(name),
                name=name,
                folded_name=casefolded(name),
                permissions=list(permissions),
            )
            for name, permissions in (EDITOR, REVIEWER)
        }
        session().add_all(custom.values())
        session().flush()
        return built_in | custom

    def _workspaces(self) -> list[Workspace]:
        made = [
            Workspace(organization_id=self.organization.id, name=name, folded_name=casefolded(name))
            for name in WORKSPACES
        ]
        session().add_all(made)
        session().flush()
        return made

    def _members(self) -> None:
        keys = [OWNER, OWNER, ADMIN, ADMIN, ADMIN, *["editor"] * 10, *["reviewer"] * 5]
        for index in range(MEMBERS):
            person = next(self.people)
            joined = self.now - (400 - index) * DAY if index < MEMBERS - ACCEPTED_LATELY else self._lately()
            user = User(
                email=person.email,
                given_name=person.given_name,
                family_name=person.family_name,
                password_hash=self.password_hash,
                is_verified=True,
                created_at=joined,
            )
            session().add(user)
            session().flush()
            role = self.roles[keys[index] if index < len(keys) else MEMBER]
            membership = Membership(
                organization_id=self.organization.id,
                user=user,
                role=role,
                sort_name=sort_name(user),
                workspaces=self._some_workspaces(),
                created_at=joined,
                last_seen_at=max(joined, self.now - index * 37 % 400 * HOUR) if index % 9 else NEVER,
            )
            session().add(membership)
            self.memberships.append(membership)
        session().flush()

    def _accepted_invitations(self) -> None:
        for membership in self.memberships[-ACCEPTED_LATELY:]:
            wait = timedelta(hours=self.random.expovariate(1 / 9))
            invitation = self._draft(membership.user.email, membership.created_at - wait)
            invitation.given_name, invitation.family_name = membership.user.given_name, membership.user.family_name
            invitation.role, invitation.role_name = membership.role, membership.role.name
            invitation.state, invitation.closed_at = InvitationState.ACCEPTED, membership.created_at
            invitation.accepted_by_id = membership.user_id
            self._save(invitation, DeliveryState.SENT)
            self._record("invitation.accepted", invitation, membership.created_at, membership.user)

    def _invitation(self, story: InvitationHistory) -> None:
        person = next(self.people)
        invitation = self._draft(person.email, self.now - story.sent)
        invitation.given_name, invitation.family_name = person.given_name, person.family_name
        if story.ends_in is not None:
            invitation.expires_at = self.now + story.ends_in
        if story.state != InvitationState.PENDING:
            invitation.state = story.state
            invitation.closed_at = min(invitation.created_at + 2 * DAY, self.now)
        if story.state == InvitationState.EXPIRED:
            invitation.closed_at = invitation.expires_at
        invitation.inviter_lost_right = story.inviter_lost_right
        self._observe(invitation, story)
        self._save(invitation, story.delivery, story.reason)
        if story.state in (InvitationState.DECLINED, InvitationState.REVOKED):
            by = None if story.state == InvitationState.DECLINED else self.owner
            self._record(f"invitation.{story.state}", invitation, invitation.closed_at or self.now, by)

    def _draft(self, email: str, sent: datetime) -> Invitation:
        inviter = self.random.choice(self.memberships[:5]).user
        role = self.roles[self.random.choice([MEMBER, MEMBER, MEMBER, "editor", "reviewer"])]
        return Invitation(
            organization_id=self.organization.id,
            email=email,
            role=role,
            role_name=role.name,
            workspaces=self._some_workspaces(),
            inviter_kind="person",
            inviter=inviter,
            inviter_name=inviter.name,
            created_at=sent,
            expires_at=sent + 7 * DAY,
        )

    def _observe(self, invitation: Invitation, story: InvitationHistory) -> None:
        seen: tuple[tuple[TrackingEvent, str, timedelta | None, dict[str, str]], ...] = (
            (TrackingEvent.CHECKED, "checked_at", story.checked, {}),
            (TrackingEvent.OPENED, "opened_at", story.opened, {}),
            (TrackingEvent.WRONG_ACCOUNT, "wrong_account_at", story.wrong_account, {"account": "p•••n@mail.example"}),
            (TrackingEvent.NO_SEAT, "no_seat_at", story.no_seat, {}),
            (TrackingEvent.ASKED, "asked_at", story.asked, {"word": story.word}),
        )
        for kind, column, age, detail in seen:
            if age is not None:
                setattr(invitation, column, self.now - age)
                self._event(invitation, kind, self.now - age, detail)
        invitation.opened_count = 1 if story.opened is not None else 0
        invitation.request_message = story.word if story.asked is not None else ""
        invitation.decline_message = story.word if story.state == InvitationState.DECLINED else ""

    def _save(self, invitation: Invitation, delivery: DeliveryState, reason: str = "") -> None:
        taken = invitation.created_at + timedelta(seconds=2)
        invitation.undelivered_at = taken if delivery == DeliveryState.FAILED else None
        session().add(invitation)
        session().flush()
        is_sent = delivery == DeliveryState.SENT
        session().add(
            OutboxMessage(
                kind="invitation",
                organization_id=self.organization.id,
                invitation_id=invitation.id,
                state=delivery,
                reason=reason,
                answer="mail.northwind.example: 250 2.0.0 Ok" if is_sent else "",
                attempts=6 if delivery == DeliveryState.FAILED and not reason.startswith("5") else 1,
                created_at=invitation.created_at,
                sent_at=taken if is_sent else None,
                next_attempt_at=self.now + HOUR if delivery == DeliveryState.QUEUED else taken,
            )
        )
        kinds = {DeliveryState.SENT: TrackingEvent.TAKEN, DeliveryState.FAILED: TrackingEvent.NOT_DELIVERED}
        self._event(invitation, kinds.get(delivery, TrackingEvent.POSTPONED), taken, {"reason": reason})
        self._record("invitation.sent", invitation, invitation.created_at, invitation.inviter)

    def _event(self, invitation: Invitation, kind: TrackingEvent, at: datetime, detail: dict[str, str]) -> None:
        if invitation.id is None:
            session().add(invitation)
            session().flush()
        session().add(InvitationEvent(invitation_id=invitation.id, kind=kind, at=at, detail=detail))

    def _record(self, action: str, invitation: Invitation, at: datetime, by: User | None) -> None:
        session().add(
            AuditEvent(
                organization_id=self.organization.id,
                at=at,
                action=action,
                actor_kind="person" if by else "invitee",
                actor_id=by.id if by else None,
                actor_name=by.name if by else invitation.name,
                target_kind="invitation",
                target_id=invitation.id,
                target_name=invitation.email,
                after={"role": invitation.role_name} if action == "invitation.sent" else {},
            )
        )

    def _some_workspaces(self) -> list[Workspace]:
        return self.random.sample(self.workspaces, self.random.choice([0, 1, 1, 2, 3, 5]))

    def _lately(self) -> datetime:
        return self.now - timedelta(days=self.random.uniform(0.2, 80))
