"""Locks held by somebody else: another program, in a session of its own."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import UUID

import psycopg


@contextmanager
def others_session(url: str) -> Iterator[psycopg.Connection]:
    """Open a session of another program on the PostgreSQL database of a test."""
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        yield connection
        connection.rollback()


@contextmanager
def locked_organization(url: str, organization_id: UUID) -> Iterator[None]:
    """Keep the row of an organization, or all of the embedded database, from everybody else."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as embedded:
            embedded.execute("BEGIN IMMEDIATE")
            yield
            embedded.execute("ROLLBACK")
        return
    with others_session(url) as connection:
        connection.execute("SELECT 1 FROM organizations WHERE id = %s FOR UPDATE", [organization_id])
        yield


@contextmanager
def locked_table(url: str, name: str) -> Iterator[None]:
    """Keep others from a whole table of PostgreSQL, to read it as well."""
    with others_session(url) as connection:
        connection.execute(psycopg.sql.SQL("LOCK TABLE {}").format(psycopg.sql.Identifier(name)))
        yield
