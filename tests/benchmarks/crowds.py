"""Organizations of a thousand to a million people, invitations and events, inserted without services.

Constraints check every row, and the statement of migration 0003 fills the search index at the end.
"""

import importlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from uuid_utils.compat import uuid7

from invite_app.db import is_sqlite, session, transaction
from invite_app.extensions import db
from invite_app.models import Organization, Role
from invite_app.models.members import NEVER
from invite_app.models.types import now
from tests.support.factories import Acme, Key, make_api_key, make_organization, make_role

# The number of people with a rare value, for any size.
FEW = 60
NAMES = [
    "Ana",
    "Bo",
    "Cleo",
    "Dora",
    "Erik",
    "Fay",
    "Gil",
    "Hana",
    "Ines",
    "Jo",
    "Kai",
    "Lena",
    "Max",
    "Nora",
    "Olaf",
    "Pia",
    "Quin",
    "Rosa",
    "Sven",
    "Tara",
]
STATES = (
    "pending",
    "pending",
    "accepted",
    "accepted",
    "accepted",
    "accepted",
    "pending",
    "expired",
    "declined",
    "revoked",
)
CHUNK = 50_000
# Each table after those it refers to.
TABLES = ("users", "memberships", "membership_workspaces", "invitations", "audit_events")


@dataclass(frozen=True)
class Crowd:
    size: int
    acme: Acme
    key: Key


def make_all(sizes: Iterable[int]) -> list[Crowd]:
    """Create one organization of each size in an empty database."""
    with _without_search():
        return [_make(size) for size in sizes]


def _make(size: int) -> Crowd:
    """Put half of the people into the first workspace; FEW are in the second, have the role Rare and that name."""
    acme = make_organization(f"Crowd {size}")
    make_role(acme, "Rare", ["members:read"])
    roles = {role.key: role.id for role in session().scalars(select(Role).where(Role.organization_id == acme.id))}
    session().commit()
    every = size // FEW
    _load(_people(acme, size, every, roles))
    _load(_invitations(acme, size, every, roles["member"]))
    _load(_events(acme, size, every))
    pending = sum(STATES[number % len(STATES)] == "pending" for number in range(size))
    with transaction() as writing:
        counted = {"members_count": Organization.members_count + size, "pending_count": pending}
        writing.execute(update(Organization).where(Organization.id == acme.id).values(counted))
    return Crowd(size, acme, make_api_key(acme, role="owner"))


