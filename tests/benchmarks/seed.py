"""Rows for benchmarks: organizations of several sizes with a key each, and people who accept.

python -m tests.benchmarks.seed '{"sizes": [1000], "accepts": 40}'      prints ids, keys, cursors, links and cookies
"""

import json
import sys
from collections.abc import Iterable, Iterator
from hashlib import md5
from itertools import islice
from typing import Any
from uuid import UUID

import flask_migrate
from flask import Flask, current_app
from sqlalchemy import insert, select, text, update

from invite_app import create_app, db, tokens
from invite_app.db import session, transaction
from invite_app.models import Invitation, Membership, Organization, Role, Session, User
from invite_app.models.members import sort_name
from invite_app.models.types import fresh, now, row_of
from invite_app.services import invitations, members, pagination
from invite_app.services.members import queries
from tests.support.factories import OPERATOR, make_api_key, make_organization, make_person

CHUNK = 20_000


def main(sizes: list[int], accepts: int) -> dict[str, Any]:
    places = {str(size): make_place(size) for size in (0, *sizes)}
    return {"places": places, "accepts": list(make_accepts(UUID(places["0"]["organization_id"]), accepts))}


def make_place(size: int) -> dict[str, str]:
    """Create an organization with a key and `size` more members; `deep` is the cursor of its last page."""
    place = make_organization(f"Organization {size}")
    add_members(place.id, size)
    return {
        "organization_id": str(place.id),
        "key": make_api_key(place, role="owner").secret,
        "deep": deep_cursor(place.id),
    }


def add_members(organization_id: UUID, size: int) -> None:
    role_id = session().scalar(select(Role.id).where(Role.organization_id == organization_id, Role.key == "member"))
    people = (person(number, size) for number in range(size))
    while users := list(islice(people, CHUNK)):
        memberships = [
            fresh(
                Membership, organization_id=organization_id, user_id=one.id, role_id=role_id, sort_name=sort_name(one)
            )
            for one in users
        ]
        with transaction() as writing:
            writing.execute(insert(User.__table__), rows(users))
            writing.execute(insert(Membership.__table__), rows(memberships))
    with transaction() as writing:
        counted = {"members_count": Organization.members_count + size}
        writing.execute(update(Organization).where(Organization.id == organization_id).values(counted))
    if size:
        with db.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))


def person(number: int, size: int) -> User:
    mark = md5(b"%d" % number, usedforsecurity=False).hexdigest()[:6]
    email = f"person{number}.{mark}@{size}.example.test"
    return fresh(User, email=email, given_name="Ada", family_name=f"Lovelace {number}", is_verified=True)


def rows(instances: Iterable[Any]) -> list[dict[str, Any]]:
    return [row_of(instance) for instance in instances]


def deep_cursor(organization_id: UUID) -> str:
    query = (
        queries.complete()
        .where(Membership.organization_id == organization_id)
        .order_by(*(column.desc() for column in members.BY_NAME.columns))
        .limit(100)
    )
    return pagination.cursor_at(members.BY_NAME, session().scalars(query).all()[-1])


def make_accepts(organization_id: UUID, count: int) -> Iterator[tuple[str, str]]:
    """Return the token of a pending invitation and the cookie of a signed-in person, for each of some."""
    for number in range(count):
        user_id = make_person(f"a{number}@example.com").id
        draft = invitations.Draft(f"a{number}@example.com", "member", notify=False)
        invitation: Invitation = invitations.send(organization_id, draft, by=OPERATOR)
        with transaction() as writing:
            writing.add(Session(id=f"session-{user_id}", user_id=user_id, last_seen_at=now()))
        token = tokens.invitation_token(invitation.id, invitation.nonce)
        yield token, cookie(current_app, f"session-{user_id}", user_id)


def cookie(app: Flask, session_id: str, user_id: UUID) -> str:
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]  # of Flask's own kind
    signed: str = signer.dumps({"_user_id": session_id, "_fresh": True, "_permanent": True, "person": str(user_id)})
    return signed


if __name__ == "__main__":
    app = create_app()
    with app.app_context():
        flask_migrate.upgrade(directory=str(db.MIGRATIONS))
        print(json.dumps(main(**json.loads(sys.argv[1]))))
