"""An index to search members, invitations and the audit log by fragments

Every row has one text. In it, words stand two spaces apart and two spaces stand before the first, so that the three
characters " an" and "  a" say that a word begins so. PostgreSQL keeps a GIN index over hashes of organization and
three characters: a search reads nothing of other organizations, and no extension is needed.

SQLite keeps an FTS5 index. Its row numbers begin with the number of the organization, so a search reads one range of
them. Each commit to FTS5 is slow, however few rows it adds, so new rows wait in
a short list, which every 256th row of an organization puts into the index; a search looks at both. CROSS JOIN keeps
SQLite at that list: by itself it would begin with all rows of the organization. Whoever copies one of these tables in a
later migration (batch mode) has to make its triggers again.

Revision: 0003
Follows: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXTS = {
    "memberships": "{0}sort_name",
    "invitations": "{0}email || ' ' || {0}given_name || ' ' || {0}family_name",
    "audit_events": "{0}actor_name || ' ' || {0}target_name",
}

# None of the functions calls another one: PostgreSQL builds indexes without looking into any schema but its own.
POSTGRESQL_FOLDED = """
CASE WHEN octet_length(given) = char_length(given) THEN lower(given COLLATE "C")
ELSE translate(lower(given COLLATE "C"), '{upper}', '{lower}') END
"""
POSTGRESQL_KEYS = """
SELECT array_agg(hashtextextended(substr(part, place, 3) COLLATE "C", uuid_hash_extended(organization, 0)))
FROM (SELECT {part} AS part) AS parts, generate_series(1, char_length(part) - 2) AS place
"""
POSTGRESQL_FUNCTIONS = {
    "search_folded(given text) RETURNS text": "SELECT " + POSTGRESQL_FOLDED,
    "search_keys(organization uuid, given text) RETURNS bigint[]": POSTGRESQL_KEYS.replace(
        "{part}", POSTGRESQL_FOLDED
    ),
    "search_document(organization uuid, given text) RETURNS bigint[]": POSTGRESQL_KEYS.replace(
        "{part}", "'  ' || replace(" + POSTGRESQL_FOLDED + ", ' ', '  ')"
    ),
}

SQLITE_PLACES = """
CREATE TABLE search_places (number INTEGER PRIMARY KEY AUTOINCREMENT, organization_id CHAR(32) NOT NULL UNIQUE)
"""

# `search_T` is the index, `search_T_rows` numbers the rows, `search_T_waiting` holds the numbers not yet in the index.
SQLITE_TABLES = (
    "CREATE VIRTUAL TABLE search_{table} USING fts5(text, content='', tokenize='trigram')",
    "CREATE TABLE search_{table}_rows (number INTEGER PRIMARY KEY, row_id CHAR(32) NOT NULL UNIQUE)",
    "CREATE TABLE search_{table}_waiting (number INTEGER PRIMARY KEY)",
)

SQLITE_FILL = (
    """
INSERT INTO search_places (organization_id) SELECT DISTINCT organization_id FROM {table}
  WHERE organization_id IS NOT NULL AND organization_id NOT IN (SELECT organization_id FROM search_places)
""",
    """
INSERT INTO search_{table}_rows (number, row_id)
  SELECT (place.number << 32) + row_number() OVER (PARTITION BY place.number ORDER BY one.id), one.id
  FROM {table} AS one JOIN search_places AS place USING (organization_id)
""",
    """
INSERT INTO search_{table} (rowid, text) SELECT numbered.number, {one_text}
  FROM search_{table}_rows AS numbered JOIN {table} AS one ON one.id = numbered.row_id ORDER BY numbered.number
""",
)

SQLITE_TRIGGERS = (
    """
CREATE TRIGGER search_{table}_added AFTER INSERT ON {table} WHEN new.organization_id IS NOT NULL BEGIN
  INSERT INTO search_places (organization_id) SELECT new.organization_id
    WHERE NOT EXISTS (SELECT 1 FROM search_places WHERE organization_id = new.organization_id);
  INSERT INTO search_{table}_rows (number, row_id)
    SELECT 1 + coalesce((
      SELECT max(number) FROM search_{table}_rows
      WHERE number BETWEEN place.number << 32 AND ((place.number + 1) << 32) - 1
    ), place.number << 32), new.id
    FROM search_places AS place WHERE place.organization_id = new.organization_id;
  INSERT INTO search_{table}_waiting (number) VALUES (last_insert_rowid());
