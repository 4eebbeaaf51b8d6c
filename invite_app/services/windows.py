"""Counting within one process, over a window that moves with the clock."""

import threading
import time
from collections import OrderedDict, deque

from limits import RateLimitItem
from limits.util import WindowStats

SWEPT_PER_HIT = 2


class OwnWindows:
    """Asked like a limiter of `limits`, whose own storage in memory looks at every key again and again.

    A hit takes the same short time however many keys there are, and forgets two that are over, so that what is kept
    is bounded by what was counted within one window.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hits: dict[RateLimitItem, OrderedDict[tuple[str, ...], deque[float]]] = {}

    def hit(self, item: RateLimitItem, *key: str) -> bool:
        """Count one, unless there are as many as there may be."""
        with self._lock:
            moment = time.time()
            of_item = self._hits.setdefault(item, OrderedDict())
            self._forget(of_item, moment - item.get_expiry())
            hits = of_item.setdefault(key, deque())
            self._drop(hits, moment - item.get_expiry())
            if len(hits) >= item.amount:
                return False
            hits.append(moment)
            of_item.move_to_end(key)
            return True

    def test(self, item: RateLimitItem, *key: str) -> bool:
        """Whether there is room for one more."""
        return self.get_window_stats(item, *key).remaining > 0

    def get_window_stats(self, item: RateLimitItem, *key: str) -> WindowStats:
        """When the oldest hit is forgotten, and how many more there may be until then."""
        with self._lock:
            moment = time.time()
            hits = self._hits.get(item, OrderedDict()).get(key, deque())
            self._drop(hits, moment - item.get_expiry())
            oldest = hits[0] if hits else moment
            return WindowStats(oldest + item.get_expiry(), item.amount - len(hits))

    def __len__(self) -> int:
        """How many keys are remembered."""
        return sum(map(len, self._hits.values()))

    def _forget(self, of_item: OrderedDict[tuple[str, ...], deque[float]], until: float) -> None:
        """The keys that were hit longest ago come first."""
        for _ in range(SWEPT_PER_HIT):
            first = next(iter(of_item), None)
            if first is None or (of_item[first] and of_item[first][-1] > until):
                return
            del of_item[first]

    def _drop(self, hits: deque[float], until: float) -> None:
        while hits and hits[0] <= until:
            hits.popleft()
