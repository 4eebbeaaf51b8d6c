"""Factories for tests. All of them need an application context.

    acme = make_organization()                      owner, admin, member, two workspaces, plan paid
    acme.owner.actor, acme.admin.email, acme.workspaces[0], acme.id
    key = make_api_key(acme, role="admin")          key.secret, key.actor
    invitation = invite(acme, "ana@guest.example")  pending, by the owner
    token_of(invitation); expire(invitation)

They return plain values and ids, never rows, except `invite`, so the results can be used outside of the
context, in another one, or in another process.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from sqlalchemy import select, update

from invite_app import tokens
from invite_app.access import Actor, ApiKeyActor, OperatorActor, UserActor
from invite_app.db import session, transaction
from invite_app.models import AuditEvent, Invitation, Membership, Organization, OutboxMessage, Role, User, Workspace
from invite_app.models.members import sort_name
from invite_app.models.types import casefolded, now
from invite_app.services import api_keys, audit, copied_links, invitations, organizations, workspaces
from invite_app.services.accounts import Purpose, links

PASSWORD = "correct horse battery staple"
OPERATOR = OperatorActor()
BY_OPERATOR = audit.AuditActor("operator", None, "The operator")


@dataclass(frozen=True)
class Person:
    """A person with an account; the password is PASSWORD."""

    id: UUID
    email: str

    @property
    def actor(self) -> UserActor:
        return UserActor(self.id)


@dataclass(frozen=True)
class Key:
    """An API key with its secret, actor and headers."""

    id: UUID
    secret: str
    actor: ApiKeyActor

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"}


@dataclass(frozen=True)
class Acme:
    """An organization with an owner, an admin, a member (Olivia, Adam and Mia) and two workspaces."""

    id: UUID
    name: str
    owner: Person
    admin: Person
    member: Person
    workspaces: tuple[UUID, ...]


def make_organization(
    name: str = "Acme",
    *,
    plan: str = "paid",
    seat_limit: int | None = None,
    allowed_origins: Sequence[str] = (),
    allowed_domains: Sequence[str] = (),
    invitation_lifetime: timedelta | None = None,
    workspace_names: Sequence[str] = ("Sales", "Support"),
) -> Acme:
    """Create people called `owner@<name>.example` and so on; `seat_limit` may be lower than their number."""
    host = f"{name.lower().replace(' ', '-')}.example"
    owner = make_person(f"owner@{host}", "Olivia", "Owner")
    founding = organizations.NewOrganization(name, plan, seat_limit, allowed_origins)
    founder = organizations.NewOwner(owner.email, "Olivia", "Owner")
    organization, _ = organizations.create(founding, founder, by=BY_OPERATOR)
    configure(organization.id, allowed_domains=list(allowed_domains))
    if invitation_lifetime is not None:
        configure(organization.id, invitation_lifetime=invitation_lifetime)
    admin = make_person(f"admin@{host}", "Adam", "Admin")
    member = make_person(f"member@{host}", "Mia", "Member")
    add_member(organization.id, admin, role="admin")
    add_member(organization.id, member, role="member")
    workspace_ids = [workspaces.create(organization.id, workspace, by=OPERATOR).id for workspace in workspace_names]
    return Acme(organization.id, name, owner, admin, member, tuple(workspace_ids))


def make_person(
    email: str,
    given_name: str = "Ana",
    family_name: str = "Guest",
    *,
    is_verified: bool = True,
    has_password: bool = True,
) -> Person:
    """Create an account without memberships."""
    with transaction() as writing:
        user = User(
            email=email,
            given_name=given_name,
            family_name=family_name,
            password_hash=_hash_of_password() if has_password else None,
            is_verified=is_verified,
        )
        writing.add(user)
        writing.flush()
        return Person(user.id, user.email)


def add_member(
    organization: Acme | UUID, person: Person, *, role: str = "member", workspace_ids: Iterable[UUID] = ()
) -> None:
    """Add a member without any checks."""
    with transaction() as writing:
        organization_id = _id(organization)
        user = writing.get_one(User, person.id)
        writing.add(
            Membership(
                organization_id=organization_id,
                user_id=user.id,
                role_id=_role_id(organization_id, role),
                sort_name=sort_name(user),
                workspaces=[writing.get_one(Workspace, item) for item in workspace_ids],
            )
        )
        writing.get_one(Organization, organization_id).members_count += 1


def make_member(organization: Acme | UUID, email: str, role: str = "member", **person: Any) -> Person:
    """Create an account with a membership."""
    made = make_person(email, **person)
    add_member(organization, made, role=role)
    return made


def make_role(organization: Acme | UUID, name: str, permissions: Iterable[str]) -> UUID:
    """Create a custom role; its key is its name in lower case."""
    with transaction() as writing:
        role = Role(
            organization_id=_id(organization),
            key=casefolded(name).replace(" ", "-"),
            name=name,
            folded_name=casefolded(name),
            permissions=list(permissions),
        )
        writing.add(role)
        writing.flush()
        return role.id


def make_api_key(
    organization: Acme | UUID, role: str = "owner", *, user: Person | None = None, name: str = "CI", **options: Any
) -> Key:
    """Create a key that acts for `user`, by default the first owner."""
    user_id = user.id if user else None
    made, secret = api_keys.create(_id(organization), name=name, role=role, by=OPERATOR, user_id=user_id, **options)
    return Key(made.id, secret, ApiKeyActor(made.id, made.organization_id))


def invite(
    organization: Acme,
    email: str = "ana@guest.example",
    role: str = "member",
    *,
    by: Actor | None = None,
    **draft: Any,
) -> Invitation:
    """Create a pending invitation, by default from the owner; `draft` are fields of `invitations.Draft`."""
    return invitations.send(
        organization.id, invitations.Draft(email=email, role=role, **draft), by=by or organization.owner.actor
    )


def token_of(invitation: Invitation | UUID, *, copied: bool = False, by: Actor = OPERATOR) -> str:
    """Return the token of the invitation's link: of the mailed one, or of the one that an actor copies."""
    found = reread(invitation)
    if copied:
        return copied_links.new_token(found, by)
    return tokens.invitation_token(found.id, found.nonce)


