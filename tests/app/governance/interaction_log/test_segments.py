"""Files of bodies: read while they are put together, put together after a crash, removed, cut to what is known."""

from datetime import UTC, date, datetime

import duckdb
import pytest

from governance.interaction_log import loading, segments
from governance.interaction_log.segments import Place, Segment

DAY = date(2026, 11, 20)
pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def folder(settings, tmp_path):
    settings.INTERACTIONS_DIR = tmp_path
    return tmp_path


def write(batch: int, *texts: str, case: int = 1, day: date = DAY) -> None:
    """Bodies as loading lays them down."""
    from base64 import b64encode

    rows = [(place, b64encode(text.encode()).decode(), "00ff") for place, text in enumerate(texts)]
    segments.write(case, day, batch, rows)


def texts(*places: tuple[int, int]) -> list[str]:
    """What lies at batch and place."""
    wanted = [Place(1, DAY, batch, place) for batch, place in places]
    found = segments.read(wanted)
    return [found[one].content.decode() if one in found else "" for one in wanted]


def test_a_body_is_found_whenever_the_day_is_closed_meanwhile(monkeypatch):
    """Closed between the two looks of a reader: before the first, between them, and while a file is being read."""
    for moment in (1, 2):
        write(moment, "a", "b")
        look, looks = segments._rows, []

        def looking(database, path, *others, look=look, looks=looks, moment=moment):
            looks.append(path)
            if len(looks) == moment:
                segments.close(1, DAY, [1, 2])
            return look(database, path, *others)

        with monkeypatch.context() as patched:
            patched.setattr(segments, "_rows", looking)
            assert texts((moment, 0), (moment, 1)) == ["a", "b"]
    write(3, "c")
    part = segments._part(1, DAY, 3)
    find = segments._FIND

    class Vanishing:
        """A database whose file goes as it is opened."""

        def __init__(self, real):
            self.real = real

        def execute(self, statement, parameters):
            if statement == find and parameters[0] == str(part) and part.exists():
                segments.close(1, DAY, [1, 2, 3])
                raise duckdb.IOException("No such file")
            return self.real.execute(statement, parameters)

    with segments._database() as real:
        assert segments._rows(Vanishing(real), part, 3, [0]) == []
    assert texts((3, 0)) == ["c"]


def test_a_file_that_is_there_and_cannot_be_read_is_no_silence():
    write(1, "a")
    part = segments._part(1, DAY, 1)
    part.chmod(0o600)
    part.write_bytes(b"PAR1 no more")
    with pytest.raises(duckdb.Error):
        texts((1, 0))


def test_a_day_that_gets_more_after_it_was_closed_is_put_together_again():
    write(1, "a")
    assert segments.close(1, DAY, [1]) == 1
    write(2, "b")
    assert texts((1, 0), (2, 0)) == ["a", "b"]
    assert segments.close(1, DAY, [1, 2]) == 2
    assert texts((1, 0), (2, 0)) == ["a", "b"]
    assert [path.name for path in Segment(1, DAY).paths] == [f"{DAY}.parquet"]


def test_whoever_was_killed_between_the_two_steps_leaves_nothing_twice(monkeypatch):
    write(1, "a")
    with monkeypatch.context() as patched:
        patched.setattr(segments, "_remove_folder", lambda folder: None)
        segments.close(1, DAY, [1])
    assert Segment(1, DAY).bodies() == 1
    assert segments.close(1, DAY, [1]) == 1
    assert Segment(1, DAY).bodies() == 1
    assert texts((1, 0)) == ["a"]


def test_a_segment_is_counted_listed_and_removed():
    write(1, "a", "b")
    write(2, "c", case=2)
    segments.close(2, DAY, [2])
    assert segments.segments() == [Segment(1, DAY), Segment(2, DAY)]
    assert [one.bodies() for one in segments.segments()] == [2, 1]
    for one in segments.segments():
        one.remove()
        one.remove()
    assert segments.segments() == []
    assert not list(segments.folder().rglob("*.parquet"))


def test_what_a_restored_database_does_not_know_is_taken_out():
    write(1, "a")
    write(2, "b")
    write(3, "c")
    segments.close(1, DAY, [1, 2])
    write(3, "c")
    segments.keep_only(Segment(1, DAY), [1, 9])
    assert texts((1, 0), (2, 0), (3, 0)) == ["a", "", ""]
    segments.keep_only(Segment(1, DAY), [])
    assert Segment(1, DAY).paths == []


def test_months_are_named_by_their_end():
    assert loading.end_of("2026-12") == datetime(2027, 1, 1, tzinfo=UTC)
    first, last = datetime(2026, 11, 30, 23, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    assert loading._months(first, last) == {"2026-11", "2026-12", "2027-01"}
