"""The queue in the data folder, where no broker is set: kombu's own, with messages that appear whole or not at all.

Kombu makes the file of a message before it writes into it. A worker that takes it in between finds nothing in it and
ends, and `run` with it: on a busy machine that takes minutes.
"""

import logging
import os
import uuid
from pathlib import Path
from time import monotonic

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps

log = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    """Files as messages, as kombu names and takes them."""

    def _put(self, queue, payload, **options):
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        whole = Path(self.data_folder_out, name)
        begun = whole.with_name(f"{name}.begun")  # a name that nobody takes
        try:
            begun.write_bytes(str_to_bytes(dumps(payload)))
            os.replace(begun, whole)
        except OSError as trouble:
            raise ChannelError(f"The queue cannot be written to: {trouble}") from trouble

    def _get(self, queue):
        while True:
            try:
                return super()._get(queue)
            except ValueError:
                # What a crash cut off. The sweeps find again whatever it asked for.
                log.warning("a message was not whole and is left out", extra={"queue": queue})


class Transport(filesystem.Transport):
    """Kombu's transport over such a channel."""

    Channel = Channel


def use() -> None:
    """Have `filesystem://` mean this one, in every process that has the Celery application."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
