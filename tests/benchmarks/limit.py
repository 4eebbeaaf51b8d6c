"""The lower bound to compare with: minimal SQLAlchemy code for the same requests.

A hashed key is looked up, the body is validated, one row is inserted under a unique constraint, and the response
follows the commit. There are no roles, seats, audit events, mails or search index here.
"""

import hashlib
import os
from typing import Any

from flask import Flask, Response, abort, jsonify, request
from pydantic import BaseModel, Field, TypeAdapter
from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    event,
    insert,
    select,
)

KEY = "limit"
meta = MetaData()
organizations = Table("organizations", meta, Column("id", Integer, primary_key=True), Column("key_hash", String(64)))
invitations = Table(
    "invitations",
    meta,
    Column("id", Integer, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("email", String(254), nullable=False),
    Column("given_name", String(100), nullable=False),
    Column("family_name", String(100), nullable=False),
    Column("role", String(100), nullable=False),
    UniqueConstraint("organization_id", "email"),
)
members = Table(
    "members",
    meta,
    Column("id", Integer, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False, index=True),
    Column("email", String(254), nullable=False),
    Column("name", String(201), nullable=False),
)


class Invite(BaseModel):
    email: str = Field(max_length=254, pattern=r"^[^@\s]{1,64}@[^@\s]{1,255}$")
    given_name: str = Field(max_length=100)
    family_name: str = Field(max_length=100)
    role: str = Field(max_length=100)


MANY = TypeAdapter(list[Invite])
engine = create_engine(os.environ.get("LIMIT_DATABASE", "sqlite://"), pool_size=16)
app = Flask(__name__)


@event.listens_for(engine, "connect")
def _set_up(connection: Any, _: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


@app.get("/healthz")
def healthz() -> str:
    return "ok"


@app.post("/invitations")
def invite() -> tuple[Response, int]:
    body = Invite.model_validate_json(request.get_data())
    with engine.begin() as connection:
        row = {"organization_id": _organization(connection), **body.model_dump()}
        key = connection.execute(insert(invitations), row).inserted_primary_key
    return jsonify(id=key[0], email=body.email), 201


@app.post("/invitations/bulk")
def invite_many() -> tuple[Response, int]:
    bodies = MANY.validate_json(request.get_data())
    with engine.begin() as connection:
        here = _organization(connection)
        connection.execute(insert(invitations), [{"organization_id": here, **body.model_dump()} for body in bodies])
    return jsonify(accepted=len(bodies)), 201


@app.get("/members")
def list_members() -> Response:
    with engine.connect() as connection:
        here = members.c.organization_id == _organization(connection)
        rows = connection.execute(select(members).where(here).order_by(members.c.id).limit(50))
        return jsonify(items=[dict(row._mapping) for row in rows])


def _organization(connection: Connection) -> int:
    key_hash = hashlib.sha256(request.headers.get("Authorization", "")[7:].encode()).hexdigest()
    found = connection.scalar(select(organizations.c.id).where(organizations.c.key_hash == key_hash))
    return found if found is not None else abort(401)


def fill(people: int) -> None:
    """Create an organization with this many members."""
    meta.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(organizations), {"id": 1, "key_hash": hashlib.sha256(KEY.encode()).hexdigest()})
        rows = ({"organization_id": 1, "email": f"p{n}@example.com", "name": f"Person {n}"} for n in range(people))
        connection.execute(insert(members), list(rows))


if __name__ == "__main__":
    fill(1000)
