"""Every dialect has a response of its own for every error."""

import pytest
from werkzeug.exceptions import HTTPException

from invite_app.api import DIALECTS
from invite_app.api.dialect import Dialect
from invite_app.api.request_parsing import RequestInvalid
from invite_app.errors import DomainError

from .error_examples import EXAMPLES, SHARED, all_errors

each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)


def test_every_error_has_an_example() -> None:
    assert set(EXAMPLES) == set(all_errors())


@each_dialect
@pytest.mark.parametrize("error", all_errors(), ids=lambda error: error.__name__)
def test_every_error_has_a_row(dialect: Dialect, error: type[DomainError]) -> None:
    bases = [base for base in error.__mro__ if base in SHARED]
    assert error in dialect.errors or any(base in dialect.errors for base in bases)


@each_dialect
def test_no_row_catches_everything(dialect: Dialect) -> None:
    assert not {DomainError, Exception} & set(dialect.errors)


@each_dialect
def test_http_errors_have_a_row(dialect: Dialect) -> None:
    assert {HTTPException, RequestInvalid} <= set(dialect.errors)


@each_dialect
def test_operation_names_are_unique(dialect: Dialect) -> None:
    names = [endpoint.operation_id for endpoint in dialect.endpoints]
    assert len(names) == len(set(names))
    assert all(endpoint.view.__doc__ for endpoint in dialect.endpoints)
