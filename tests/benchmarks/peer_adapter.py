"""Adapts invite_app to a benchmark that measures several servers in one run.

The benchmark imports this file with `OURS` set to this checkout and `BENCH_ENV` to a folder in which `ours` is a
virtual environment with invite_app installed. It uses only the command line and the paths of the application.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from adapters import ENV, Peer, fragment, mail  # type: ignore[import-not-found]  # the benchmark's own module

ROOT = Path(__file__).parents[2]
BIN = Path(ENV) / "ours" / "bin"
# As in production, except for rate limits, which no peer has.
SETTINGS = {
    "INVITE_SECRET_KEY": "bench-secret-" * 4,
    "INVITE_INSTANCE_PATH": str(Path(ENV) / "data" / "ours"),
    "INVITE_MAIL_SERVER": "127.0.0.1",
    "INVITE_MAIL_DELIVERY": "queued",
    "INVITE_RATE_LIMITS": "off",
    "INVITE_LOG_FORMAT": "json",
}

# The benchmark passes database and mail server to its servers in variables of its own.
SERVE = """
case "$DB" in sqlite:*) url="sqlite:///${DB#sqlite:}" ;; *) url="$DB" ;; esac
case "$MAIL" in smtp:*) port="${MAIL#smtp:}" worker=embedded ;; *) port=9 worker=external ;; esac
export INVITE_DATABASE_URL="$url" INVITE_MAIL_PORT="$port" INVITE_OUTBOX_WORKER="$worker"
exec "$GUNICORN" --workers 1 --keep-alive 75 --bind "127.0.0.1:$PORT"
"""


class Ours(Peer):  # type: ignore[misc]  # a class of the benchmark's
    name, slug, sends = "ours", "us", True
    clear = (
        "DELETE FROM outbox_messages",
        "DELETE FROM invitations",
        "DELETE FROM audit_events",
        "UPDATE organizations SET pending_count = 0",
    )

    def command(self, port: int) -> tuple[list[str], dict[str, str], Path]:
        return ["sh", "-c", SERVE], SETTINGS | {"GUNICORN": str(BIN / "gunicorn")}, ROOT

    def ping(self) -> tuple[str, str]:
        return "GET", "/healthz"

    def create(self, db: Any, orgs: dict[int, int], accepts: int) -> None:
        # As in any installation; the benchmark forbids Python to store bytecode.
        subprocess.run([str(BIN / "python"), "-m", "compileall", "-q", "invite_app", "app.py"], check=True, cwd=ROOT)
        asked = json.dumps({"sizes": list(orgs), "accepts": accepts})
        seed = [str(BIN / "python"), "-m", "tests.benchmarks.seed", asked]
        url = db.url.replace("sqlite:", "sqlite:///", 1)
        environ = {**os.environ, **SETTINGS, "INVITE_DATABASE_URL": url}
        done = subprocess.run(seed, check=True, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)
        self.keep = json.loads(done.stdout)

    def headers(self, size: int | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._place(size)['key']}"}

    def invite(self, tag: str) -> tuple[Any, ...]:
        return "POST", f"{self._path()}/invitation", self.headers(), invitee(tag) | {"workspace_ids": []}

    def bulk(self, tags: list[str]) -> list[tuple[Any, ...]]:
        body = {"invitations": [invitee(tag) for tag in tags]}
        return [("POST", f"{self._path()}/invitations/bulk", self.headers(), body)]

    def members(self, size: int, page: str, k: int) -> tuple[Any, ...]:
        query = {
            "first": "",
            "deep": f"&cursor={self._place(size)['deep']}",
            "search": f"&q={fragment(k, size)}",
            "prefix": f"&q={mail(k, size)[:-13]}",
        }[page]
        return "GET", f"{self._path(size)}/members?limit=50{query}", self.headers(size)

    def accept(self, i: int) -> tuple[Any, ...]:
        token, cookie = self.keep["accepts"][i]
        headers = {"Cookie": f"session={cookie}", "X-Requested-With": "benchmark"}
        return "POST", f"/api/v1/invitations/{token}/accept", headers, None

    def _place(self, size: int | None) -> dict[str, str]:
        place: dict[str, str] = self.keep["places"][str(size or 0)]
        return place

    def _path(self, size: int | None = None) -> str:
        return f"/api/v1/organization/{self._place(size)['organization_id']}"


def invitee(tag: str) -> dict[str, str]:
    return {"given_name": "Ada", "family_name": "Lovelace", "email": f"{tag}@example.com", "role": "member"}
