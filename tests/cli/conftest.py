"""Running a command as an operator does, without the process around it."""

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
    """Runs `flask ...`: `run("org", "list").output`."""
    runner = app.test_cli_runner()

    def run(*arguments: object, **options: Any) -> Result:
        result = runner.invoke(args=[str(argument) for argument in arguments], **options)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


@pytest.fixture
def ask(run: Run) -> Ask:
    """Runs a command that succeeds, with `--json`, and answers what it printed."""

    def ask(*arguments: object, **options: Any) -> Any:
        result = run(*arguments, "--json", **options)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return ask
