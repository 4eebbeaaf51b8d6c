"""Roles: the list, the editor with its effect, and deleting one."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField

from invite_app.access import authorize
from invite_app.errors import CannotGrantRole, RoleNotFound
from invite_app.models import Role
from invite_app.pages.blueprint import pages
from invite_app.pages.shared import (
    ErrorText,
    ErrorTexts,
    FormErrors,
    PageForm,
    choice,
    current_actor,
    form_errors,
    page_links,
    permission_texts,
    principal,
    render_page,
)
from invite_app.services import roles
from invite_app.services.roles import RoleUse

from .role_form import REFUSALS, NewRoleForm, RoleForm, effect, obstacle, withheld

ALL = "/organizations/<uuid:organization_id>/roles"
ONE = f"{ALL}/<key>"
NEEDS = "roles:write"


REMOVAL_REFUSALS: ErrorTexts = {
    kind: ErrorText("replacement", form_errors.message) for kind in (RoleNotFound, CannotGrantRole)
}


class RemovalForm(PageForm):
    replacement = SelectField("New role of its members", validate_choice=False)


@pages.app_template_filter()
def role_line(role: Role) -> str:
    """One line on what people with the role can do."""
    line = permission_texts.role_summary(role.permissions)
    return line[0].upper() + line[1:]


@pages.app_template_filter()
def address_key(role: Role) -> str:
    """Return the key of a role for the URL, with the prefix `org:` if another page has that path."""
    return f"org:{role.key}" if role.key == "new" else role.key


@pages.get(ALL, endpoint="roles")
def show_list(organization_id: UUID) -> ResponseReturnValue:
    page = roles.list_with_use(organization_id, by=current_actor(), cursor=request.args.get("cursor"))
    return render_page("roles/list.html", uses=page.items, page=page_links.links(page))


@pages.route(f"{ALL}/new", methods=["GET", "POST"])
def new_role(organization_id: UUID) -> ResponseReturnValue:
    principal().check_can(NEEDS)
    form = _form_like(organization_id, request.args.get("like", ""))
    if "preview" not in request.form and form.validate_on_submit():
        with FormErrors(form, REFUSALS):
            made = roles.create(
                organization_id,
                name=form.name.data or "",
                key=form.key.data,
                permissions=form.permissions.data or (),
                by=current_actor(),
            )
            flash(f"Role {made.name} made.", "ok")
            return redirect(url_for("pages.roles"), 303)
    return _show_editor(form, None)


@pages.route(ONE, methods=["GET", "POST"])
def role(organization_id: UUID, key: str) -> ResponseReturnValue:
    use = roles.get_with_use(organization_id, key, by=current_actor())
    form = RoleForm(name=use.role.name, permissions=use.role.permissions)
    if "preview" not in request.form and form.validate_on_submit():
        with FormErrors(form, REFUSALS):
            changed = roles.update_role(
                organization_id, key, name=form.name.data, permissions=form.permissions.data or (), by=current_actor()
            )
            flash(f"Role {changed.name} saved.", "ok")
            return redirect(_after_a_change(organization_id), 303)
    return _show_editor(form, use)


@pages.route(f"{ONE}/delete", methods=["GET", "POST"])
def delete_role(organization_id: UUID, key: str) -> ResponseReturnValue:
    use = roles.get_with_use(organization_id, key, by=current_actor())
    others = [one for one in roles.list_all(organization_id, by=current_actor()) if one.id != use.role.id]
    form = RemovalForm()
    form.replacement.choices = [choice("", "Choose a role")]
    form.replacement.choices += [choice(one.key, one.name) for one in others if principal().can_grant(one)]
    if form.validate_on_submit():
        with FormErrors(form, REMOVAL_REFUSALS):
            roles.delete(organization_id, key, replacement=form.replacement.data or None, by=current_actor())
            flash(f"The role {use.role.name} is deleted.", "ok")
            return redirect(_after_a_change(organization_id), 303)
    return render_page(
        "roles/delete.html",
        status=form.status,
        form=form,
        use=use,
        obstacle=obstacle(use.role, principal()),
    )


def _form_like(organization_id: UUID, key: str) -> NewRoleForm:
    """Empty, or, for a duplicate, with as much of another role as this person may give."""
    if not key:
        return NewRoleForm()
    model = roles.get_with_use(organization_id, key, by=current_actor()).role
    may_give = [name for name in model.permissions if principal().can(name)]
    return NewRoleForm(name=f"Copy of {model.name}", permissions=may_give)


def _show_editor(form: RoleForm, use: RoleUse | None) -> ResponseReturnValue:
    in_the_way = obstacle(use.role, principal()) if use else ""
    return render_page(
        "roles/editor.html",
        status=form.status,
        form=form,
        use=use,
        groups=permission_texts.GROUPS,
        hints=permission_texts.HINTS,
        locked=permission_texts.HINTS if in_the_way else withheld(principal()),
        obstacle=in_the_way,
        effect=effect(form, use),
    )


def _after_a_change(organization_id: UUID) -> str:
    """The list; but who has just taken the right to see it from their own role goes to the overview."""
    may_stay = authorize(current_actor(), organization_id).can(NEEDS)
    return url_for("pages.roles" if may_stay else "pages.overview")
