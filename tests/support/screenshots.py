"""Take the screenshot in README.md from the data of `flask demo`: `python -m tests.support.screenshots`."""

import json
import sys
import tempfile
from pathlib import Path

from .browser import chromium, find_chromium, watched_page
from .server import ROOT, ServerProcess, run_command

FOLDER = ROOT / "static" / "docs"
# Each file and the page of the organization that it shows.
PAGES = {"invitations.png": "invitations"}
VIEWPORT = {"width": 1440, "height": 900}
MAX_BYTES = 300_000


def main() -> None:
    """Start a server on a temporary database, sign in as the owner of the demo, and save each page as a PNG."""
    program = find_chromium()
    if program is None:
        sys.exit("Screenshots need Chromium: install Debian's package 'chromium', or Google Chrome.")
    with tempfile.TemporaryDirectory() as folder:
        environ = {"INVITE_INSTANCE_PATH": folder}
        server = ServerProcess.flask_run(environ).wait_until_up()
        try:
            done = run_command("demo", "--json", environ={**environ, "INVITE_EXTERNAL_URL": server.url})
            done.check_returncode()
            _take(program, server.url, json.loads(done.stdout))
        finally:
            server.close()


def _take(program: str, url: str, demo: dict[str, str]) -> None:
    options = {"viewport": VIEWPORT, "color_scheme": "light", "locale": "en-US", "reduced_motion": "reduce"}
    with chromium(program) as browser, watched_page(browser, url, **options) as page:
        page.goto(demo["sign_in_url"])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/organizations/**")
        for name, path in PAGES.items():
            page.goto(f"/organizations/{demo['organization_id']}/{path}")
            page.wait_for_load_state("networkidle")
            _save(page.screenshot(), FOLDER / name)


def _save(image: bytes, file: Path) -> None:
    if len(image) > MAX_BYTES:
        sys.exit(f"{file.name} has {len(image)} bytes, more than {MAX_BYTES}.")
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(image)
    print(f"{file.relative_to(ROOT)}: {len(image)} bytes")


if __name__ == "__main__":
    main()
