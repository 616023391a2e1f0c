"""Races between people on one contract: sixteen connections at once. Nobody's words are lost, nobody's overwritten."""

from functools import partial

import pytest

from adoption.demo import initiative_acts
from governance.contracts.clauses import Terms
from governance.models import ContractVersion
from initiatives.contracts.documents import clause_actions
from initiatives.contracts.documents.actions import Written
from initiatives.lifecycle.initiative import act
from initiatives.models import Initiative
from tests.support import factories
from tests.support.database import snapshots
from tests.support.database.concurrent_connections import SIZE, Ring

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("unsealed")]


@pytest.fixture
@snapshots.kept
def initiative(cast):
    """An initiative with a contract in force of as many clauses as there are contenders; nobody wrote the next version
    yet.
    """
    initiative = factories.make_initiative(cast)
    initiative_acts.staff(initiative, cast.team)
    days = [Written("retention", terms=Terms(days=1000 + more)) for more in range(SIZE)]
    initiative_acts.contract(
        initiative_acts.fresh(initiative), cast.team, clauses=[*initiative_acts.CLAUSES, *days]
    )
    return initiative_acts.fresh(initiative)


def newest(initiative: Initiative) -> ContractVersion:
    """The newest version, read now."""
    return initiative_acts.fresh(initiative).contract.versions.order_by("-number").first()


def saves(initiative, cast, number: int | None, days: int, seen: str = ""):
    """A press of Save on a page that was opened before anybody else pressed."""
    clause = Written("retention", terms=Terms(days=days), number=number)
    return partial(clause_actions.save_clause, initiative=initiative, clause=clause, seen=seen, by=cast.owner)


def rivals(initiative, cast, round_: int) -> list[str]:
    """Sixteen change the same clause, each otherwise; what went wrong."""
    before = newest(initiative).clauses.get(number=10)
    wrong = []
    with Ring() as ring:
        outcomes = ring.run(
            [
                saves(initiative, cast, 10, 2000 + SIZE * round_ + place, before.fingerprint)
                for place in range(SIZE)
            ]
        )
    done = [place for place, outcome in enumerate(outcomes) if outcome.kind == "done"]
    told = [outcome for outcome in outcomes if outcome.kind == "conflict"]
    if len(done) != 1 or len(told) != SIZE - 1:
        wrong.append(f"{len(done)} saved, {len(told)} were told: {[str(one) for one in outcomes]}")
    stands = newest(initiative).clauses.get(number=10).said.days
    if [stands] != [2000 + SIZE * round_ + place for place in done]:
        wrong.append(f"{stands} stands, saved were {done}")
    if not all("saved clause 10" in one.value for one in told):
        wrong.append("somebody was not told who was first")
    return wrong


def test_of_sixteen_on_one_clause_one_saves_and_the_others_are_told(cast, initiative, rounds):
    rounds = max(2, rounds // 10)
    wrong = [words for round_ in range(rounds) for words in rivals(initiative, cast, round_)]
    assert wrong == []
    assert newest(initiative).number == 2, "begun once"


def test_sixteen_on_different_clauses_all_save_and_begin_one_version(cast, initiative):
    before = {row.number: row for row in newest(initiative).clauses.all()}
    numbers = range(10, 10 + SIZE)
    with Ring() as ring:
        outcomes = ring.run(
            [saves(initiative, cast, number, 2000 + number, before[number].fingerprint) for number in numbers]
        )
    assert [outcome.kind for outcome in outcomes] == ["done"] * SIZE
    draft = newest(initiative)
    assert (draft.number, draft.edition) == (2, SIZE)
    said = {row.number: row.said.days for row in draft.clauses.filter(kind="retention")}
    assert said == {number: 2000 + number for number in numbers}
    assert draft.clauses.count() == len(before)


def test_sixteen_that_add_a_clause_get_a_number_each(cast, initiative):
    with Ring() as ring:
        outcomes = ring.run([saves(initiative, cast, None, 3000 + place) for place in range(SIZE)])
    assert [outcome.kind for outcome in outcomes] == ["done"] * SIZE
    numbers = [outcome.value.number for outcome in outcomes]
    assert sorted(numbers) == list(range(26, 26 + SIZE))
    rows = newest(initiative).clauses.filter(number__gte=26)
    assert {row.number: row.said.days for row in rows} == {
        number: 3000 + place for place, number in enumerate(numbers)
    }
    assert len(set(rows.values_list("position", flat=True))) == SIZE


def test_without_the_lock_the_same_check_finds_words_lost(cast, initiative, monkeypatch):
    def get(initiative):
        return Initiative.objects.get(pk=initiative.pk if isinstance(initiative, Initiative) else initiative)

    assert rivals(initiative, cast, 0) == []
    monkeypatch.setattr(act, "lock", get)
    wrong = [words for round_ in range(1, 4) for words in rivals(initiative, cast, round_)]
    assert wrong, "it went well without the lock: the check sees nothing"
