"""The queue of one machine, as files in a folder. Unlike kombu's, each file is whole.

Kombu writes a message, and its table of queues, into a file that others already see. A worker that reads half a file,
or a file that a full disk cut short, ends, and everything that `manage.py run` started ends with it. This broker writes
a file under another name first. It sets an older half file aside. A lost message only delays work, because queries find
what is due.
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
        """Put a message. The name has its place in the order. Raises ChannelError."""
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
        """Return the bound queues, or none if the table cannot be read."""
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
    """Kombu's transport over this channel. `governance.celery` maps filesystem:// to it."""

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
