"""Moments in words: an hour that comes twice names which of the two it is."""

from datetime import UTC, datetime

import pytest

from governance import clock
from governance.templatetags import plumbline


@pytest.mark.parametrize(
    ("utc", "words"),
    [
        (datetime(2027, 10, 30, 23, 30, tzinfo=UTC), "01:30"),
        (datetime(2027, 10, 31, 0, 30, tzinfo=UTC), "02:30 (before the clocks change)"),
        (datetime(2027, 10, 31, 1, 30, tzinfo=UTC), "02:30 (after the clocks change)"),
        (datetime(2027, 10, 31, 2, 30, tzinfo=UTC), "03:30"),
        (datetime(2027, 3, 28, 0, 30, tzinfo=UTC), "01:30"),
        (datetime(2027, 3, 28, 1, 30, tzinfo=UTC), "03:30"),
    ],
)
def test_a_moment_in_the_doubled_hour_names_which_of_the_two(settings, utc, words):
    settings.TIME_ZONE = "Europe/Zurich"
    day = clock.local(utc)
    assert clock.hour_in_words(utc) == words
    assert clock.moment_in_words(utc) == f"{words} on {day:%-d %B %Y}"
    with clock.simulated(utc):
        assert plumbline.moment(utc) == f"Today {words}"
