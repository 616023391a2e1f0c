"""A lesson comes back: one team stops, what it learned stands in the way of the next team, which answers it."""

from datetime import timedelta

import pytest
from django.urls import reverse

from adoption.demo import case_acts
from adoption.lessons import actions as lesson_actions
from adoption.postmortems import actions as postmortem_actions
from adoption.postmortems.writing import write
from governance import clock
from initiatives.models import Shortcoming
from initiatives.reviews import actions as review_actions
from initiatives.stages import actions as stage_actions
from tests.acceptance.walks import story
from tests.app.adoption.postmortems.test_postmortems import LESSON, WHOLE
from tests.support import factories
from tests.support.cases.case_pages import SIGNED

pytestmark = pytest.mark.django_db
WORDS = "The rota export stops at midnight and nobody is told."


def test_what_one_team_learned_is_answered_by_the_next_before_its_gate(cast, as_):
    with story.at(2026, 6, 1):
        first = factories.make_prototype(cast, title="Shift helper")
        stage_actions.stop(
            case=case_acts.fresh(first), reason_code="no_value", reason="It stood still.", by=cast.owner
        )
        debt = first.obligations.get(kind="post_mortem")
        account = postmortem_actions.start(obligation=debt, by=cast.owner)
        told = LESSON | {"text": WORDS, "vendors": ["Modelwright"], "layer": "integration"}
        account = write(post_mortem=account, lessons=[told], by=cast.owner, **WHOLE)
        account = postmortem_actions.hand_in(post_mortem=account, version=account.version, by=cast.owner)

    # Another team is on its way to the gate when the adoption seat confirms what the first one wrote.
    with story.at(2026, 6, 8):
        second = factories.make_prototype(cast, title="Reply drafts")
        case_acts.staff(second, cast.team)
        case_acts.contract(case_acts.fresh(second), cast.team)
        case_acts.plan_scope(second, cast.team)
        case_acts.ground_gate(second, "mvp", cast.team)
        review = review_actions.open_review(case=case_acts.fresh(second), by=cast.owner)
        case_acts.votes(review, cast.team)
        assert story.blockers(review) == ""
        seat = as_(cast.seat_adoption)
        page = seat.get(reverse("post-mortem-confirm", args=[account.pk]))
        assert WORDS in page.content.decode()
        sent = seat.post(reverse("post-mortem-confirm", args=[account.pk]), {"version": account.version})
        assert sent.status_code == 302
        (lesson,) = account.lessons.all()
        assert lesson_actions.follow_lesson(lesson.pk) == [second.pk]

    # It stands on the owner's desk, on the case, on the board's page, and before the decision.
    with story.at(2026, 6, 9):
        owner, chair = as_(cast.owner), as_(cast.chair)
        desk = owner.get("/").content.decode()
        assert "1 lesson of others: Reply drafts" in desk
        assert WORDS in owner.get(reverse("lessons", args=[second.ref])).content.decode()
        assert "; same vendor: modelwright)" in owner.get(review.get_absolute_url()).content.decode()
        assert "A lesson is not answered" in story.blockers(review)
        with story.undone():
            review_actions.withdraw_review(review=review, reason="Later.", by=cast.owner)
            page = owner.get(reverse("review-open", args=[second.ref])).content.decode()
            assert "One thing to answer before the gate is decided." in page
            assert "Everything the board signs is met." not in page
            page = owner.get(second.get_absolute_url()).content.decode()
            assert "Next: answer this before the gate." in page
        refused = chair.post(
            reverse("review-decide", args=[review.pk]), {"outcome": "approved", "reason": "Ready."} | SIGNED
        )
        assert refused.status_code in (403, 409, 422)
        assert case_acts.fresh(second).stage == "prototype"

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
        answer = second.answers.get(requirement=lesson_actions.REQUIREMENT)
        assert "Replies wait until the export is back" in answer.text
        assert f"{lesson_actions.REQUIREMENT}, answer {answer.version}" in page
        case_acts.vote(review, "adoption_change", cast.seat_adoption)
        assert f"{lesson_actions.REQUIREMENT}, answer {answer.version}" in (
            review.sign_offs.get(seat="adoption_change", replaced_by=None).statement
        )
        review_actions.decide(review=review, outcome="approved", reason="Ready.", by=cast.chair)
        assert case_acts.fresh(second).stage == "mvp"
    with story.at(2026, 6, 11):
        factories.make_lesson(cast, text="Another of its kind.", vendors=["Modelwright"])
        assert story.fresh(second).stage == "mvp"
        assert clock.today() < review.opened_at.date() + timedelta(days=30)
        again = review_actions.open_review(case=story.fresh(second), by=cast.owner)
        assert "Another of its kind." in story.blockers(again), "asked at the next gate"
    assert "1 lesson" in as_(cast.owner).get("/").content.decode()
