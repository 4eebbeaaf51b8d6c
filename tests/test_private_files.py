"""SQLite files are readable by the server's own account only."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from invite_app import create_app
from invite_app.extensions import db
from tests.support.databases import dispose


@pytest.fixture(autouse=True)
def generous_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def write_to(environ: dict[str, str]) -> None:
    app = create_app(environ, testing=True)
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS any_table (id INTEGER)"))
        names = {path.name for path in Path(str(db.engine.url.database)).parent.iterdir()}
        assert {"invite_app.sqlite", "invite_app.sqlite-wal", "invite_app.sqlite-shm"} <= names
        for path in Path(str(db.engine.url.database)).parent.glob("*.sqlite*"):
            assert mode(path) == mode(Path(str(db.engine.url.database)))
    dispose(app)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_new_folder_and_database_are_private(tmp_path: Path) -> None:
    write_to({"INVITE_INSTANCE_PATH": str(tmp_path / "new" / "instance")})
    assert mode(tmp_path / "new" / "instance") == 0o700
    assert mode(tmp_path / "new" / "instance" / "invite_app.sqlite") == 0o600


def test_database_elsewhere_is_private(tmp_path: Path) -> None:
    file = tmp_path / "invite_app.sqlite"
    write_to({"INVITE_INSTANCE_PATH": str(tmp_path), "INVITE_DATABASE_URL": f"sqlite:///{file}"})
    assert mode(file) == 0o600


def test_existing_folder_and_database_keep_their_modes(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    (tmp_path / "invite_app.sqlite").touch(0o640)
    write_to({"INVITE_INSTANCE_PATH": str(tmp_path)})
    assert (mode(tmp_path), mode(tmp_path / "invite_app.sqlite")) == (0o750, 0o640)
