"""The queue in files: half a file stops nobody, and nobody sees half a file."""

from pathlib import Path

import pytest
from kombu import Connection
from kombu.exceptions import ChannelError

from governance.queue import filesystem_broker


@pytest.fixture
def queue(tmp_path):
    """A queue in a folder of its own, as the settings make it."""
    folders = {
        name: str(tmp_path / "control" if name == "control_folder" else tmp_path)
        for name in ("data_folder_in", "data_folder_out", "control_folder")
    }
    with Connection("filesystem://", transport_options=folders) as connection:
        assert isinstance(connection.default_channel, filesystem_broker.Channel)
        yield connection.SimpleQueue("celery", serializer="json")


def test_half_a_message_is_put_away_and_the_next_is_read(queue, tmp_path):
    for name, half in (
        ("0_a.celery.msg", ""),
        ("0_b.celery.msg", '{"body": "eyJ'),
        (".0_c.celery.msg.d", ""),
    ):
        (tmp_path / name).write_text(half)
    queue.put({"message": 1})
    assert queue.get(timeout=1).payload == {"message": 1}
    assert [path.name for path in tmp_path.glob("*.msg")] == []
    with pytest.raises(queue.Empty):
        queue.get_nowait()


def test_half_a_table_of_queues_is_made_anew(queue, tmp_path):
    channel, bind = queue.channel, ("tasks", "celery", "", "celery")
    channel._queue_bind(*bind)
    table = tmp_path / "control" / "tasks.exchange"
    whole = table.read_text()
    table.write_text(whole[:-5])
    assert channel.get_table("tasks") == []
    channel._queue_bind(*bind)
    channel._queue_bind(*bind)
    assert table.read_text() == whole


def test_nobody_sees_half_a_file(tmp_path, monkeypatch):
    """It has its name only once it is whole; where the disk is full, nothing is left."""

    def cut_short(self, text):
        self.write_bytes(text.encode()[:3])
        assert [path.suffix for path in tmp_path.iterdir()] != [".msg"]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", cut_short)
    with pytest.raises(ChannelError):
        filesystem_broker._write(tmp_path / "1_a.celery.msg", {"message": 1})
    assert not [*tmp_path.iterdir()]