def analyze() -> None:
    """Analyze the tables, as the database does in time by itself."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if is_sqlite(db.engine) else "VACUUM ANALYZE"))


@contextmanager
def _without_search() -> Iterator[None]:
    """Disable the search triggers while rows are inserted, then fill the index."""
    if is_sqlite(db.engine):
        with db.engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA synchronous = OFF")  # the only connection
        of_search = "SELECT 'TRIGGER', name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'search_%'"
    else:
        of_search = "SELECT 'INDEX', indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'search_%'"
    with db.engine.begin() as connection:
        parts = connection.execute(text(of_search)).all()
        for kind, name, _ in parts:
            connection.exec_driver_sql(f"DROP {kind} {name}")
    yield
    session().commit()
    filling = importlib.import_module("invite_app.migrations.versions.0003_search_index")
    with db.engine.begin() as connection:
        for table in filling.TEXTS if is_sqlite(db.engine) else ():
            for statement in filling.SQLITE_FILL:
                connection.exec_driver_sql(filling._about(statement, table))
        for _, _, statement in parts:
            connection.exec_driver_sql(statement)


Row = tuple[str, dict[str, Any]]


def _people(acme: Acme, size: int, every: int, roles: dict[str, UUID]) -> Iterator[Row]:
    start = now() - timedelta(weeks=20)
    for number in range(size):
        rare = number % every == 0 and number // every < FEW
        given, family = NAMES[number % 20], f"{'Rarissima' if rare else 'Person'} {number * 7919 % size:07d}"
        email, at = f"person{number:07d}@{size}.example", start + timedelta(seconds=number)
        user_id, membership_id = uuid7(), uuid7()
        yield "users", {
            "id": user_id, "email": email, "given_name": given, "family_name": family, "is_verified": True,
            "created_at": at,
        }  # fmt: skip
        yield "memberships", {
            "id": membership_id, "organization_id": acme.id, "user_id": user_id, "created_at": at, "updated_at": at,
            "role_id": roles["rare" if rare else "member"], "sort_name": f"{given} {family} {email}".lower(),
            "public_metadata": "{}", "private_metadata": "{}", "last_seen_at": NEVER,
        }  # fmt: skip
        if number % 2 == 0:
            yield "membership_workspaces", {"membership_id": membership_id, "workspace_id": acme.workspaces[0]}
        if rare:
            yield "membership_workspaces", {"membership_id": membership_id, "workspace_id": acme.workspaces[1]}


def _invitations(acme: Acme, size: int, every: int, role_id: UUID) -> Iterator[Row]:
    start, end = now() - timedelta(weeks=10), now() + timedelta(days=6)
    for number in range(size):
        state = STATES[number % len(STATES)]
        at = start + timedelta(seconds=number * 5_000_000 // size)
        rare = number % every == 0 and number // every < FEW
        yield "invitations", {
            "id": uuid7(), "organization_id": acme.id, "email": f"guest{number:07d}@{size}.example",
            "given_name": NAMES[number % 20], "family_name": "Rarissima" if rare else "Guest", "role_id": role_id,
            "role_name": "Member", "note": "", "inviter_kind": "person", "inviter_id": acme.owner.id,
            "inviter_name": "Olivia Owner", "public_metadata": "{}", "private_metadata": "{}", "state": state,
            "nonce": b"0" * 16, "link_copied": False, "created_at": at, "updated_at": at, "expires_at": end,
            "closed_at": None if state == "pending" else at + timedelta(hours=5), "decline_message": "",
            "opened_count": 0, "request_message": "", "inviter_lost_right": False,
        }  # fmt: skip


def _events(acme: Acme, size: int, every: int) -> Iterator[Row]:
    start = now() - timedelta(weeks=10)
    for number in range(size):
        rare = number % every == 0 and number // every < FEW
        yield "audit_events", {
            "id": uuid7(), "organization_id": acme.id, "at": start + timedelta(seconds=number),
            "action": "member.removed" if rare else "invitation.sent", "actor_kind": "person",
            "actor_id": acme.owner.id, "actor_name": "Olivia Owner", "target_kind": "invitation",
            "target_id": uuid7(), "target_name": f"{'rarissima' if rare else 'guest'}{number:07d}@{size}.example",
            "before": "{}", "after": "{}",
        }  # fmt: skip


def _load(rows: Iterable[Row]) -> None:
    waiting = iter(rows)
    while chunk := list(islice(waiting, CHUNK)):
        tables: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
        for table, row in chunk:
            tables[table].append(row)
        with transaction() as writing:
            connection = writing.connection().connection.driver_connection
            if is_sqlite(db.engine):
                connection.execute("PRAGMA cache_size = -524288")
                connection.execute("PRAGMA wal_autocheckpoint = 100000")
            for table, found in tables.items():
                if found:
                    _insert(connection, table, found)


def _insert(connection: Any, table: str, rows: list[dict[str, Any]]) -> None:
    columns = ", ".join(rows[0])
    if is_sqlite(db.engine):
        marks = ", ".join("?" * len(rows[0]))
        values = [tuple(map(_text, row.values())) for row in rows]
        connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)
        return
    with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(tuple(row.values()))


def _text(value: Any) -> Any:
    if isinstance(value, UUID):
        return value.hex
    return value.replace(tzinfo=None).isoformat(" ", "microseconds") if isinstance(value, datetime) else value
