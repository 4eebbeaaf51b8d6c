"""gunicorn's logs contain no secrets."""

import runpy
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invite_app.pages.imports import start
from tests.support.databases import on_sqlite
from tests.support.server import ROOT, ServerProcess

TOKEN = "AZqtR0sHdXKPtDLxH3mOAW1mZlFZrQ5sZ1sYt0cVJc3nF0d9bA"
ORGANIZATION = "/organizations/019aa1de-0000-7000-8000-000000000001"


@pytest.fixture(scope="module")
def configuration() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "gunicorn.conf.py"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"/invitations/{TOKEN}", "/invitations/[redacted]"),
        ("/invitations/short", "/invitations/[redacted]"),
        (f"/invitations/{TOKEN}/decline", "/invitations/[redacted]/decline"),
        (f"/anywhere/{TOKEN}", "/anywhere/[redacted]"),
        (f"GET /invitations/{TOKEN}?a=b HTTP/1.1", "GET /invitations/[redacted] HTTP/1.1"),
        (f"Invalid: 'GET https://our.example/x/{TOKEN}'", "Invalid: 'GET https://our.example/x/[redacted]'"),
        ("GET /auth?inv_code=abc HTTP/1.1", "GET /auth HTTP/1.1"),
        (f"{ORGANIZATION}/invitations/019aa1de", f"{ORGANIZATION}/invitations/019aa1de"),
        ("What now? Nothing.", "What now? Nothing."),
    ],
)
def test_redacts_tokens_and_queries(configuration: dict[str, Any], text: str, shown: str) -> None:
    assert configuration["redact"](text) == shown


def test_server_reads_bodies_of_every_permitted_size(configuration: dict[str, Any]) -> None:
    assert configuration["LARGEST_BODY"] > start.LARGEST_FORM


@on_sqlite
def test_serves_without_revealing_itself(start_process: Callable[..., ServerProcess]) -> None:
    server = start_process("gunicorn", workers=1)
    request = urllib.request.Request(
        f"{server.url}/invitations/{TOKEN}?inv_code=hidden", headers={"Referer": f"{server.url}/x/{TOKEN}"}
    )
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.urlopen(request)
    answer.value.close()
    assert server.stop() == 0
    assert '"GET /invitations/[redacted] HTTP/1.1"' in server.output
    assert TOKEN not in server.output
    assert "hidden" not in server.output


@on_sqlite
@pytest.mark.parametrize(("workers", "is_shared"), [(1, False), (2, True)])
def test_workers_share_code_imported_before_forking(
    start_process: Callable[..., ServerProcess], workers: int, is_shared: bool
) -> None:
    server = start_process("gunicorn", workers=workers)
    in_memory = Path(f"/proc/{server.pid}/maps").read_text()
    assert ("pydantic_core" in in_memory) == is_shared
    assert server.stop() == 0
