"""Fixtures that run commands within the test process."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

Run = Callable[..., Result]
Ask = Callable[..., Any]


@pytest.fixture
def run(app: Flask) -> Run:
    """Run `flask ...`: `run("org", "list").output`."""
    runner = app.test_cli_runner()

    def run(*arguments: object, **options: Any) -> Result:
        result = runner.invoke(args=[str(argument) for argument in arguments], **options)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


@pytest.fixture
def ask(run: Run) -> Ask:
    """Run a command with `--json` that must succeed; return its output."""

    def ask(*arguments: object, **options: Any) -> Any:
        result = run(*arguments, "--json", **options)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return ask
