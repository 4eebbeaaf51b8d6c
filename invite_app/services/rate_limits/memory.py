"""Counting within one process, over a window that moves with the clock."""

import threading
import time
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

EVICTED_PER_HIT = 2


@dataclass(frozen=True)
class Rule:
    """So many in so many seconds."""

    amount: int
    seconds: int


class WindowStats(NamedTuple):
    # When the oldest hit expires, in seconds since 1970.
    reset_time: float
    # The number of hits still allowed until then.
    remaining: int


class MemoryWindows:
    """Unlike the storage in memory of `limits`, it does not look at every key again and again.

    A hit takes the same short time however many keys there are, and forgets two that are over, so that what is kept
    is bounded by what was counted within one window: some 300 bytes for a key that was hit once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hits: dict[Rule, OrderedDict[tuple[str, ...], list[float]]] = {}

    def hit(self, rule: Rule, *key: str) -> bool:
        """Count one, unless there are as many as there may be."""
        with self._lock:
            moment = time.time()
            of_rule = self._hits.setdefault(rule, OrderedDict())
            self._forget(of_rule, moment - rule.seconds)
            hits = of_rule.setdefault(key, [])
            self._drop(hits, moment - rule.seconds)
            if len(hits) >= rule.amount:
                return False
            hits.append(moment)
            of_rule.move_to_end(key)
            return True

    def test(self, rule: Rule, *key: str) -> bool:
        """Check if one more hit is allowed."""
        return self.get_window_stats(rule, *key).remaining > 0

    def get_window_stats(self, rule: Rule, *key: str) -> WindowStats:
        """Return when the oldest hit expires, and the number of hits allowed until then."""
        with self._lock:
            moment = time.time()
            hits = self._hits.get(rule, OrderedDict()).get(key, [])
            self._drop(hits, moment - rule.seconds)
            oldest = hits[0] if hits else moment
            return WindowStats(oldest + rule.seconds, rule.amount - len(hits))

    def __len__(self) -> int:
        """Return the number of stored keys."""
        return sum(map(len, self._hits.values()))

    def _forget(self, of_rule: OrderedDict[tuple[str, ...], list[float]], until: float) -> None:
        """The keys that were hit longest ago come first."""
        for _ in range(EVICTED_PER_HIT):
            first = next(iter(of_rule), None)
            if first is None or (of_rule[first] and of_rule[first][-1] > until):
                return
            del of_rule[first]

    def _drop(self, hits: list[float], until: float) -> None:
        del hits[: bisect_right(hits, until)]
