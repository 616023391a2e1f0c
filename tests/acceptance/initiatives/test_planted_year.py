"""A year of 40 artefacts, 12 of which are wrong: the product finds or marks each of these by itself, and no other."""

from collections import Counter

import pytest

from tests.support.initiatives import planted_year

pytestmark = pytest.mark.django_db


def test_what_is_wrong_is_found_or_marked_and_nothing_else_is(cast, as_):
    year, marked = planted_year.Year(cast), {}

    def look(one):
        marked[one.number] = planted_year.marks(one, as_(year.verifier(one)), cast.chair)

    year.file_all(look)
    assert Counter(one.wrong for one in year.filed) == {
        "": 28,
        planted_year.OTHER_DATA: 3,
        planted_year.FEWER_ROWS: 3,
        planted_year.OTHER_MODEL: 2,
        planted_year.COPIED: 2,
        planted_year.OTHER_LINK: 2,
    }
    assert {
        one.number: marked[one.number] for one in year.filed if not one.wrong and marked[one.number]
    } == {}
    assert [one.titled for one in year.filed if one.wrong and not marked[one.number]] == []
