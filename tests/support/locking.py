"""Locks held by another session."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import UUID

import psycopg


@contextmanager
def other_session(url: str) -> Iterator[psycopg.Connection]:
    """Open another session on the PostgreSQL database of a test."""
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        yield connection
        connection.rollback()


@contextmanager
def locked_organization(url: str, organization_id: UUID) -> Iterator[None]:
    """Lock the row of an organization, or all of an SQLite database."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as embedded:
            embedded.execute("BEGIN IMMEDIATE")
            yield
            embedded.execute("ROLLBACK")
        return
    with other_session(url) as connection:
        connection.execute("SELECT 1 FROM organizations WHERE id = %s FOR UPDATE", [organization_id])
        yield


@contextmanager
def locked_table(url: str, name: str) -> Iterator[None]:
    """Lock a whole table of PostgreSQL, for reading as well."""
    with other_session(url) as connection:
        connection.execute(psycopg.sql.SQL("LOCK TABLE {}").format(psycopg.sql.Identifier(name)))
        yield
