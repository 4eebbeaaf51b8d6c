"""Types and expressions that differ between SQLite and PostgreSQL.

SQLAlchemy's dialect modules are imported only where a statement for that database is compiled: importing both in
every process costs startup time and memory.
"""

import json
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    BindParameter,
    ColumnElement,
    Dialect,
    Index,
    String,
    TypeDecorator,
    bindparam,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine


class _Json(TypeDecorator[Any]):
    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return dialect.type_descriptor(JSON())
        from sqlalchemy.dialects.postgresql import JSONB  # noqa: PLC0415 - see above

        return dialect.type_descriptor(JSONB())


# JSON: text on SQLite, JSONB on PostgreSQL.
Json = _Json()


class Many(TypeDecorator[list[Any]]):
    """Many values as one: an array on PostgreSQL, text on SQLite."""

    impl = String
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.of) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: list[Any] | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        write = self.of.dialect_impl(dialect).bind_processor(dialect)
        return json.dumps([write(one) if write else one for one in value])


class Among(ColumnElement[bool]):
    """A test that a column is one of many values, passed as one parameter: the SQL is the same for any number."""

    inherit_cache = False

    def __init__(self, column: Any, name: str) -> None:
        self.column = column
        self.given: BindParameter[Any] = bindparam(name, type_=Many(column.type))


@compiles(Among, "postgresql")
def _equals_any(among: Among, compiler: Any, **options: Any) -> str:
    column, given = (compiler.process(part, **options) for part in (among.column, among.given))
    return f"{column} = ANY ({given})"


@compiles(Among, "sqlite")
def _is_in_list(among: Among, compiler: Any, **options: Any) -> str:
    column, given = (compiler.process(part, **options) for part in (among.column, among.given))
    return f"{column} IN (SELECT value FROM json_each({given}))"  # noqa: S608 - made of what the compiler made


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of the rows for which `where` is true; its migration says so for each database by itself."""
    return Index(name, *columns, unique=unique, info={"where": where})


@compiles(CreateIndex)
def _create_index(create: CreateIndex, compiler: Any, **options: Any) -> str:
    if where := create.element.info.get("where"):
        create.element.dialect_options[compiler.dialect.name]["where"] = text(where)
    created: str = compiler.visit_create_index(create, **options)
    return created


class email_domain(FunctionElement[str]):  # noqa: N801 - called like a function of the database
    """The domain of a normalized address, whose local part holds no @."""

    type = String()
    inherit_cache = True


@compiles(email_domain, "sqlite")
def _after_the_at(element: email_domain, compiler: Any, **options: Any) -> str:
    address = compiler.process(element.clauses, **options)
    return f"substr({address}, instr({address}, '@') + 1)"


@compiles(email_domain, "postgresql")
def _second_part(element: email_domain, compiler: Any, **options: Any) -> str:
    return f"split_part({compiler.process(element.clauses, **options)}, '@', 2)"


class joined(FunctionElement[str]):  # noqa: N801 - called like a function of the database
    """The texts of a group, with commas between them; NULL for none."""

    type = String()
    inherit_cache = True


@compiles(joined)
def _group_concat(element: joined, compiler: Any, **options: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **options)})"


@compiles(joined, "postgresql")
def _string_agg(element: joined, compiler: Any, **options: Any) -> str:
    return f"string_agg({compiler.process(element.clauses, **options)}, ',')"
