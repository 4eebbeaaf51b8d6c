"""Build and insert invitations from drafts, resolving role and workspaces."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sql
from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import set_committed_value

from invite_app.access import ApiKeyActor, Principal, UserActor
from invite_app.db import rows, session
from invite_app.db.reading import Question, ask
from invite_app.errors import InvitationPending, RedirectNotAllowed, RoleNotFound, WorkspaceNotFound
from invite_app.models import AuditEvent, Invitation, Organization, OutboxMessage, Role, Workspace
from invite_app.models.invitations import invitation_workspaces
from invite_app.models.types import casefolded, fresh, now
from invite_app.services import inviter_rights, roles, validation, workspaces

from . import checks


class RoleAndWorkspaceLookup(Protocol):
    """Find roles and workspaces. Raises RoleNotFound and WorkspaceNotFound."""

    def role(self, name: str) -> Role: ...

    def workspaces(self, ids: Sequence[UUID | str]) -> list[Workspace]: ...


class SingleLookup:
    """Lookup for one draft, which reads the status of its address with the role.

    `questions` can be prefetched with other queries, to save a round trip.
    """

    def __init__(self, organization_id: UUID, email: str, role: str) -> None:
        self._organization_id = organization_id
        self._question = checks.status_query(organization_id, email, role)
        self.address_status: checks.AddressStatus | None = None

    @property
    def questions(self) -> list[Question]:
        return [self._question] if self._question else []

    def role(self, name: str) -> Role:
        question = self._question
        if question and question.rows is None:
            ask(question)
        if question is None or (result := checks.role_and_status(question)) is None:
            raise RoleNotFound(name)
        role, self.address_status = result
        return role

    def workspaces(self, ids: Sequence[UUID | str]) -> list[Workspace]:
        return workspaces.get_many(self._organization_id, ids)


class CachedLookup:
    """Lookup for many drafts, which reads all roles and workspaces once."""

    def __init__(self, organization_id: UUID) -> None:
        self.organization_id = organization_id

    def role(self, name: str) -> Role:
        for candidate in roles.lookup_keys(name):
            if candidate in self._roles:
                return self._roles[candidate]
        raise RoleNotFound(name)

    def workspaces(self, ids: Sequence[UUID | str]) -> list[Workspace]:
        return workspaces.select_in_order(self._workspaces, ids)

    def workspace_called(self, name: str) -> Workspace:
        """Return the workspace with this name, ignoring case. Raises WorkspaceNotFound."""
        if (workspace := self._by_name.get(casefolded(name))) is None:
            raise WorkspaceNotFound(name)
        return workspace

    @cached_property
    def _by_name(self) -> dict[str, Workspace]:
        return {workspace.folded_name: workspace for workspace in self._workspaces.values()}

    @cached_property
    def _roles(self) -> dict[str, Role]:
        query = select(Role).where(Role.organization_id == self.organization_id)
        return {key: role for role in session().scalars(query) for key in (role.key, role.folded_name)}

    @cached_property
    def _workspaces(self) -> dict[UUID, Workspace]:
        query = select(Workspace).where(Workspace.organization_id == self.organization_id)
        return {workspace.id: workspace for workspace in session().scalars(query)}


@dataclass(frozen=True)
class Draft:
    """The input for one invitation. The default lifetime is the organization's.

    Without `notify` no mail is sent, and the link has to be copied. `inviter_id` is the member on whose behalf an API
    key invites; the permissions of both apply.
    """

    email: str
    role: str
    given_name: str | None = None
    family_name: str | None = None
    workspace_ids: Sequence[UUID | str] = ()
    note: str = ""
    lifetime: timedelta | None = None
    redirect_uri: str | None = None
    app_url: str | None = None
    notify: bool = True
    inviter_id: UUID | str | None = None
    public_metadata: Mapping[str, Any] = field(default_factory=dict)
    private_metadata: Mapping[str, Any] = field(default_factory=dict)


def build(principal: Principal, draft: Draft, catalog: RoleAndWorkspaceLookup) -> Invitation:
    """Return a validated invitation that the actor may grant; it is not inserted.

    Raises InvalidEmail, DomainNotAllowed, InvalidName, InvalidNote, InvalidLifetime, RedirectNotAllowed,
    RoleNotFound, WorkspaceNotFound, MembershipNotFound and PermissionDenied (for the named inviter) and
    CannotGrantRole.
    """
    organization = principal.organization
    values = _validated(organization, draft)
    role = catalog.role(draft.role)
    chosen = catalog.workspaces(draft.workspace_ids)
    inviter = inviter_rights.resolve_inviter(principal, draft.inviter_id)
    principal.check_can_grant(role)
    inviter.check_can_grant(role)
    return fresh(
        Invitation,
        **values,
        **_inviter(principal, inviter),
        organization_id=organization.id,
        organization=organization,
        role=role,
        role_id=role.id,
        role_name=role.name,
        workspaces=chosen,
        message=None,
    )


def _validated(organization: Organization, draft: Draft) -> dict[str, Any]:
    """Return the values that can be validated without a query."""
    address = validation.email(draft.email)
    validation.check_domain_allowed(address, organization.allowed_domains)
    lifetime = organization.invitation_lifetime if draft.lifetime is None else validation.lifetime(draft.lifetime)
    moment = now()
    values = {
        "email": address,
        "given_name": _optional_name(draft.given_name, "given_name", "a given name"),
        "family_name": _optional_name(draft.family_name, "family_name", "a family name"),
        "note": validation.note(draft.note),
        "redirect_uri": draft.redirect_uri,
        "app_url": draft.app_url,
        "public_metadata": validation.metadata(draft.public_metadata, "public_metadata"),
        "private_metadata": validation.metadata(draft.private_metadata, "private_metadata"),
        "created_at": moment,
        "updated_at": moment,
        "expires_at": moment + lifetime,
    }
    check_redirects(organization, draft)
    return values


def _optional_name(text: str | None, name: str, label: str) -> str:
    return "" if text is None else validation.name(text, name, label)


def check_redirects(organization: Organization, draft: Draft | Invitation) -> None:
    """Raise RedirectNotAllowed for a URL outside the allowed origins."""
    for url in (draft.redirect_uri, draft.app_url):
        if url is not None and not is_redirect_allowed(url, organization):
            raise RedirectNotAllowed(url)


def is_redirect_allowed(url: str, organization: Organization) -> bool:
    """Return whether the URL is at this app or at an allowed origin of the organization."""
    origin = validation.origin(url)
    own = validation.origin(current_app.config["EXTERNAL_URL"])
    return origin is not None and len(url) <= 2000 and origin in (own, *organization.allowed_origins)


def set_inviter(invitation: Invitation, principal: Principal) -> None:
    """Make the actor the inviter of the invitation."""
    inviter = _inviter(principal, principal)
    set_committed_value(invitation, "inviter", inviter.pop("inviter"))  # loaded for readers; only the id is stored
    for name, value in inviter.items():
        setattr(invitation, name, value)


def _inviter(principal: Principal, inviter: Principal) -> dict[str, Any]:
    """Return the inviter columns: the actor's API key, if any, and the person on whose behalf it invites."""
    kinds = {UserActor: "person", ApiKeyActor: "key"}
    return {
        "inviter_kind": kinds.get(type((principal if principal.api_key else inviter).actor), "operator"),
        "inviter": inviter.user,
        "inviter_id": inviter.user.id if inviter.user else None,
        "inviter_key_id": principal.api_key.id if principal.api_key else None,
        "inviter_lost_right": False,
        "inviter_name": inviter.name if inviter.user else principal.organization.name,
    }


def insert(organization: Organization, invitation: Invitation, *records: OutboxMessage | AuditEvent) -> None:
    """Insert an invitation with its message and audit event, and count it as pending.

    Raises InvitationPending when the same address was invited at the same time.
    """
    session().flush()  # the counter may have changed in this transaction
    counted = rows.change(organization, pending_count=organization.pending_count + 1)
    try:
        rows.write(rows.new_row(invitation), *map(rows.new_row, records), counted)
        insert_workspaces([invitation])
    except IntegrityError:
        raise InvitationPending(invitation.email, invitation.id, now()) from None


def insert_workspaces(invitations: Sequence[Invitation]) -> None:
    """Insert the workspaces of new invitations."""
    links = [
        {"invitation_id": invitation.id, "workspace_id": workspace.id}
        for invitation in invitations
        for workspace in invitation.workspaces
    ]
    if links:
        session().execute(sql.insert(invitation_workspaces), links)


def new_nonce() -> bytes:
    """Return a random nonce, which makes a link differ from earlier links of the same invitation."""
    return secrets.token_bytes(16)
