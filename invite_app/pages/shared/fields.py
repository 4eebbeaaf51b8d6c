"""Fields and validators of forms. They call the rules of the services, so all fields are checked at once."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, PasswordField, StringField, ValidationError
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # newer than the published types

from invite_app.access import Principal
from invite_app.errors import DomainError
from invite_app.models import Role, Workspace
from invite_app.services import accounts, validation

from . import saved_forms


class PageForm(FlaskForm):
    """A form that shows again what was typed into it before a sign-out."""

    class Meta(FlaskForm.Meta):
        def wrap_formdata(self, form: FlaskForm, formdata: Any) -> Any:
            return super().wrap_formdata(form, formdata) or saved_forms.restore()

    refusal_status = 422

    @property
    def status(self) -> int:
        """Return the HTTP status of the page that shows the form."""
        return self.refusal_status if self.errors else 200


class ValidatedBy:
    """A validator that asks a rule of the services."""

    def __init__(self, rule: Callable[[str], object]) -> None:
        self._rule = rule

    def __call__(self, form: FlaskForm, field: Field) -> None:
        try:
            self._rule(field.data or "")
        except DomainError as error:
            raise ValidationError(str(error)) from None


def name_field(label: str, *, say: str) -> StringField:
    """`say` is what the sentence about an empty field asks for: 'a given name'."""
    return StringField(label, [ValidatedBy(partial(validation.name, field="", label=say))])


def email_field(label: str = "Email") -> StringField:
    return StringField(label, [ValidatedBy(validation.email)])


def new_password_field(label: str = "Choose a password") -> PasswordField:
    hint = f"At least {accounts.MIN_PASSWORD_LENGTH} characters. A few words in a row work well."
    return PasswordField(label, [ValidatedBy(accounts.check_password_strength)], description=hint)


def choice(value: str, label: str, **attributes: bool) -> Any:
    """One option of a select, or one of several boxes."""
    return SelectChoice(value, label, attributes)


def role_choices(roles: Iterable[Role], principal: Principal) -> list[Any]:
    """All roles of the organization; those that the person may not grant are shown, and cannot be chosen."""
    return [
        choice(role.key, role.name)
        if principal.can_grant(role)
        else choice(role.key, f"{role.name} (above your own role)", disabled=True)
        for role in roles
    ]


def workspace_choices(workspaces: Iterable[Workspace]) -> list[Any]:
    return [choice(str(workspace.id), workspace.name) for workspace in workspaces]
