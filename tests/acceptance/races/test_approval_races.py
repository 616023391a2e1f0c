"""Races around one approval: sixteen connections use it, answer it, ask for it. Used once, answered once, asked once.

Three rounds of each in the suite, `--rounds 500` runs them at full length. The last test takes the unique row away
and shows that the same check then finds what goes wrong.
"""

from collections import Counter
from functools import partial

import pytest
from django.db import connection

from governance import clock
from governance.models import Entry
from governance.transparency_log import sealing
from initiatives.contracts.approvals import actions as approval_actions
from initiatives.models import ApprovalAnswer, ApprovalRequest, ApprovalUse
from tests.support import factories
from tests.support.database.concurrent_connections import SIZE, Ring

pytestmark = pytest.mark.django_db(transaction=True)

FULL = 500


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Sealing and mail have tests of their own; here everybody would only wait for them."""
    monkeypatch.setattr(sealing, "soon", lambda: None)
    monkeypatch.setattr(approval_actions, "_mail_soon", lambda: None)


@pytest.fixture
def numbers(rounds):
    """The rounds to run."""
    return range(rounds if rounds >= FULL else 3)


@pytest.fixture
def key(cast, initiative):
    return factories.make_key(cast, initiative, principal=cast.lead)[0]


def evaluation_request(number: int) -> dict:
    """A call of its own for each round."""
    return factories.make_evaluation_request(context={"round": number})


def answer(request, by, verdict="approve"):
    return approval_actions.answer_approval(
        request=request,
        verdict=verdict,
        digest=request.arguments_digest,
        reason="As it says." if verdict == "refuse" else "",
        opened_at=clock.now(),
        by=by,
    )


def use_races(cast, initiative, key, numbers) -> list[str]:
    """Sixteen use one approval at once, some with other arguments; what was wrong, in words."""
    wrong = []
    with Ring() as ring:
        for number in numbers:
            request = factories.make_request(initiative, key, evaluation_request=evaluation_request(number))
            answer(request, cast.support)
            use = partial(approval_actions.use_approval, reference=str(request.reference), key=key)
            right, other = (
                partial(use, evaluation_request=evaluation_request(asked))
                for asked in (number, number + 10**6)
            )
            outcomes = ring.run([right, right, right, other] * (SIZE // 4))
            told = Counter(one.value.code if one.kind == "done" else str(one) for one in outcomes)
            wanted = {
                "": 1,
                "approval_used": SIZE // 4 * 3 - 1,
                "approval_for_other_arguments": SIZE // 4,
            }
            if told != wanted:
                wrong.append(f"round {number}: {dict(told)}")
    if ApprovalUse.objects.count() != len(numbers):
        wrong.append(f"{ApprovalUse.objects.count()} uses in {len(numbers)} rounds")
    return wrong


def test_one_approval_is_used_once(cast, initiative, key, numbers):
    assert use_races(cast, initiative, key, numbers) == []
    kinds = Counter(Entry.objects.acts().filter(kind__startswith="approval").values_list("kind", flat=True))
    assert kinds == dict.fromkeys(("approval asked", "approval answered", "approval used"), len(numbers))


def test_without_the_unique_row_it_would_be_used_more_than_once(cast, initiative, key):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'initiatives_approvaluse'::regclass"
            " AND contype = 'u'"
        )
        ((name,),) = cursor.fetchall()
        cursor.execute(f'ALTER TABLE initiatives_approvaluse DROP CONSTRAINT "{name}"')
    assert use_races(cast, initiative, key, range(3)), (
        "went well without the unique row: the check sees nothing"
    )


def test_two_opposite_answers_at_once_are_one(cast, initiative, key, numbers):
    """Eight presses each, also of one person in eight tabs; everybody else is told who was first, and when."""
    with Ring() as ring:
        for number in numbers:
            request = factories.make_request(initiative, key, evaluation_request=evaluation_request(number))
            presses = [
                partial(answer, request, cast.support),
                partial(answer, request, cast.owner, "refuse"),
            ]
            outcomes = ring.run(presses * (SIZE // 2))
            given = ApprovalAnswer.objects.select_related("person").get(request=request)
            kinds = Counter(one.kind for one in outcomes)
            assert kinds == {"done": 1, "conflict": SIZE - 1}, (number, list(map(str, outcomes)))
            done = "approved" if given.verdict == "approve" else "refused"
            for place, one in enumerate(outcomes):
                person = (cast.support, cast.owner)[place % 2]
                who = "You" if person == given.person else given.person.full_name
                told = f"{who} {done} the call at {clock.moment_in_words(given.at)}."
                assert one.kind == "done" or told in one.value
            decided = ApprovalRequest.objects.get(pk=request.pk)
            assert decided.granted == (given.verdict == "approve")


def test_four_eyes_need_two_people_however_often_they_press(cast, initiative, key, numbers):
    with Ring() as ring:
        for number in numbers:
            request = factories.make_request(
                initiative, key, evaluation_request=evaluation_request(number), four_eyes=True
            )
            ring.run([partial(answer, request, cast.support)] * SIZE)
            assert not ApprovalRequest.objects.get(pk=request.pk).granted
            outcomes = ring.run([partial(answer, request, cast.owner)] * SIZE)
            assert Counter(one.kind for one in outcomes) == {"done": 1, "conflict": SIZE - 1}
            assert ApprovalRequest.objects.get(pk=request.pk).granted
            assert request.answers.count() == 2


def test_asked_at_once_is_asked_once(initiative, key, numbers):
    with Ring() as ring:
        for number in numbers:
            asked = partial(
                factories.make_request, initiative, key, evaluation_request=evaluation_request(number)
            )
            outcomes = ring.run([asked] * SIZE)
            assert {one.kind for one in outcomes} == {"done"}, list(map(str, outcomes))
            assert len({one.value.pk for one in outcomes}) == 1
            # So that nothing of a round waits while the next are asked: there is a most of what waits.
            answer(outcomes[0].value, initiative.registered_by)
    assert ApprovalRequest.objects.count() == len(numbers)
