"""The chair's excuse of an overdue obligation is for one initiative and one decision; what a former stage due ends
with it.
"""

from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, transaction

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.permission_result import Refused
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.holds.actions import open_obligation
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.lifecycle.stages import periodic
from initiatives.models import Excuse, Initiative, Obligation, Review
from tests.support import factories
from tests.support.initiatives import open_reviews

pytestmark = pytest.mark.django_db


def fresh(review: Review) -> Review:
    return Review.objects.select_related("initiative__unit", "rulebook").get(pk=review.pk)


def held(review: Review) -> bool:
    """Whether an overdue obligation of the owner stands in the way of the decision."""
    return any(
        reason.text.startswith("An obligation of")
        for reason in review_state.snapshot_of(fresh(review)).verdict.blockers
    )


@pytest.fixture
def obliged(cast):
    """Two initiatives of one owner before the MVP gate, the first with every approval; an overdue obligation
    elsewhere.
    """
    first = open_reviews.signed_off(cast)
    other = initiative_acts.propose_and_confirm_tier(
        factories.make_prototype(cast, title="Invoice reader"), cast.team
    )
    second = review_actions.open_review(initiative=other, by=cast.owner)
    obligation = obligation_of(cast, factories.make_initiative(cast, title="Former idea"))
    assert held(first)
    assert held(second)
    return first, second, obligation


def obligation_of(cast, initiative) -> Obligation:
    yesterday = clock.today() - timedelta(days=1)
    with acting(system="test", reason="obligation"):
        return open_obligation(
            initiative,
            "post_mortem",
            source="stop:0",
            text="Post-mortem",
            due=yesterday,
            responsible=cast.owner,
        )


def excuse(cast, obligation, review, by=None) -> Excuse:
    return hold_deeds.excuse_obligation(
        obligation=obligation,
        initiative=review.initiative,
        reason="The season cannot wait.",
        by=by or cast.chair,
    )


def test_an_excuse_frees_one_initiative_and_no_other(cast, obliged):
    first, second, obligation = obliged
    excuse(cast, obligation, first)
    assert not held(first)
    assert held(second), "the excuse named the other initiative"


@pytest.mark.parametrize("outcome", ["approved", "refused"])
def test_a_decision_uses_it_up(cast, obliged, outcome):
    first, _, obligation = obliged
    excuse(cast, obligation, first)
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=False):
        review_actions.decide(review=fresh(first), outcome=outcome, reason="As shown.", by=cast.chair)
        again = review_actions.open_review(
            initiative=Initiative.objects.get(pk=first.initiative_id), by=cast.owner
        )
        assert held(again), "the next decision on the same initiative needs the obligation completed"
        with pytest.raises(Refused, match="already allowed once despite this obligation"):
            excuse(cast, obligation, again)


def test_a_review_that_decides_nothing_uses_nothing_up(cast, obliged):
    first, _, obligation = obliged
    excuse(cast, obligation, first)
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=False):
        review_actions.return_review(review=fresh(first), reason="One requirement.", by=cast.chair)
        again = review_actions.open_review(
            initiative=Initiative.objects.get(pk=first.initiative_id), by=cast.owner
        )
        assert not held(again)


def test_who_and_when(cast, obliged):
    first, second, obligation = obliged
    for person in (cast.owner, cast.seat_risk, cast.admin, cast.deputy_chair):
        with pytest.raises(Refused):
            excuse(cast, obligation, first, by=person)
    idle = factories.make_initiative(cast, title="No review here")
    with pytest.raises(Refused, match="No review of"):
        hold_deeds.excuse_obligation(obligation=obligation, initiative=idle, reason="Later.", by=cast.chair)
    stranger = factories.make_prototype(cast, title="Of another owner", owner=cast.owner)
    review_actions.withdraw_review(review=second, reason="Not now.", by=cast.owner)
    with pytest.raises(Refused, match="No review of"):
        hold_deeds.excuse_obligation(
            obligation=obligation, initiative=stranger, reason="Later.", by=cast.chair
        )
    assert not Excuse.objects.exists()


def test_the_database_holds_it_too(cast, obliged):
    first, _, obligation = obliged
    row = {"obligation": obligation, "initiative": first.initiative, "reason": "x", "at": clock.now()}
    idle = factories.make_initiative(cast, title="No review here")
    for wrong, words in (
        ({"by": cast.owner}, "by somebody else"),
        ({"by": cast.chair, "initiative": idle}, "a decision that is to come"),
        ({"by": cast.chair, "reason": ""}, "an_excuse_has_its_reason"),
    ):
        with (
            pytest.raises(DatabaseError, match=words),
            transaction.atomic(),
            acting(by=cast.chair, reason="x"),
        ):
            Excuse(**row | wrong).save()
    made = excuse(cast, obligation, first)
    with pytest.raises(DatabaseError, match="keeps what was written"), transaction.atomic():
        Excuse.objects.filter(pk=made.pk).update(reason="Another.")


# An obligation of a former stage


def test_what_a_stage_asks_for_ends_or_is_said_anew_with_the_step_back(cast):
    initiative = factories.make_production(cast)
    later = initiative.obligations.open().filter(kind="criterion")
    written = initiative.obligations.open().filter(kind="retrospective")
    before = later.count()
    assert written.count() == 1
    until = initiative.supported_stage.valid_until
    with time_machine.travel(until + timedelta(days=400, hours=9), tick=False):
        periodic.recompute()
        old = initiative.obligations.open().get(kind="step_back")
        assert old.source.startswith("production:")
        scope = {"users": "Two teams", "user_count": 1}
        initiative = stage_actions.step_back(
            initiative=initiative_acts.fresh(initiative),
            reason="Cut.",
            users_told="By mail.",
            scope=scope,
            by=cast.chair,
        )
        old.refresh_from_db()
        assert old.completed_at is not None
        assert later.count() == 0, f"{before} items of the gate to production were left to do"
        new = initiative.obligations.open().get(kind="step_back")
        assert new.source == f"mvp:{clock.today()}"
        assert new.due == clock.today() + timedelta(days=14)
        assert "roduction" not in new.text
        assert written.count() == 1, "what is due in writing is written"


# Fourteen days are fourteen


@pytest.mark.parametrize("late", [timedelta(seconds=1), timedelta(days=3, hours=5)])
def test_grace_counts_from_the_last_day_that_was_supported_whenever_the_worker_ran(cast, late):
    initiative = factories.make_mvp(cast)
    span = initiative.spans.filter(unsupported_stages__gt=0).earliest("from_at")
    last = clock.local_day(span.from_at) - timedelta(days=1)
    assert span.from_at == clock.midnight_after(last)
    with clock.simulated(span.from_at + late):
        periodic.recompute()
        assert initiative.obligations.get(kind="step_back").due == last + timedelta(days=14)


def test_what_an_act_ended_was_supported_that_day(cast):
    initiative = factories.make_mvp(cast)
    item = initiative.evidence.filter(coverage__requirement="mvp.problem", kind="document").first()
    evidence_actions.withdraw_evidence(evidence=item, reason="It was of another team", by=cast.owner)
    assert initiative.obligations.get(kind="step_back").due == clock.today() + timedelta(days=14)
