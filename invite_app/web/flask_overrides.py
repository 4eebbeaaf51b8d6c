"""Override parts of Flask that cost more than needed: signing sessions, building URLs."""

from functools import cache
from typing import Any

from flask.sessions import SecureCookieSessionInterface
from werkzeug.routing import Rule


class CachedSignerSessions(SecureCookieSessionInterface):
    """Keeps its signer: making one takes five times as long as seeing that a program sends no cookie."""

    def __init__(self) -> None:
        self.get_signing_serializer: Any = cache(super().get_signing_serializer)


class LazyRule(Rule):
    """A rule that compiles how its address is built when it is first asked for one.

    Werkzeug compiles two functions per rule: for all of ours a tenth of the time to start, and most are never called.
    Should it do that elsewhere one day, this class changes nothing.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Any:
        made: Any = None

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            nonlocal made
            made = made or super(LazyRule, self)._compile_builder(append_unknown)
            built: tuple[str, str] = made(rule, **values)
            return built

        return build
