"""The form of a role, and what saving it would do to those who have the role."""

from dataclasses import dataclass

from wtforms import SelectMultipleField, StringField

from invite_app.access import Principal
from invite_app.errors import CannotGrantRole
from invite_app.models import Role
from invite_app.pages.shared import ErrorText, ErrorTexts, PageForm, choice, form_errors, name_field, permission_texts
from invite_app.services.roles import RoleUse

# The error belongs to a permission, since this form has no field for a role.
REFUSALS: ErrorTexts = {CannotGrantRole: ErrorText("permissions", form_errors.message)}


class RoleForm(PageForm):
    name = name_field("Name", say="a name")
    permissions = SelectMultipleField(
        "Permissions",
        choices=[choice(name, label) for name, label in permission_texts.LABELS.items()],
        validate_choice=False,
    )


class NewRoleForm(RoleForm):
    key = StringField("Key", description="Used by the API. It never changes.")


@dataclass(frozen=True)
class Effect:
    """The effect of a change: affected members, and permissions they gain and lose."""

    members: int
    pending: int
    gained: list[str]
    lost: list[str]

    @property
    def changes_something(self) -> bool:
        return bool(self.gained or self.lost)


def effect(form: RoleForm, use: RoleUse | None) -> Effect:
    """For a role that is still to be made, everything it allows is gained."""
    before = set(use.role.permissions) if use else set()
    after = set(form.permissions.data or ())
    return Effect(
        members=use.members if use else 0,
        pending=use.pending if use else 0,
        gained=_in_words(after - before),
        lost=_in_words(before - after),
    )


def withheld(principal: Principal) -> dict[str, str]:
    """Why some permissions cannot be chosen."""
    return {name: permission_texts.ABOVE_OWN for name in permission_texts.LABELS if not principal.can(name)}


def obstacle(role: Role, principal: Principal) -> str:
    """Why this person cannot change this role; empty when nothing is in the way."""
    if role.is_built_in:
        return "Built in. Duplicate it to make your own."
    if not principal.can_grant(role):
        missing = permission_texts.list_permissions(
            name for name in permission_texts.LABELS if name in role.permissions and not principal.can(name)
        )
        return f"You cannot change this role: your own role does not let you {missing}."
    return ""


def _in_words(names: set[str]) -> list[str]:
    return [permission_texts.CAN[name] for name in permission_texts.LABELS if name in names]
