"""The backups of `manage.py run`: once a day, verified, and out of the way of a start."""

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from governance.management.commands import run
from governance.operations import heartbeats
from governance.storage import backup_schedule

START = datetime(2026, 11, 27, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Begun:
    """A command that was begun: its options, its environment, and its exit code once it has ended."""

    def __init__(self, command: list[str], told: dict[str, str]) -> None:
        self.words, self.told, self.code = command[2:], told, None

    def poll(self) -> int | None:
        return self.code


@pytest.fixture
def begun(tmp_path, settings, monkeypatch) -> list[Begun]:
    """The commands that were begun, in a new data folder."""
    settings.DATA_DIR, settings.BACKUPS, settings.BACKUP_KEY = tmp_path, None, ""
    found: list[Begun] = []

    def begin(command, told, *, quiet):
        assert quiet
        found.append(Begun(command, told))
        return found[-1]

    monkeypatch.setattr(run, "begin", begin)
    monkeypatch.setattr(run, "end", lambda parts: None)
    told = {"DATABASE_URL": "of the application", "PLUMBLINE_SEALER_URL": "of the sealer"}
    monkeypatch.setattr(run, "environment", lambda: dict(told))
    return found


def test_the_first_begins_hours_after_the_start_and_is_verified(begun, tmp_path):
    backups = run.DailyBackups(START)
    backups.tend(START + run.FIRST_BACKUP - timedelta(seconds=1))
    assert begun == []
    assert list(tmp_path.iterdir()) == [], "a start writes no key and no folder"
    now = START + run.FIRST_BACKUP
    backups.tend(now)
    backups.tend(now)
    (first,) = begun
    assert first.words == ["backup"]
    assert first.told == {
        "PLUMBLINE_BACKUPS": str(tmp_path / "backups"),
        "PLUMBLINE_BACKUP_KEY": backup_schedule.public_key(tmp_path / "backup-key.txt"),
    }, "the commands work as the owner of the embedded database"
    first.code = 0
    backups.tend(now)
    assert begun[1].words == ["restore_check", "--newest", "--key", str(tmp_path / "backup-key.txt")]
    begun[1].code = 0
    backups.tend(now + run.BACKUP_EVERY - timedelta(seconds=1))
    assert len(begun) == 2
    backups.tend(now + run.BACKUP_EVERY)
    assert begun[2].words == ["backup"]
    assert begun[2].told == first.told


def test_a_failed_backup_is_not_verified_and_is_tried_the_next_day(begun):
    backups = run.DailyBackups(START)
    now = START + run.FIRST_BACKUP
    backups.tend(now)
    begun[0].code = 1
    backups.tend(now + HOUR)
    assert len(begun) == 1
    backups.tend(now + run.BACKUP_EVERY)
    assert [one.words for one in begun] == [["backup"], ["backup"]]


def test_a_start_soon_after_a_backup_waits_for_the_next_day(begun, tmp_path):
    made = START - timedelta(hours=5)
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / f"{made:{backup_schedule.NAME}}.tar.age").touch()
    backups = run.DailyBackups(START)
    backups.tend(made + run.BACKUP_EVERY - timedelta(seconds=1))
    assert begun == []
    backups.tend(made + run.BACKUP_EVERY)
    assert len(begun) == 1


@pytest.mark.parametrize("here", [False, True])
def test_a_key_of_the_settings_is_used_and_verified_where_the_private_key_is(begun, tmp_path, settings, here):
    private = tmp_path / "backup-key.txt"
    settings.BACKUPS, settings.BACKUP_KEY = tmp_path / "elsewhere", backup_schedule.public_key(private)
    if not here:
        private.unlink()
    backups = run.DailyBackups(START)
    for _ in range(3):
        backups.tend(START + run.FIRST_BACKUP)
        begun[-1].code = 0
    assert [one.words[0] for one in begun] == ["backup", "restore_check"][: 1 + here]
    assert begun[0].told["PLUMBLINE_BACKUPS"] == str(settings.BACKUPS)
    assert begun[0].told["PLUMBLINE_BACKUP_KEY"] == settings.BACKUP_KEY


def test_a_key_that_cannot_be_used_is_told_once_and_ends_nothing(begun, tmp_path, monkeypatch):
    (tmp_path / "backup-key.txt").write_text("hello")
    failed, said = [], []
    monkeypatch.setattr(heartbeats, "failed", lambda name, trouble: failed.append(name))
    monkeypatch.setattr(run, "stop_asked", threading.Event())
    moments = iter([START, START + run.FIRST_BACKUP, START + run.FIRST_BACKUP + HOUR])
    monkeypatch.setattr(run.clock, "now", lambda: next(moments))
    sleeps = iter([lambda: None, lambda: None, run.stop_asked.set])
    monkeypatch.setattr(run.time, "sleep", lambda seconds: next(sleeps)())
    parts = {"web server": SimpleNamespace(poll=lambda: None), "worker": SimpleNamespace(poll=lambda: None)}
    with pytest.raises(run.Stopped):
        run.watch(parts, said.append, run.DailyBackups(START))
    assert failed == [heartbeats.BACKUP]
    assert len(said) == 1
    assert "has no private key" in said[0]
    assert begun == []
