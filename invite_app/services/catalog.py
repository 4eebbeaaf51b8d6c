"""Where a draft's role and workspaces are looked up: by query for a single draft, by none for one of many."""

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol
from uuid import UUID

from sqlalchemy import select

from invite_app.db import session
from invite_app.errors import RoleUnknown, WorkspaceUnknown
from invite_app.models import Role, Workspace
from invite_app.models.base import folded
from invite_app.reading import Question, ask

from . import addresses, roles, workspaces


class Catalog(Protocol):
    """Raises RoleUnknown and WorkspaceUnknown."""

    def role(self, name: str) -> Role: ...

    def workspaces(self, ids: Sequence[UUID | str]) -> list[Workspace]: ...


class Asked:
    """Asks the database, which tells of the address together with the role.

    `questions` may be asked beforehand, together with others: that spares a round trip.
    """

    def __init__(self, organization_id: UUID, email: str, role: str) -> None:
        self._organization_id = organization_id
        self._question = addresses.asking(organization_id, email, role)
        self.look: addresses.Look | None = None

    @property
    def questions(self) -> list[Question]:
        return [self._question] if self._question else []

    def role(self, name: str) -> Role:
        question = self._question
        if question and question.rows is None:
            ask(question)
        if question is None or (found := addresses.answered(question)) is None:
            raise RoleUnknown(name)
        role, self.look = found
        return role

    def workspaces(self, ids: Sequence[UUID | str]) -> list[Workspace]:
        return workspaces.get_many(self._organization_id, ids)


class Loaded:
    """Reads everything once, for a list of drafts."""

    def __init__(self, organization_id: UUID) -> None:
        self.organization_id = organization_id

    def role(self, name: str) -> Role:
        for candidate in roles.spellings(name):
            if candidate in self._roles:
                return self._roles[candidate]
        raise RoleUnknown(name)

    def workspaces(self, ids: Sequence[UUID | str]) -> list[Workspace]:
        return workspaces.pick(self._workspaces, ids)

    def workspace_called(self, name: str) -> Workspace:
        """The workspace with this name, in any case. Raises WorkspaceUnknown."""
        if (found := self._by_name.get(folded(name))) is None:
            raise WorkspaceUnknown(name)
        return found

    @cached_property
    def _by_name(self) -> dict[str, Workspace]:
        return {workspace.folded_name: workspace for workspace in self._workspaces.values()}

    @cached_property
    def _roles(self) -> dict[str, Role]:
        found = session().scalars(select(Role).where(Role.organization_id == self.organization_id))
        return {spelling: role for role in found for spelling in (role.key, role.folded_name)}

    @cached_property
    def _workspaces(self) -> dict[UUID, Workspace]:
        query = select(Workspace).where(Workspace.organization_id == self.organization_id)
        return {workspace.id: workspace for workspace in session().scalars(query)}
