"""The queue of one machine, as files in a folder: kombu's, but a file is whole or not there.

Kombu writes a message, and its table of queues, into a file that others see already. A worker that reads it in that
moment, or one that a full disk cut short, meets half of it and ends, and everything that `manage.py run` started with
it. Here a file is written under another name first; and half a file from before is put away, for what is due is found
by queries: a lost message delays, and loses nothing.
"""

import fcntl
import os
import uuid
from pathlib import Path
from time import monotonic
from typing import Any

import structlog
from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps

log = structlog.get_logger("plumbline.queue")


class Channel(filesystem.Channel):
    """Puts files whole, and goes on where one is not."""

    def _put(  # type: ignore[override]  # named as in filesystem.Channel, which has no types
        self, queue: str, payload: Any, **options: Any
    ) -> None:
        """Put a message; the name says its place in the order. Raises ChannelError."""
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        _write(Path(self.data_folder_out) / name, payload)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """Take the next message that can be read, out of the folder. Raises Empty."""
        while True:
            try:
                return super()._get(queue)
            except ValueError:  # it is out of the folder already
                log.warning("a message that cannot be read was put away", queue=queue)

    def get_table(self, exchange: str) -> list:
        """The queues that are bound; none where that cannot be read."""
        try:
            return super().get_table(exchange)
        except ValueError:
            return []

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        """Bind a queue, one process after the other. Raises ChannelError."""
        self.control_folder.mkdir(exist_ok=True)
        with open(self.control_folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            bound = self.get_table(exchange)
            wanted = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
            if wanted not in bound:
                _write(self._exchange_file(exchange), [wanted, *bound])


class Transport(filesystem.Transport):
    """Kombu's transport over such a channel; `governance.celery` has filesystem:// mean this one."""

    Channel = Channel


def _write(path: Path, content: Any) -> None:
    beside = path.with_name(
        f".{path.name}.{uuid.uuid4()}"
    )  # no queue looks at names that begin or end like this
    try:
        beside.write_text(dumps(content))
        os.replace(beside, path)
    except OSError as trouble:
        beside.unlink(missing_ok=True)
        raise ChannelError(f"Cannot write {path}") from trouble
