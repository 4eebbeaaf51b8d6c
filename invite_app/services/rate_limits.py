"""How much of a thing may be done in a while. Shared through Redis where there is one, else counted per process."""

import math
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from flask import Flask, current_app
from limits import RateLimitItem, parse
from limits.storage import Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from invite_app.errors import RateLimited

from .windows import OwnWindows

RULES: dict[str, RateLimitItem] = {
    name: parse(amount)
    for name, amount in {
        "sign-in by address": "30 per 5 minutes",
        "sign-in to account": "10 per 5 minutes",
        "reset by address": "20 per hour",
        "reset of account": "3 per hour",
        "invitations by actor": "300 per hour",
        "invitations by organization": "3000 per hour",
        "invitations to recipient": "10 per hour",
        "addresses of account": "10 per hour",
        "requests by key": "6000 per minute",
    }.items()
}
"""The limits by what they count; the README repeats them for operators."""

WHAT = {
    "sign-in": "wrong passwords",
    "reset": "requests for a new password",
    "invitations": "invitations",
    "addresses": "new addresses",
    "requests": "requests",
}
"""What there were too many of, by the first word of the limit."""

REDIS_PAUSE = 30.0
"""Seconds for which Redis is left alone after it failed, while this process counts by itself."""

Limiter = MovingWindowRateLimiter | OwnWindows
T = TypeVar("T")
log = structlog.get_logger()


class Counter:
    """Counts in Redis while it answers, and in memory while it does not."""

    def __init__(self, redis_url: str) -> None:
        self._own = OwnWindows()
        self._shared = MovingWindowRateLimiter(_redis(redis_url)) if redis_url else None
        self._away_until = 0.0

    def ask(self, question: Callable[[Limiter], T]) -> T:
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


def hit(rule: str, *whom: object) -> None:
    """Count one. Raises RateLimited when there were too many."""
    _check(rule, whom, lambda limiter, item, key: limiter.hit(item, *key))


def check(rule: str, *whom: object) -> None:
    """Count nothing. Raises RateLimited when there were too many."""
    _check(rule, whom, lambda limiter, item, key: limiter.test(item, *key))


def _check(
    rule: str,
    whom: tuple[object, ...],
    question: Callable[[Limiter, RateLimitItem, tuple[str, ...]], bool],
) -> None:
    counter: Counter | None = current_app.extensions.get("invite_app.rate_limits")
    if counter is None:
        return
    item, key = RULES[rule], (rule, *map(str, whom))
    if not counter.ask(lambda limiter: question(limiter, item, key)):
        reset = counter.ask(lambda limiter: limiter.get_window_stats(item, *key).reset_time)
        raise RateLimited(max(1, math.ceil(reset - time.time())), WHAT[rule.partition(" ")[0]])


def _redis(url: str) -> Storage:
    storage = storage_from_string(url, socket_connect_timeout=0.5, socket_timeout=0.5)
    assert isinstance(storage, Storage)
    return storage