def make_link(person: Person, purpose: Purpose) -> str:
    """Return the token of a link that acts for this account once."""
    with transaction() as writing:
        return tokens.account_token(links.add(writing.get_one(User, person.id), purpose).id)


def expire(invitation: Invitation | UUID, ago: timedelta = timedelta(seconds=1)) -> None:
    """Move the expiry of a pending invitation to the past, without recording it."""
    _change(Invitation, invitation, expires_at=now() - ago)


def configure(organization: Acme | UUID, **settings: Any) -> None:
    """Set columns of the organization directly: allowed_domains, invitation_lifetime, plan, seat_limit ..."""
    _change(Organization, _id(organization), **settings)


def set_delivery(invitation: Invitation | UUID, **columns: Any) -> None:
    """Set columns of the invitation's message: `state="failed", reason="..."`."""
    invitation_id = invitation if isinstance(invitation, UUID) else invitation.id
    with transaction() as writing:
        writing.execute(update(OutboxMessage).where(OutboxMessage.invitation_id == invitation_id).values(**columns))
        given_up = now() if columns.get("state") == "failed" else None
        writing.execute(update(Invitation).where(Invitation.id == invitation_id).values(undelivered_at=given_up))


def history(target_id: UUID) -> list[AuditEvent]:
    """Return the audit events about a row, newest first."""
    query = select(AuditEvent).where(AuditEvent.target_id == target_id)
    return list(session().scalars(query.order_by(AuditEvent.at.desc(), AuditEvent.id.desc())))


def reread(invitation: Invitation | UUID) -> Invitation:
    """Return the row as it is in the database now."""
    invitation_id = invitation if isinstance(invitation, UUID) else invitation.id
    session().commit()
    query = select(Invitation).where(Invitation.id == invitation_id)
    found: Invitation = session().execute(query, execution_options={"populate_existing": True}).scalar_one()
    return found


def _change(model: type[Invitation | Organization], row: Invitation | UUID, **columns: Any) -> None:
    row_id = row if isinstance(row, UUID) else row.id
    with transaction() as writing:
        writing.execute(update(model).where(model.id == row_id).values(**columns))


def _id(organization: Acme | UUID) -> UUID:
    return organization.id if isinstance(organization, Acme) else organization


def _role_id(organization_id: UUID, name: str) -> UUID:
    query = select(Role.id).where(Role.organization_id == organization_id, Role.folded_name == casefolded(name))
    found: UUID = session().execute(query).scalar_one()
    return found


@cache
def _hash_of_password() -> str:
    """Hash with cheap parameters, which the hash itself stores, for fast checks."""
    return PasswordHasher(memory_cost=8, time_cost=1, parallelism=1).hash(PASSWORD)
