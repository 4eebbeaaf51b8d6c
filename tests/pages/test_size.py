"""The longest list with the longest names stays below 100 kB."""

import pytest
from flask import Flask

from invite_app.services import workspaces
from tests.support.factories import OPERATOR, Acme, add_member, invite, make_person
from tests.support.visitor import Visitor

ROWS = 30
LIMIT = 100_000
GIVEN, FAMILY = "Maximiliane-Konstanze Wilhelmine", "von und zu Hohenlohe-Schillingsfürst der Ältere"


@pytest.fixture
def crowded(app: Flask, acme: Acme) -> Acme:
    with app.app_context():
        workspace_ids = [
            workspaces.create(acme.id, f"Research and development, part {number}", by=OPERATOR).id
            for number in range(20)
        ]
        for number in range(ROWS):
            address = f"maximiliane-konstanze.hohenlohe-{number}@department.university.example"
            invite(acme, f"i.{address}", given_name=GIVEN, family_name=FAMILY, workspace_ids=workspace_ids)
            add_member(acme, make_person(address, GIVEN, FAMILY), workspace_ids=workspace_ids)
    return acme


@pytest.mark.parametrize("page", ["members", "invitations", "invitations?state=all&all=1", "audit"])
def test_full_list_of_long_names_stays_small(crowded: Acme, owner: Visitor, page: str) -> None:
    owner.get(f"/organizations/{crowded.id}/{page}")
    assert owner.answer is not None
    assert len(owner.answer.data) < LIMIT
