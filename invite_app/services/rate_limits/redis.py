"""Counting in Redis, for all processes together, over a window that moves with the clock."""

from limits import RateLimitItemPerSecond
from limits.storage import Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from .memory import Rule, WindowStats


class RedisWindows:
    """Asked like OwnWindows. Whatever is wrong with Redis is raised as it comes."""

    def __init__(self, url: str) -> None:
        storage = storage_from_string(url, socket_connect_timeout=0.5, socket_timeout=0.5)
        assert isinstance(storage, Storage)
        self._limiter = MovingWindowRateLimiter(storage)

    def hit(self, rule: Rule, *key: str) -> bool:
        return self._limiter.hit(_item(rule), *key)

    def test(self, rule: Rule, *key: str) -> bool:
        return self._limiter.test(_item(rule), *key)

    def get_window_stats(self, rule: Rule, *key: str) -> WindowStats:
        return WindowStats(*self._limiter.get_window_stats(_item(rule), *key))


def _item(rule: Rule) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(rule.amount, rule.seconds)
