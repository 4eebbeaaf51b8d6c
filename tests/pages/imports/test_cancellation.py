"""Cancelling an import on its page, with a preview."""

import pytest
from flask import Flask

from tests.support.factories import Acme
from tests.support.visitor import Visitor


@pytest.fixture
def app(smtp_app: Flask) -> Flask:
    return smtp_app


@pytest.fixture
def sheet(acme: Acme, owner: Visitor) -> str:
    start = f"/organizations/{acme.id}/invitations/bulk"
    path = owner.go(start, text="a@guest.example\nb@guest.example", role="member")
    owner.go(f"{path}/send", page=path)
    return path


def test_cancelling_asks_first(sheet: str, owner: Visitor) -> None:
    assert f"{sheet}/stop" in owner.get(f"{sheet}/progress").links
    page = owner.get(f"{sheet}/stop")
    assert page.texts("h1") == ["Stop sending to 2 people?"]
    assert "Their invitations are revoked, and their seats are free again." in page.texts("li")
    assert owner.go(f"{sheet}/stop") == f"{sheet}/progress"
    assert owner.client.get(f"{sheet}/progress").location == sheet
    page = owner.get(sheet)
    assert page.notes[0] == "Stopped. 2 emails were not sent. Their rows are on the list again, ready to be sent."
    assert "2 of 2 rows are ready to send" in page.texts("h2")


def test_nothing_to_cancel_redirects_back(sheet: str, owner: Visitor) -> None:
    owner.go(f"{sheet}/stop", page=f"{sheet}/stop")
    assert owner.client.get(f"{sheet}/stop").location == f"{sheet}/progress"
    token = owner.token(sheet)
    answer = owner.client.post(f"{sheet}/stop", data={"csrf_token": token})
    assert answer.status_code == 303
    assert "There was nothing left to stop." in owner.get(sheet).notes
