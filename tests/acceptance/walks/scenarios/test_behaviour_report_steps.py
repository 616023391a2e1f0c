"""Scenario 2, step 7: few use it, two teams work around it, a manager uses it in appraisals; adoption fails."""

import pytest
from django.urls import reverse

from adoption.measures import behaviour_detection
from adoption.models import BehaviourReport
from adoption.reports import actions as report_actions
from governance.models import Notification
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.reviews import actions as review_actions
from tests.acceptance.walks import story
from tests.acceptance.walks.story import at
from tests.support import factories
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db


@pytest.fixture
@snapshots.kept
def triage(cast):
    """An MVP with everything shown for production, its review open and signed by six seats."""
    with at(2026, 11, 2):
        initiative = factories.make_ready(cast, factories.make_mvp(cast, title="Ticket triage"), "production")
        review = review_actions.open_review(initiative=story.fresh(initiative), by=cast.owner)
    return initiative, review


def test_the_adoption_test_fails_although_the_model_is_excellent(cast, triage, as_):
    initiative, review = triage
    with at(2026, 11, 30):
        assert story.state(initiative, "adopt.behaviour").satisfied, "step 7: its evidence stands"
        assert story.state(initiative, "prod.performance").satisfied, "step 7: the model test is excellent"

        # Usage measurements: 14 % of intended users.
        with act("follow measurements", system="measurements", initiative=initiative) as locked:
            report_actions.follow_figures(
                locked, behaviour_detection.found([behaviour_detection.Use("All of dispatch", 14, 100)])
            )
        # Two teams paste tickets into their old macro; one manager uses suggestions in appraisals.
        sent = {"source": "seen", "observed_on": "2026-11-30", "may_ask": "on"}
        for who, told in (
            (cast.outsider, {"kind": "worked_around", "group": "Teams East and West", "extent": "most",
                             "words": "They paste tickets into their old macro."}),
            (cast.steward, {"kind": "weaponised", "group": "Team North",
                            "words": "A manager reads suggestions out in appraisals."}),
        ):  # fmt: skip
            response = as_(who).post(reverse("report-behaviour", args=[initiative.ref]), sent | told)
            assert response.status_code == 302, f"step 7: {response.content.decode()[:500]}"
        kinds = set(BehaviourReport.objects.values_list("kind", flat=True))
        assert kinds == {"ignored", "worked_around", "weaponised"}, "step 7: three behaviour reports"

        # The last creates a board item at once.
        assert set(Notification.objects.filter(kind="report").values_list("person__login", flat=True)) == {
            "chair",
            "seat-adoption",
        }, "step 7: the board is told at once"
        inbox = as_(cast.chair).get(reverse("inbox")).content.decode()
        assert "Used against people: Ticket triage" in inbox, "step 7: it lies on the chair's inbox"

        # The adoption test fails although the model test is excellent; the initiative cannot become decidable.
        assert not story.state(initiative, "adopt.behaviour").satisfied, "step 7: adoption fails"
        assert story.state(initiative, "prod.performance").satisfied, "step 7: the model test still passes"
        assert not story.snapshot(review).verdict.decidable, "step 7: not decidable"

        # The board answers and finds out: one by one they go, and the initiative stands where it stood.
        for row in BehaviourReport.objects.filter(computed=False):
            report_actions.judge(report=row, outcome="answered", answer="Stopped and fixed.", by=cast.chair)
        assert not story.state(initiative, "adopt.behaviour").satisfied, "an answer does not end what most do"
        row = BehaviourReport.objects.get(kind="worked_around")
        report_actions.judge(report=row, outcome="over", answer="Macro gone.", by=cast.chair)
        with act("follow measurements", system="measurements", initiative=initiative) as locked:
            report_actions.follow_figures(
                locked, behaviour_detection.found([behaviour_detection.Use("All of dispatch", 61, 100)])
            )
        assert story.state(initiative, "adopt.behaviour").satisfied, "nothing stands against it any more"
