"""Sixteen threads with a connection each, let go at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from django.db import connection, connections

from governance.permission_result import Conflict, Refused

SIZE = 16


@dataclass
class Outcome:
    """What one contender met: done, conflict (409), refused (403), or an error that nobody should see."""

    kind: str
    value: object = None

    def __str__(self) -> str:
        return f"{self.kind}: {self.value!r}"


class Ring:
    """Sixteen contenders. Use as a context manager: the connections are closed at its end."""

    def __enter__(self):
        self.pool = ThreadPoolExecutor(SIZE)
        self.start = threading.Barrier(SIZE)
        self.run([connection.ensure_connection] * SIZE)
        return self

    def __exit__(self, *_):
        self.run([connections.close_all] * SIZE)
        self.pool.shutdown()

    def run(self, contenders: list[Callable]) -> list[Outcome]:
        """Let sixteen contenders go at once; their outcomes, in the same order."""
        assert len(contenders) == SIZE
        return list(self.pool.map(self._go, contenders))

    def _go(self, contender) -> Outcome:
        self.start.wait(timeout=60)
        try:
            return Outcome("done", contender())
        except Conflict as conflict:
            return Outcome("conflict", str(conflict))
        except Refused as refused:
            return Outcome("refused", str(refused))
        except Exception as error:
            return Outcome("error", error)
