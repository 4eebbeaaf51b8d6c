"""Rate limits, shared through Redis when configured and per process otherwise."""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import structlog
from flask import Flask, current_app

from invite_app.errors import RateLimited

from .memory import MemoryWindows, Rule

if TYPE_CHECKING:
    from .redis import RedisWindows

MINUTE, HOUR = 60, 3600

# Rules by what they count; the README lists them for operators.
RULES = {
    "sign-in by address": Rule(30, 5 * MINUTE),
    "sign-in to account from network": Rule(10, 5 * MINUTE),
    "sign-in to account": Rule(100, HOUR),
    "sign-in from known device": Rule(10, 5 * MINUTE),
    "password of session": Rule(10, 5 * MINUTE),
    "reset by address": Rule(20, HOUR),
    "reset of account": Rule(3, HOUR),
    "invitations by actor": Rule(300, HOUR),
    "invitations by organization": Rule(3000, HOUR),
    "invitations to recipient": Rule(10, HOUR),
    "addresses of account": Rule(10, HOUR),
    "exports of account": Rule(10, HOUR),
    "requests by key": Rule(6000, MINUTE),
    "refusals by key": Rule(600, MINUTE),
    "answers by actor": Rule(1000, HOUR),
    "organizations by founder": Rule(10, HOUR),
}

# Nouns for the error message, by the first word of the limit.
NOUNS = {
    "sign-in": "wrong passwords",
    "password": "wrong passwords",
    "reset": "requests for a new password",
    "invitations": "invitations",
    "addresses": "new addresses",
    "exports": "exports",
    "requests": "requests",
    "refusals": "refused requests",
    "answers": "requests with an Idempotency-Key",
    "organizations": "new organizations",
}

# Seconds without Redis calls after it failed; meanwhile this process counts on its own.
REDIS_PAUSE = 30.0

Windows: TypeAlias = "RedisWindows | MemoryWindows"
T = TypeVar("T")
log = structlog.get_logger()


class Counter:
    """Counts in Redis while it answers, and in memory while it does not."""

    def __init__(self, redis_url: str) -> None:
        self._own = MemoryWindows()
        self._shared = _shared(redis_url) if redis_url else None
        self._away_until = 0.0

    def ask(self, question: Callable[[Windows], T]) -> T:
        if self._shared is not None and time.monotonic() >= self._away_until:
            try:
                return question(self._shared)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with Redis, the service goes on
                self._away_until = time.monotonic() + REDIS_PAUSE
                log.warning("rate_limits_without_redis", error=type(error).__name__)
        return question(self._own)


def register(app: Flask) -> None:
    if app.config["RATE_LIMITS"]:
        app.extensions["invite_app.rate_limits"] = Counter(app.config["REDIS_URL"])


def count(what: str, *whom: object) -> None:
    """Count one. Raises RateLimited when there were too many."""
    _check(what, whom, lambda windows, rule, key: windows.hit(rule, *key))


def check(what: str, *whom: object) -> None:
    """Count nothing. Raises RateLimited when there were too many."""
    _check(what, whom, lambda windows, rule, key: windows.test(rule, *key))


def note(what: str, *whom: object) -> None:
    """Count one that has happened, also when there were too many."""
    with suppress(RateLimited):
        count(what, *whom)


def network(ip: str | None) -> str:
    """Return the network that an address is counted with: itself, or for IPv6 its /64.

    One client has a whole /64.
    """
    if ip is None:
        return ""
    address = ip_address(ip)
    return str(ip_network((address, 64), strict=False) if isinstance(address, IPv6Address) else address)


def _check(
    what: str,
    whom: tuple[object, ...],
    question: Callable[[Windows, Rule, tuple[str, ...]], bool],
) -> None:
    counter: Counter | None = current_app.extensions.get("invite_app.rate_limits")
    if counter is None:
        return
    rule, key = RULES[what], (what, *map(str, whom))
    if not counter.ask(lambda windows: question(windows, rule, key)):
        reset = counter.ask(lambda windows: windows.get_window_stats(rule, *key).reset_time)
        raise RateLimited(max(1, math.ceil(reset - time.time())), NOUNS[what.partition(" ")[0]])


def _shared(redis_url: str) -> "RedisWindows":
    from .redis import RedisWindows  # noqa: PLC0415 - `limits` and `redis` are of use with Redis only

    return RedisWindows(redis_url)
