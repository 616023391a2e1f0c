"""Desk and mail: what waits on a catch-up plan, for the owner and for the chair, and when it is over."""

from datetime import timedelta

import pytest

from governance import clock
from governance.notices import due
from initiatives.catch_up import actions, queries
from initiatives.desk import lines as desk_lines
from initiatives.models import Initiative
from tests.app.initiatives.catch_up.test_catch_up_plans import plan_of
from tests.support.cases.imported_portfolio import give_owner, make_portfolio

pytestmark = pytest.mark.django_db


def waiting(person) -> list[str]:
    """What the desk of the person says about catch-up plans."""
    return [
        f"{line.text}: {line.why}"
        for line in desk_lines.lines(person)
        if "catch-up" in f"{line.text} {line.why} {line.link}".lower()
    ]


def told() -> list[tuple[str, str, str]]:
    """Messages about waves that are due now: to whom, which wave, of which period."""
    return sorted(
        (one.person.login, one.object_key.rpartition(":")[2], one.period)
        for one in due.find().values()
        if one.kind == "catch-up wave"
    )


@pytest.fixture
def cases(cast):
    """Two imported initiatives, the first with an owner."""
    found = make_portfolio(cast)
    give_owner(cast, found[0], cast.owner)
    return found


def test_the_desk_says_what_waits_and_no_longer(cast, cases):
    case = cases[0]
    assert "Nobody dated yet" in waiting(cast.owner)[0]
    assert not waiting(cast.chair)
    plan = plan_of(case, cast.owner)
    assert not waiting(cast.owner)
    assert waiting(cast.chair) == [
        "Dates of 1 catch-up plan: By when imported initiatives mean to show what they lack. "
        "It counts as agreed once you say so."
    ]
    assert not waiting(cast.deputy_chair)
    actions.answer_plan(plan=plan, agreed=False, words="Sooner, please.", by=cast.chair)
    assert not waiting(cast.chair)
    assert "sent it back: Sooner, please." in waiting(cast.owner)[0]


def test_an_overdue_wave_waits_on_the_desk_and_goes_out_by_mail_once(cast, cases, time_machine):
    plan_of(cases[0], cast.owner)
    plan_of(cases[1], cast.admin)
    assert not told()
    start = clock.now()
    time_machine.move_to(start + timedelta(days=17))
    assert told() == [("owner", "1", "14d")]
    assert not waiting(cast.owner)
    time_machine.move_to(start + timedelta(days=30))
    assert told() == [("owner", "1", "0d")]
    # After days of silence one right message goes out, and of what nobody agreed to nobody else hears.
    time_machine.move_to(start + timedelta(days=60))
    assert told() == [("owner", "1", "late0")]
    assert len(waiting(cast.owner)) == 1
    assert "Wave 1 of the catch-up plan" in waiting(cast.owner)[0]


def test_agreed_days_are_put_to_chair_and_board_once_they_are_over(cast, cases, time_machine):
    plan = plan_of(cases[0], cast.owner)
    actions.answer_plan(plan=plan, agreed=True, by=cast.chair)
    start = clock.now()
    time_machine.move_to(start + timedelta(days=38))
    assert told() == [("chair", "1", "chair7d"), ("owner", "1", "late0")]
    time_machine.move_to(start + timedelta(days=45))
    assert {who for who, _, _ in told()} > {"owner", "chair", "seat-risk", "seat-value"}


def test_a_wave_without_anything_missing_reminds_nobody(cast, cases, time_machine, monkeypatch):
    plan_of(cases[0], cast.owner)
    time_machine.move_to(clock.now() + timedelta(days=40))
    assert told()
    (now,) = queries.progress_of([Initiative.objects.get(pk=cases[0].pk)])
    rest = tuple(key for key in now.gaps if key not in now.waves[0].keys)
    monkeypatch.setattr(queries, "gaps_shown", lambda rows: {row.pk: rest for row in rows})
    assert not told()
    assert not waiting(cast.owner)
