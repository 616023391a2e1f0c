"""A lesson comes back: one team stops, what it learned stands in the way of the next team, which answers it."""

from datetime import timedelta

import pytest
from django.urls import reverse

from adoption.actions import lessons, postmortems
from adoption.actions.writing import write
from adoption.demo import life
from governance import clock
from initiatives import actions
from initiatives.models import Shortcoming
from tests import factories
from tests.adoption.test_postmortems import LESSON, WHOLE
from tests.walks import story

pytestmark = pytest.mark.django_db
WORDS = "The rota export stops at midnight and nobody is told."


def test_what_one_team_learned_is_answered_by_the_next_before_its_gate(cast, as_):
    with story.at(2026, 6, 1):
        first = factories.make_prototype(cast, title="Shift helper")
        actions.stop(case=life.fresh(first), reason_code="no_value", reason="It stood still.", by=cast.owner)
        debt = first.obligations.get(kind="post_mortem")
        account = postmortems.start(obligation=debt, by=cast.owner)
        told = LESSON | {"text": WORDS, "vendors": ["Modelwright"], "layer": "integration"}
        account = write(post_mortem=account, lessons=[told], by=cast.owner, **WHOLE)
        account = postmortems.hand_in(post_mortem=account, version=account.version, by=cast.owner)

    # Another team is on its way to the gate when the adoption seat confirms what the first one wrote.
    with story.at(2026, 6, 8):
        second = factories.make_prototype(cast, title="Reply drafts")
        life.staff(second, cast.team)
        life.contract(life.fresh(second), cast.team)
        life.plan_scope(second, cast.team)
        life.ground_gate(second, "mvp", cast.team)
        review = actions.open_review(case=life.fresh(second), by=cast.owner)
        life.votes(review, cast.team)
        assert story.blockers(review) == ""
        seat = as_(cast.seat_adoption)
        page = seat.get(reverse("post-mortem-confirm", args=[account.pk]))
        assert WORDS in page.content.decode()
        sent = seat.post(reverse("post-mortem-confirm", args=[account.pk]), {"version": account.version})
        assert sent.status_code == 302
        (lesson,) = account.lessons.all()
        assert lessons.follow_lesson(lesson.pk) == [second.pk]

    # It stands on the owner's desk, on the case, on the board's page, and before the decision.
    with story.at(2026, 6, 9):
        owner, chair = as_(cast.owner), as_(cast.chair)
        desk = owner.get("/").content.decode()
        assert "1 lesson of others: Reply drafts" in desk
        assert WORDS in owner.get(reverse("lessons", args=[second.ref])).content.decode()
        assert "; same vendor: modelwright)" in owner.get(review.get_absolute_url()).content.decode()
        assert "A lesson is not answered" in story.blockers(review)
        with story.undone():
            actions.withdraw_review(review=review, reason="Later.", by=cast.owner)
            page = owner.get(reverse("review-open", args=[second.ref])).content.decode()
            assert "One thing to answer before the gate is decided." in page
            assert "Everything the board signs is met." not in page
            page = owner.get(second.get_absolute_url()).content.decode()
            assert "Next: answer this before the gate." in page
        refused = chair.post(
            reverse("review-decide", args=[review.pk]), {"outcome": "approved", "reason": "Ready."}
        )
        assert refused.status_code in (403, 409, 422)
        assert life.fresh(second).stage == "prototype"

        form = {
            f"applies_{lesson.pk}": "yes",
            f"words_{lesson.pk}": "Replies wait until the export is back; users read that.",
            f"version_{lesson.pk}": "0",
        }
        assert owner.post(reverse("lessons-answer", args=[second.ref]), form).status_code == 302
        assert "lesson of others" not in owner.get("/").content.decode()
        assert (
            not Shortcoming.objects.standing()
            .filter(initiative=second, source__startswith="lesson:")
            .exists()
        )
        assert story.blockers(review) == ""

    # The seat reads and signs the answer as it is now; the case goes on, and another lesson fells nothing.
    with story.at(2026, 6, 10):
        page = (
            as_(cast.seat_adoption).get(reverse("sign", args=[review.pk, "adoption_change"])).content.decode()
        )
        answer = second.answers.get(requirement=lessons.REQUIREMENT)
        assert "Replies wait until the export is back" in answer.text
        assert f"{lessons.REQUIREMENT}, answer {answer.version}" in page
        life.vote(review, "adoption_change", cast.seat_adoption)
        assert f"{lessons.REQUIREMENT}, answer {answer.version}" in (
            review.sign_offs.get(seat="adoption_change", replaced_by=None).statement
        )
        actions.decide(review=review, outcome="approved", reason="Ready.", by=cast.chair)
        assert life.fresh(second).stage == "mvp"
    with story.at(2026, 6, 11):
        factories.make_lesson(cast, text="Another of its kind.", vendors=["Modelwright"])
        assert story.fresh(second).stage == "mvp"
        assert clock.today() < review.opened_at.date() + timedelta(days=30)
        again = actions.open_review(case=story.fresh(second), by=cast.owner)
        assert "Another of its kind." in story.blockers(again), "asked at the next gate"
    assert "1 lesson" in as_(cast.owner).get("/").content.decode()
