"""Workspaces: the list, and making, renaming and deleting one."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from invite_app.pages.blueprint import pages
from invite_app.pages.shared import (
    FormErrors,
    PageForm,
    current_actor,
    name_field,
    page_links,
    principal,
    render_page,
)
from invite_app.services import workspaces

ALL = "/organizations/<uuid:organization_id>/workspaces"
ONE = f"{ALL}/<uuid:workspace_id>"


class WorkspaceForm(PageForm):
    name = name_field("Name", say="a name")


@pages.get(ALL, endpoint="workspaces")
def show_list(organization_id: UUID) -> ResponseReturnValue:
    page = workspaces.list_with_use(organization_id, by=current_actor(), cursor=request.args.get("cursor"))
    return render_page("workspaces/list.html", uses=page.items, page=page_links.links(page))


@pages.route(f"{ALL}/new", methods=["GET", "POST"])
def new_workspace(organization_id: UUID) -> ResponseReturnValue:
    principal().check_can("workspaces:write")
    form = WorkspaceForm()
    if form.validate_on_submit():
        with FormErrors(form):
            made = workspaces.create(organization_id, form.name.data or "", by=current_actor())
            flash(f"Workspace {made.name} made.", "ok")
            return redirect(url_for("pages.workspaces"), 303)
    return render_page("workspaces/form.html", status=form.status, form=form, workspace=None)


@pages.route(f"{ONE}/rename", methods=["GET", "POST"])
def rename_workspace(organization_id: UUID, workspace_id: UUID) -> ResponseReturnValue:
    principal().check_can("workspaces:write")
    workspace = workspaces.get_with_use(organization_id, workspace_id, by=current_actor()).workspace
    form = WorkspaceForm(name=workspace.name)
    if form.validate_on_submit():
        with FormErrors(form):
            renamed = workspaces.rename(organization_id, workspace_id, form.name.data or "", by=current_actor())
            flash(f"The workspace is now called {renamed.name}.", "ok")
            return redirect(url_for("pages.workspaces"), 303)
    return render_page("workspaces/form.html", status=form.status, form=form, workspace=workspace)


@pages.route(f"{ONE}/delete", methods=["GET", "POST"])
def delete_workspace(organization_id: UUID, workspace_id: UUID) -> ResponseReturnValue:
    principal().check_can("workspaces:write")
    if request.method == "POST":
        workspaces.delete(organization_id, workspace_id, by=current_actor())
        flash("The workspace is deleted.", "ok")
        return redirect(url_for("pages.workspaces"), 303)
    return render_page(
        "workspaces/delete.html", use=workspaces.get_with_use(organization_id, workspace_id, by=current_actor())
    )
