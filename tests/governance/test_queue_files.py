"""The queue in the data folder: messages that are not whole end no worker, and none is seen before it is whole."""

import os
from queue import Empty

import pytest
from kombu import Connection

from governance import queue_files


def test_a_message_appears_whole_and_what_is_cut_off_is_passed_over(tmp_path, monkeypatch):
    folders = {name: str(tmp_path) for name in ("data_folder_in", "data_folder_out", "control_folder")}
    folders |= {"store_processed": True, "processed_folder": str(tmp_path / "done")}
    (tmp_path / "done").mkdir()
    (tmp_path / "0_cut.work.msg").touch()
    seen = []
    replace = os.replace
    monkeypatch.setattr(
        queue_files.os,
        "replace",
        lambda begun, whole: (seen.append(os.listdir(tmp_path)), replace(begun, whole)),
    )
    with Connection("filesystem://", transport_options=folders) as connection:
        assert isinstance(connection.default_channel, queue_files.Channel)
        with connection.SimpleQueue("work") as queue:
            queue.put({"task": 1})
            message = queue.get(timeout=5)
            assert message.payload == {"task": 1}
            message.ack()
            with pytest.raises(Empty):
                queue.get(block=False)
    (names,) = seen
    assert [name for name in names if name.endswith(".work.msg")] == ["0_cut.work.msg"]
