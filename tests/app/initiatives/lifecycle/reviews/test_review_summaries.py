"""Reviews at a glance: judged once, and again as soon as anything they depend on has changed."""

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import caches

from adoption.demo import initiative_acts
from governance import clock
from governance.database.request_memo import one_look
from governance.database.row_history import acting
from initiatives.inbox.absences import actions as absence_actions
from initiatives.lifecycle.holds import actions as hold_actions
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews import review_summaries
from initiatives.models import Review
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.initiatives.open_reviews import before_prototype

pytestmark = pytest.mark.django_db


def test_a_review_is_judged_again_once_anything_it_depends_on_has_changed(cast, monkeypatch):
    review = before_prototype(cast)
    elsewhere = factories.make_initiative(cast, title="Another idea")
    initiative_acts.sign_offs(review, cast.team)
    judged, snapshot_of = [], review_state.snapshot_of
    monkeypatch.setattr(review_state, "snapshot_of", lambda row: judged.append(row) or snapshot_of(row))

    def seen(*, anew: bool) -> review_summaries.Glance:
        before = len(judged)
        with one_look():
            row = Review.objects.select_related("initiative__unit").get(pk=review.pk)
            found = review_summaries.at([row])[review.pk]
        assert (len(judged) > before) == anew
        return found

    with time_machine.travel(clock.now(), tick=False) as moment:
        assert seen(anew=True).decidable
        assert seen(anew=False).decidable
        initiative_acts.parts(elsewhere, cast.team)
        assert seen(anew=False).decidable
        with acting(system="test"):
            hold_actions.open_obligation(
                elsewhere,
                "criterion",
                source="x",
                text="Hand over the logs",
                due=clock.today() - timedelta(days=1),
                responsible=cast.owner,
            )
        seen(anew=True)
        seat = cast.board.memberships.get(person=cast.seat_value)
        leaving.revoke_membership(membership=seat, reason="Left", by=cast.admin)
        assert "no longer holds the seat" in " ".join(seen(anew=True).stale["business_value"][0])
        review_actions.ask_question(
            review=review, criterion="prototype.honest", text="On which sample?", by=cast.seat_risk
        )
        seen(anew=True)
        tomorrow = clock.today() + timedelta(days=1)
        absence_actions.plan_absence(first=tomorrow, last=tomorrow, asked=[], by=cast.seat_risk)
        seen(anew=True)
        moment.shift(60)
        seen(anew=False)
        moment.shift(timedelta(days=1))
        seen(anew=True)


def test_a_judgement_takes_the_place_of_the_one_before(cast, settings):
    """Else a web process would hold one for each act that ever changed a review."""
    of_its_own = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "judgements"}
    settings.CACHES = {"default": of_its_own}
    review = before_prototype(cast)
    for words in ("On which sample?", "Who reads it?", "Until when?"):
        review_actions.ask_question(
            review=review, criterion="prototype.honest", text=words, by=cast.seat_risk
        )
        with one_look():
            review_summaries.at([Review.objects.select_related("initiative__unit").get(pk=review.pk)])
    assert len(caches["default"]._cache) == 1
