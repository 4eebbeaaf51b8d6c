"""Workspaces: creating, renaming and deleting."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.support.factories import (
    Acme,
    expire,
    invite,
    make_organization,
)
from tests.support.visitor import Visitor


@pytest.fixture
def home(acme: Acme) -> str:
    return f"/organizations/{acme.id}"


def test_workspace_is_created_renamed_and_deleted(app: Flask, acme: Acme, home: str, owner: Visitor) -> None:
    assert owner.follow(f"{home}/workspaces/new", name=" Research ").notes == ["Workspace Research made."]
    for name, message in (
        ("research", "There is already a workspace called “research”."),
        ("  ", "Enter a name."),
        ("x" * 101, "Use at most 100 characters."),
    ):
        page = owner.submit(f"{home}/workspaces/new", name=name)
        assert page.errors == [message]
        assert page.value("name") == name
    one = f"{home}/workspaces/{acme.workspaces[0]}"
    assert owner.get(f"{one}/rename").value("name") == "Sales"
    assert owner.submit(f"{one}/rename", name="Support").errors == ["There is already a workspace called “Support”."]
    assert owner.follow(f"{one}/rename", name="Selling").notes == ["The workspace is now called Selling."]
    with app.app_context():
        invite(acme, workspace_ids=acme.workspaces[:1])
        expire(invite(acme, "late@guest.example", workspace_ids=acme.workspaces[:1]))
    assert "0 members and 1 pending invitation lose the workspace." in owner.get(f"{one}/delete").texts("p")
    page = owner.follow(f"{one}/delete")
    assert page.texts("span", "who-name") == ["Research", "Support"]
    owner.get(f"{one}/delete", 404)


def test_empty_workspace_list_says_so(app: Flask, visit: Callable[..., Visitor]) -> None:
    with app.app_context():
        bare = make_organization("Bare", workspace_names=())
    visitor = visit(bare.owner)
    assert "No workspaces yet" in visitor.get(f"/organizations/{bare.id}/workspaces").texts("h2")
    assert "There are no workspaces yet." in visitor.get(f"/organizations/{bare.id}/invitations/new").texts("p")