END
""",
    """
CREATE TRIGGER search_{table}_gathered AFTER INSERT ON search_{table}_waiting WHEN new.number % 256 = 0 BEGIN
  INSERT INTO search_{table} (rowid, text)
    SELECT waiting.number, {one_text}
    FROM search_{table}_waiting AS waiting
    CROSS JOIN search_{table}_rows AS numbered ON numbered.number = waiting.number
    CROSS JOIN {table} AS one ON one.id = numbered.row_id
    WHERE waiting.number BETWEEN (new.number >> 32) << 32 AND new.number;
  DELETE FROM search_{table}_waiting WHERE number BETWEEN (new.number >> 32) << 32 AND new.number;
END
""",
    """
CREATE TRIGGER search_{table}_changed AFTER UPDATE ON {table} WHEN {old_text} <> {new_text} BEGIN
  INSERT INTO search_{table} (search_{table}, rowid, text) SELECT 'delete', number, {old_text}
    FROM search_{table}_rows
    WHERE row_id = new.id AND number NOT IN (SELECT number FROM search_{table}_waiting);
  INSERT INTO search_{table} (rowid, text) SELECT number, {new_text}
    FROM search_{table}_rows
    WHERE row_id = new.id AND number NOT IN (SELECT number FROM search_{table}_waiting);
END
""",
    """
CREATE TRIGGER search_{table}_removed AFTER DELETE ON {table} BEGIN
  INSERT INTO search_{table} (search_{table}, rowid, text) SELECT 'delete', number, {old_text}
    FROM search_{table}_rows
    WHERE row_id = old.id AND number NOT IN (SELECT number FROM search_{table}_waiting);
  DELETE FROM search_{table}_waiting
    WHERE number IN (SELECT number FROM search_{table}_rows WHERE row_id = old.id);
  DELETE FROM search_{table}_rows WHERE row_id = old.id;
END
""",
)


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        _execute(SQLITE_PLACES)
        for table in TEXTS:
            for statement in (*SQLITE_TABLES, *SQLITE_FILL, *SQLITE_TRIGGERS):
                _execute(_about(statement, table))
        return
    folds = {code: chr(code).casefold() for code in range(0x80, 0x20000)}
    pairs = [(chr(code), folded) for code, folded in folds.items() if len(folded) == 1 and folded != chr(code)]
    upper, lower = ("".join(column) for column in zip(*pairs, strict=True))
    for head, body in POSTGRESQL_FUNCTIONS.items():
        filled = body.replace("{upper}", upper).replace("{lower}", lower)
        _execute(f"CREATE FUNCTION {head} LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $${filled}$$")
    for table, text in TEXTS.items():
        _execute(
            f"CREATE INDEX search_{table} ON {table} USING gin (search_document(organization_id, {text.format('')}))"
            " WITH (gin_pending_list_limit = 512)"
        )


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        for table in TEXTS:
            for trigger in ("added", "changed", "removed"):
                _execute(f"DROP TRIGGER search_{table}_{trigger}")
            for ending in ("_waiting", "_rows", ""):
                _execute(f"DROP TABLE search_{table}{ending}")
        _execute("DROP TABLE search_places")
        return
    for table in TEXTS:
        _execute(f"DROP INDEX search_{table}")
    _execute("DROP FUNCTION search_document, search_keys, search_folded")


def _about(statement: str, table: str) -> str:
    spaced = "'  ' || replace({}, ' ', '  ')"
    texts = {f"{row}_text": spaced.format(TEXTS[table].format(f"{row}.")) for row in ("one", "old", "new")}
    return statement.format(table=table, **texts)


def _execute(statement: str) -> None:
    op.execute(sa.text(statement.replace(":", r"\:")))
