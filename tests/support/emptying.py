"""A database of PostgreSQL is made once and emptied for the next test, which costs a tenth of making and dropping it.

It is used again only if nothing but rows can be left of what a test did with it.
"""

from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

from .postgres import PostgresServer

USES = 50
"""Rows that were deleted still take up room."""

# Whatever changes the schema writes these rows anew.
SCHEMA = """
SELECT md5(string_agg(seen::text, ',' ORDER BY seen)) FROM (
    SELECT (xmin, attrelid, attnum)::text AS seen FROM pg_attribute WHERE attrelid >= 16384
    UNION ALL SELECT (xmin, oid)::text FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT (xmin, version_num)::text FROM alembic_version
) AS everything
"""
OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
TABLES = """
SELECT relname FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
"""


class UsedDatabases:
    """The copies of a template that the tests of one process use one after the other."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server = server
        self._template = template
        self._free: list[str] = []
        self._uses: dict[str, int] = {}
        self._schemas: dict[str, Any] = {}

    def take(self) -> str:
        """The URL of a database in which there is nothing but what the migrations put there."""
        while self._free:
            url = self._free.pop()
            if self._uses[url] < USES and self._is_emptied(url):
                self._uses[url] += 1
                return url
            self._drop(url)
        url = self._server.create(f"test_{uuid4().hex}", self._template)
        with psycopg.connect(url) as connection:
            self._schemas[url] = _value(connection, SCHEMA)
        self._uses[url] = 1
        return url

    def give_back(self, url: str) -> bool:
        """Whether it came from here."""
        is_ours = url in self._uses
        if is_ours:
            self._free.append(url)
        return is_ours

    def close(self) -> None:
        for url in list(self._uses):
            self._drop(url)

    def _drop(self, url: str) -> None:
        del self._uses[url], self._schemas[url]
        self._server.drop(url.rpartition("/")[2])

    def _is_emptied(self, url: str) -> bool:
        try:
            with psycopg.connect(url) as connection:
                if _value(connection, OTHERS) or _value(connection, SCHEMA) != self._schemas[url]:
                    return False
                _empty(connection)
                return True
        except psycopg.Error:  # a test took it away, or this user may not do as replicas do
            return False


def _empty(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SET LOCAL session_replication_role = replica")  # the order of tables does not matter then
    tables = [sql.Identifier(name) for (name,) in connection.execute(TABLES)]
    filled = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(number, table)
        for number, table in enumerate(tables)
    )
    for (number,) in connection.execute(filled).fetchall():
        connection.execute(sql.SQL("DELETE FROM {}").format(tables[number]))


def _value(connection: psycopg.Connection[Any], query: str) -> Any:
    (value,) = connection.execute(query).fetchone() or (None,)
    return value
