"""A real Chromium that reports errors of pages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    Route,
    sync_playwright,
)

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# All rules run, but only violations are described, since describing passes takes most of the time.
AXE_RULES = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"]}


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def chromium(program: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class Watch:
    """Records errors of the pages of one browser context.

    These are errors and warnings on the console (violations of the content security policy among them), failed
    requests, and requests to other hosts.
    """

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.faults: list[str] = []
        self._origin = origin
        self._allowed: list[str] = []
        context.on("console", self._console)
        context.on("weberror", lambda error: self._note(f"script error: {error.error}"))
        context.on("response", self._response)
        context.route("**/*", self._route)

    def allow(self, fragment: str) -> None:
        """Ignore errors that contain this text."""
        self._allowed.append(fragment)

    def check(self) -> None:
        faults = [fault for fault in self.faults if not any(text in fault for text in self._allowed)]
        assert not faults, "The browser reports:\n" + "\n".join(faults)

    def _note(self, fault: str) -> None:
        self.faults.append(fault)

    def _console(self, message: ConsoleMessage) -> None:
        # Statuses of 400 and above are printed as errors too; `_response` decides which of them are wrong.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self._note(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _response(self, response: Response) -> None:
        is_part = response.request.resource_type not in ("document", "fetch", "xhr")
        if response.status >= 500 or (is_part and response.status >= 400):
            self._note(f"answer {response.status}: {response.url}")

    def _route(self, route: Route, request: Request) -> None:
        if self._is_ours(request.url):
            route.continue_()
        else:
            self._note(f"request to another host: {request.url}")
            route.abort()

    def _is_ours(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme in ("data", "blob", "about") or f"{parts.scheme}://{parts.netloc}" == self._origin


@contextmanager
def watched_page(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """Open a page in a context of its own (no cookies), with `url` as base; it fails at the end if it misbehaved.

    `page.watch` is its Watch.
    """
    context = browser.new_context(base_url=url, ignore_https_errors=url.startswith("https:"), **options)
    context.set_default_timeout(10_000)
    watch = Watch(context, url)
    page = context.new_page()
    page.watch = watch  # type: ignore[attr-defined]
    try:
        yield page
    finally:
        context.close()
    watch.check()


def assert_accessible(page: Page) -> None:
    """Check that axe finds no violation of WCAG 2.2 AA or of its best practices, once the styles are loaded."""
    page.wait_for_load_state()
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    results = AxeResults(
        page.evaluate("async rules => ({ violations: (await axe.run(rules)).violations })", AXE_RULES)
    )
    assert not results.violations_count, results.generate_report()
