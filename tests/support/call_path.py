"""List the modules that one invitation by JSON runs through: `python -m tests.support.call_path`."""

import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from flask import Flask

from invite_app import create_app, db

from .databases import BASE, dispose
from .factories import make_api_key, make_organization
from .server import ROOT

PACKAGE = str(ROOT / "invite_app")


def main() -> None:
    """Print the modules in the order of their first call, and how many modules, functions and changes of file."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app({**BASE, "INVITE_INSTANCE_PATH": folder}, testing=True)
        db.migrate(app)
        post = _poster(app)
        post("first@guest.example")  # imports and compiles
        calls = trace(lambda: post("second@guest.example"))
        dispose(app)
    functions = Counter(_module(code) for code in set(calls))
    for module in dict.fromkeys(map(_module, calls)):
        print(f"{functions[module]:4} {module}")
    changes = sum(before.co_filename != after.co_filename for before, after in pairwise(calls))
    print(f"{len(functions)} modules, {len(set(calls))} functions, {changes} changes of file")


def trace(action: Callable[[], None]) -> list[CodeType]:
    """Run the action and return the functions of invite_app that it calls, in order."""
    calls: list[CodeType] = []

    def record(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            calls.append(frame.f_code)

    sys.setprofile(record)
    try:
        action()
    finally:
        sys.setprofile(None)
    return calls


def _poster(app: Flask) -> Callable[[str], None]:
    with app.app_context():
        acme = make_organization()
        key = make_api_key(acme)
    client = app.test_client()
    body = {"given_name": "Ana", "family_name": "Guest", "role": "member"}

    def post(email: str) -> None:
        path = f"/api/v1/organization/{acme.id}/invitation"
        response = client.post(path, json={**body, "email": email}, headers=key.headers)
        assert response.status_code == 201, response.text

    return post


def _module(code: CodeType) -> str:
    return str(Path(code.co_filename).relative_to(ROOT))


if __name__ == "__main__":
    main()
