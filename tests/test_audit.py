"""`make audit`'s output for pip-audit's results; a failed check is not a success."""

import json
import subprocess
from typing import Any

import pytest

from tests.support import audit

GOOD, SKIPPED = {"name": "flask", "version": "1", "vulns": []}, {"name": "odd", "skip_reason": "not found"}
BAD = {"name": "jinja2", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}


@pytest.mark.parametrize(
    ("answers", "status", "says"),
    [
        ([GOOD], audit.CLEAN, "1 packages audited, 0 with known weaknesses."),
        ([GOOD, BAD], audit.WEAK, "jinja2 1: CVE-1; fixed in: 2"),
        ([GOOD, SKIPPED], audit.UNKNOWN, "Not audited, since the service does not know them: odd."),
        ([SKIPPED], audit.UNKNOWN, "Nothing was audited"),
        (None, audit.UNKNOWN, "Nothing was audited"),
    ],
)
def test_output_and_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answers: Any, status: int, says: str
) -> None:
    printed = "" if answers is None else json.dumps({"dependencies": answers})
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, printed, "no")
    )
    assert audit.main() == status
    captured = capsys.readouterr()
    assert says in captured.out + captured.err
