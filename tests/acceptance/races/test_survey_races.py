"""Many answer a survey at once over connections of their own: none is lost, none counts twice.

Forty in the suite; `--rounds 500` lets five hundred go. The last test takes the lock away and shows that the same check
then finds what is lost.
"""

from functools import partial

import pytest
from django.db.models import QuerySet

from adoption.models import AnswerBox, Invitation, SurveyComment
from adoption.surveys import actions as survey_actions
from adoption.surveys import disclosure_control
from tests.support.database.concurrent_connections import SIZE, Ring
from tests.support.initiatives import answered_surveys

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("unsealed")]

FULL = 500


def rings(contenders: list):
    """The contenders in rings of sixteen; the last one filled up with repetitions of the first."""
    for start in range(0, len(contenders), SIZE):
        some = contenders[start : start + SIZE]
        yield some + contenders[: SIZE - len(some)]


def answered_at_once(cast, initiative, people: int) -> tuple[int, int]:
    """So many answer at once, each by an own link; how many were told it was taken, and how many are in the box."""
    sizes = [people // 2, people - people // 2]
    teams = [{"name": name, "invited": size} for name, size in zip(("A", "B"), sizes, strict=True)]
    _, paths = answered_surveys.opened(cast, initiative, teams=teams)
    everybody = [path for found in paths.values() for path in found]
    presses = [
        partial(answered_surveys.put, path, 1 + number % 7, comment=f"c{number}")
        for number, path in enumerate(everybody)
    ]
    taken = 0
    with Ring() as ring:
        for some in rings(presses):
            outcomes = ring.run(some)
            assert all(outcome.kind == "done" for outcome in outcomes), [str(one) for one in outcomes]
            taken += sum(outcome.value for outcome in outcomes)
    return taken, sum(AnswerBox.objects.get().answered.values())


def test_none_is_lost_and_none_counts_twice(cast, initiative, rounds):
    people = FULL if rounds >= FULL else 40
    assert answered_at_once(cast, initiative, people) == (people, people)
    box = AnswerBox.objects.select_related("survey").get()
    assert sorted(box.comments, key=lambda words: int(words[1:])) == [
        f"c{number}" for number in range(people)
    ]
    for key in ("useful.needs", "useful.easy", "why.seen"):
        assert sum(sums[key][0] for sums in box.sums.values()) == people
    told = sum((1 + number % 7 - 1) * 100 / 6 for number in range(people))
    assert sum(sums["why.seen"][1] for sums in box.sums.values()) == pytest.approx(told)
    assert not Invitation.objects.exists()
    closed = survey_actions.close(survey=box.survey, by=cast.owner)
    assert closed.results["questions"]["why.seen"]["all"]["n"] == people
    assert SurveyComment.objects.count() == people


def test_one_link_used_sixteen_times_at_once_counts_once(cast, initiative, rounds):
    tries = range(15 if rounds >= FULL else 3)
    _, paths = answered_surveys.opened(cast, initiative, teams=[{"name": "A", "invited": 15}])
    with Ring() as ring:
        for number in tries:
            outcomes = ring.run([partial(answered_surveys.put, paths["A"][number])] * SIZE)
            assert [one.kind for one in outcomes] == ["done"] * SIZE
            assert sum(one.value for one in outcomes) == 1
            assert AnswerBox.objects.get().answered == {"0": number + 1}


def test_closing_in_between_takes_every_answer_or_tells_its_writer(cast, initiative):
    survey, paths = answered_surveys.opened(cast, initiative, teams=[{"name": "A", "invited": 20}])
    for path in paths["A"][SIZE:]:
        answered_surveys.put(path)
    presses = [partial(answered_surveys.put, path) for path in paths["A"][: SIZE - 1]]
    with Ring() as ring:
        outcomes = ring.run([*presses, partial(survey_actions.close, survey=survey, by=cast.owner)])
    assert all(one.kind == "done" for one in outcomes), [str(one) for one in outcomes]
    taken = sum(one.value is True for one in outcomes)
    survey.refresh_from_db()
    assert survey.answered == 20 - SIZE + taken
    if survey.answered >= disclosure_control.LEAST:
        assert survey.results["answered"] == survey.answered


def test_without_the_lock_answers_would_be_lost(cast, initiative, monkeypatch):
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)
    taken, kept = answered_at_once(cast, initiative, 48)
    assert kept < taken, "went well without the lock: the check sees nothing"
