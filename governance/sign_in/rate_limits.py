"""Rate limits: a bucket for each key, in the memory of one process."""

import math
import threading
import time


class Rate:
    """Buckets that fill with time: each holds as much as a second lets through."""

    MOST = 10_000

    def __init__(self):
        self._lock = threading.Lock()
        self._left: dict[int, tuple[float, float]] = {}

    def wait(self, key: int, per_second: int, count: int = 1, clock=time.monotonic) -> int:
        """Take `count` from the key's bucket. Return 0, or the whole seconds to wait.

        A request passes if one is left, and pays for more afterwards (`pay`), so that a large batch is possible at
        any rate.
        """
        now = clock()
        with self._lock:
            if len(self._left) > self.MOST:
                self._left.clear()
            left, at = self._left.get(key, (float(per_second), now))
            left = min(float(per_second), left + (now - at) * per_second)
            if left < 1:
                self._left[key] = (left, now)
                return math.ceil((1 - left) / per_second)
            self._left[key] = (left - count, now)
            return 0

    def pay(self, key: int, per_second: int, count: int, clock=time.monotonic) -> None:
        """Take more for an allowed request, even below zero, so that later ones wait."""
        now = clock()
        with self._lock:
            left, at = self._left.get(key, (float(per_second), now))
            self._left[key] = (min(float(per_second), left + (now - at) * per_second) - count, now)
