"""The form of a member, and what saving it would do to the person."""

from collections.abc import Sequence
from dataclasses import dataclass

from wtforms import RadioField, SelectMultipleField

from invite_app.access import Principal
from invite_app.errors import CannotManageMember
from invite_app.models import Membership, Role, Workspace
from invite_app.pages.shared import PageForm, choice, form_errors, permission_texts, workspace_choices
from invite_app.services import members

ONLY_OWNERS = "Only an owner can make somebody an owner."


class MemberForm(PageForm):
    role = RadioField("Role", validate_choice=False)
    workspace_ids = SelectMultipleField("Workspaces", validate_choice=False)

    @property
    def chosen_role(self) -> str | None:
        """None where nobody chose one; the field has the member's own then."""
        return self.role.data if any(self.role.raw_data or ()) else None


@dataclass(frozen=True)
class Effect:
    """The effect of a change: permissions and workspaces that the person gains and loses."""

    gained: list[str]
    lost: list[str]
    into: list[str]
    out_of: list[str]

    @property
    def changes_something(self) -> bool:
        return bool(self.gained or self.lost or self.into or self.out_of)


def form_of(member: Membership, roles: Sequence[Role], workspaces: Sequence[Workspace]) -> MemberForm:
    form = MemberForm(role=member.role.key, workspace_ids=[str(one.id) for one in member.workspaces])
    form.role.choices = [choice(role.key, role.name) for role in roles]
    form.workspace_ids.choices = workspace_choices(workspaces)
    return form


def effect(form: MemberForm, member: Membership, roles: Sequence[Role], workspaces: Sequence[Workspace]) -> Effect:
    before = set(member.role.permissions)
    after = next((set(role.permissions) for role in roles if role.key == form.role.data), before)
    now_in, chosen = {str(one.id) for one in member.workspaces}, set(form.workspace_ids.data or ())
    return Effect(
        gained=_in_words(after - before),
        lost=_in_words(before - after),
        into=[one.name for one in workspaces if str(one.id) in chosen - now_in],
        out_of=[one.name for one in workspaces if str(one.id) in now_in - chosen],
    )


def lines(roles: Sequence[Role]) -> dict[str, str]:
    """One line on each role, by key."""
    return {role.key: _sentence(permission_texts.role_summary(role.permissions)) for role in roles}


def refused(member: Membership, roles: Sequence[Role], principal: Principal) -> dict[str, str]:
    """Why some roles cannot be given to this member, by key."""
    is_last_owner = member.role.is_owner and members.count_owners(member) == 1
    sentence = only_owner(member) if is_last_owner else ""
    others = {role.key: sentence for role in roles if not role.is_owner} if is_last_owner else {}
    return others | withheld(roles, principal)


def obstacle(member: Membership, principal: Principal) -> str:
    """Why this person cannot change the member; empty for those who may, and for those who change nobody."""
    try:
        principal.check_can_manage(member.user_id, member.role)
    except CannotManageMember as error:
        return str(form_errors.message(error)) if principal.can("members:write") else ""
    return ""


def withheld(roles: Sequence[Role], principal: Principal) -> dict[str, str]:
    """Why some roles cannot be chosen, by key."""
    return {role.key: _why(role, principal) for role in roles if not principal.can_grant(role)}


def only_owner(member: Membership) -> str:
    return f"{member.user.given_name or member.user.email} is the only owner. Hand over ownership first."


def _why(role: Role, principal: Principal) -> str:
    lacking = [name for name in permission_texts.CAN if name in role.permissions and not principal.can(name)]
    return f"Your own role does not have: {permission_texts.list_permissions(lacking)}." if lacking else ONLY_OWNERS


def _in_words(names: set[str]) -> list[str]:
    return [text for name, text in permission_texts.CAN.items() if name in names]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"
