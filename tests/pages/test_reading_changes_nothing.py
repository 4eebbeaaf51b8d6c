"""No GET or HEAD request changes the database, since mail scanners and browsers fetch links.

There are three exceptions: a fetch of an invitation's link, the last visit of a member, and viewing a mail in the
local outbox, which shows a link.
"""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Select, Table, select

from invite_app.db import session
from invite_app.models import OutboxMessage, TrackingEvent
from invite_app.models.types import Base
from invite_app.services import accounts
from invite_app.services.delivery import local_outbox
from tests.support.factories import Acme, expire, invite, make_person, token_of
from tests.support.visitor import Visitor

NOTHING = str(UUID(int=0))


def everything() -> dict[str, list[Any]]:
    session().rollback()
    tables = Base.metadata.sorted_tables
    return {table.name: sorted(map(str, session().execute(but_fetches(table)))) for table in tables}


def but_fetches(table: Table) -> Select[Any]:
    """Return all rows of a table without the values that the exceptions may change."""
    observed = ("checked_at", "last_seen_at", "link_copied", "updated_at")
    query = select(*(column for column in table.columns if column.name not in observed))
    if table.name == "invitation_events":
        return query.where(table.c.kind != TrackingEvent.CHECKED)
    return query.where(table.c.action != local_outbox.VIEWED) if table.name == "audit_events" else query


@pytest.fixture
def addresses(app: Flask, acme: Acme) -> dict[str, list[str]]:
    """Return values for the variable parts of all routes."""
    with app.app_context():
        make_person("bo@guest.example")
        offers = [invite(acme, f"{name}@guest.example") for name in ("ana", "bo", "cy")]
        expire(offers[2])
        tokens = [token_of(offer) for offer in offers] + [token_of(offers[0], copied=True), "broken"]
        message = session().scalar(select(OutboxMessage.id).where(OutboxMessage.invitation_id == offers[0].id))
        return {
            "organization_id": [str(acme.id)],
            "invitation_id": [str(offers[0].id)],
            "workspace_id": [str(acme.workspaces[0])],
            "message_id": [str(message)],
            "key": ["member"],
            "token": [*tokens, accounts.create_sign_in_link(acme.member.email)],
        }


def paths(app: Flask, addresses: dict[str, list[str]]) -> list[str]:
    found = ["/auth?inv_code=" + addresses["token"][0]]
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("pages.") or "GET" not in (rule.methods or ()):
            continue
        number = max((len(addresses.get(name, [NOTHING])) for name in rule.arguments), default=1)
        for index in range(number):
            path = rule.rule
            for name in rule.arguments:
                values = addresses.get(name, [NOTHING])
                choice = values[index % len(values)]
                path = re.sub(rf"<(\w+:)?{name}>", choice, path)
            found.append(path)
    return found


@pytest.mark.parametrize("signed_in", [True, False], ids=["signed in", "signed out"])
def test_no_get_or_head_changes_the_database(
    signed_in: bool, app: Flask, acme: Acme, addresses: dict[str, list[str]], visit: Callable[..., Visitor]
) -> None:
    visitor = visit(acme.owner if signed_in else None)
    with app.app_context():
        before = everything()
    for path in paths(app, addresses):
        assert "<" not in path
        answer = visitor.client.get(path)
        assert answer.status_code < 500
        assert visitor.head(path).status_code == answer.status_code
    with app.app_context():
        assert everything() == before
