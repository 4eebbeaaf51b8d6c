"""PostgreSQL databases that are emptied for the next test, much faster than creating and dropping them.

A database is reused only if the test can have left nothing but rows.
"""

from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql

from .postgres import PostgresServer

# Deleted rows still take up space.
USES = 50

# Every change of the schema rewrites these rows.
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
    """Copies of a template, used by the tests of one process one after the other."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server = server
        self._template = template
        self._free: list[str] = []
        self._uses: dict[str, int] = {}
        self._schemas: dict[str, Any] = {}

    def take(self) -> str:
        """Return the URL of a database with the rows of the migrations only."""
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

    def release(self, url: str) -> bool:
        """Return whether the database came from here."""
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
        except psycopg.Error:  # dropped by a test, or the user may not act as a replica
            return False


def _empty(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SET LOCAL session_replication_role = replica")  # so that the order of tables does not matter
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
