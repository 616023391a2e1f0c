"""What measures are judged by, made from rows that were read."""

from datetime import date, timedelta

from adoption.measures import queries
from adoption.models import Measurement
from governance import clock
from initiatives.models import ScopeVersion

DAY = date(2026, 11, 2)


def measurement(pk: int, *, replaces: int | None = None, replaced: int | None = None, n: int = 3, **more):
    """A row as the query gives it."""
    row = Measurement(
        pk=pk, measure_id=1, starts_on=DAY, ends_on=DAY, n=n, replaces_id=replaces, **{"value": 2.0} | more
    )
    row.replaced = replaced
    return row


def test_a_scope_is_in_force_until_its_end():
    now = clock.now()
    ends = {1: None, 2: now + timedelta(days=1), 3: now - timedelta(days=1)}
    rows = [ScopeVersion(initiative_id=key, ended_at=end) for key, end in ends.items()]
    assert queries._in_force(rows).keys() == {1, 2}


def test_a_mean_and_its_spread_are_a_sum_and_a_sum_of_squares():
    ((cell,),) = queries._of_people([measurement(1, sd=1.0)]).values()
    assert (cell.n, cell.total, cell.squares) == (3, 6.0, 14.0)


def test_a_correction_has_the_place_of_what_it_corrects_and_one_without_people_counts_nothing():
    rows = [
        measurement(1, replaced=4),
        measurement(2, team="second"),
        measurement(3, n=0, replaces=9, team="taken back"),
        measurement(4, replaces=1, team="first"),
    ]
    assert [cell.team for cell in queries._of_people(rows)[1]] == ["first", "second"]
