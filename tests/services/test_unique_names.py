"""Names of roles and workspaces: unique in any spelling, one namespace for a role's key and name."""

import pytest

from invite_app.errors import InvalidName, NameTaken, RoleNotFound, WorkspaceNotFound
from invite_app.services import members, roles, workspaces
from tests.support.factories import OPERATOR, Acme, add_member, invite, make_person, make_role


class TestWorkspaces:
    @pytest.mark.parametrize("name", ["Sales", " sales ", "SALES", "\uff33ales"])
    def test_are_unique_ignoring_spelling(self, acme: Acme, name: str) -> None:
        with pytest.raises(NameTaken) as error:
            workspaces.create(acme.id, name, by=acme.owner.actor)
        assert error.value.name == name.strip()
        with pytest.raises(NameTaken):
            workspaces.rename(acme.id, acme.workspaces[1], name, by=acme.owner.actor)
        names = [workspace.name for workspace in workspaces.list_all(acme.id, by=acme.member.actor)]
        assert names == ["Sales", "Support"]

    def test_may_change_the_spelling_of_their_name(self, acme: Acme) -> None:
        assert workspaces.rename(acme.id, acme.workspaces[0], "SALES", by=acme.admin.actor).name == "SALES"

    def test_may_share_a_name_across_organizations(self, acme: Acme, globex: Acme) -> None:
        workspaces.create(acme.id, "New", by=OPERATOR)
        assert workspaces.create(globex.id, "New", by=OPERATOR).name == "New"

    @pytest.mark.parametrize("name", ["", "x" * 101, "a\nb", "\ufdfa" * 100])
    def test_need_a_usable_name(self, acme: Acme, name: str) -> None:
        with pytest.raises(InvalidName):
            workspaces.create(acme.id, name, by=acme.owner.actor)

    def test_deletion_keeps_other_workspaces_of_members_and_invitations(self, acme: Acme) -> None:
        person = make_person("bo@guest.example")
        add_member(acme, person, workspace_ids=acme.workspaces)
        sent = invite(acme, workspace_ids=acme.workspaces)
        workspaces.delete(acme.id, acme.workspaces[0], by=acme.admin.actor)
        names = [workspace.name for workspace in members.get(acme.id, person.id, by=OPERATOR).workspaces]
        assert names == ["Support"]
        assert sent.id
        with pytest.raises(WorkspaceNotFound):
            workspaces.delete(acme.id, acme.workspaces[0], by=acme.admin.actor)


class TestRoles:
    @pytest.mark.parametrize("name", ["owner", "ADMIN", "Member", "org:admin", " Org:Owner "])
    def test_cannot_be_named_like_a_built_in_role(self, acme: Acme, name: str) -> None:
        with pytest.raises(NameTaken):
            roles.create(acme.id, name=name, key="other", permissions=[], by=acme.owner.actor)
        with pytest.raises(NameTaken):
            roles.create(acme.id, name="Other", key=name, permissions=[], by=acme.owner.actor)

    def test_are_found_with_and_without_prefix(self, acme: Acme) -> None:
        roles.create(acme.id, name="org:Lead", key="first", permissions=[], by=acme.owner.actor)
        for name, key in [("Lead", "second"), ("Second", "lead"), ("FIRST", "second"), ("Second", "org:first")]:
            with pytest.raises(NameTaken):
                roles.create(acme.id, name=name, key=key, permissions=[], by=acme.owner.actor)

    def test_cannot_be_renamed_to_an_existing_name(self, acme: Acme) -> None:
        make_role(acme, "Lead", [])
        with pytest.raises(NameTaken):
            roles.update_role(acme.id, "lead", name="Admin", by=acme.owner.actor)
        assert roles.update_role(acme.id, "lead", name="LEAD", by=acme.owner.actor).name == "LEAD"

    def test_of_another_organization_are_not_found(self, acme: Acme, globex: Acme) -> None:
        made = make_role(globex, "Lead", [])
        for name in ("lead", str(made)):
            with pytest.raises(RoleNotFound):
                invite(acme, role=name)
