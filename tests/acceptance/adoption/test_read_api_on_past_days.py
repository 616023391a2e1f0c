"""The read API as of a day against the page of the day; 1,000 pairs: tests/drills/systems/read_api.py."""

import pytest

from adoption.read_api import api as reading_api
from tests.support.database.reset import as_it_was
from tests.support.initiatives import past_year, read_days

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def year(django_db_setup, django_db_blocker):
    """A year that really happened: committed and sealed, and gone with this module."""
    with django_db_blocker.unblock():
        yield past_year.lived(initiatives=1, looks=0)
        as_it_was(None)


def test_the_api_says_of_a_day_what_the_page_of_the_day_says(year, monkeypatch):
    monkeypatch.setattr(reading_api, "RATE", 10**9)
    refs = [initiative.ref for initiative in year.initiatives]
    wrong, asked = read_days.compared(year.cast, refs, 40, seed=3)
    assert wrong == []
    assert sum(asked.values()) == 40
