"""Scenario 2, step 2: approvals above a limit are in one colleague's head; a workflow not written down blocks."""

import pytest
from django.urls import reverse

from adoption.demo import case_acts
from initiatives.models import ProcessRecord
from tests.acceptance.walks import story
from tests.acceptance.walks.story import at
from tests.support import factories
from tests.support.cases import open_reviews

pytestmark = pytest.mark.django_db


def test_an_approval_in_somebodys_head_drops_what_is_supported_and_not_what_is_claimed(cast, as_):
    with at(2026, 8, 20):
        case = factories.make_prototype(cast, title="Ticket triage")
    with at(2026, 9, 1):
        case = case_acts.to_mvp(case, cast.team)
    with at(2026, 10, 12):
        assert story.span(case).supported == "mvp", "step 2: before the interview"
        lead = as_(cast.lead)
        page = reverse("integration-processes", args=[case.ref])
        sent = lead.post(
            reverse("process-add", args=[case.ref]),
            {
                "name": "Approvals above a limit",
                "status": "in_head",
                "holder_words": "one long-serving colleague",
                "as_is": "Anybody: asks one long-serving colleague",
            },
        )
        assert sent.status_code == 302

        row = ProcessRecord.objects.get(initiative=case)
        assert row.status == "in_head", "step 2: undocumented"
        assert row.held_by == "one long-serving colleague"
        assert row.redesign_cost is None
        shown = lead.get(page).content.decode()
        assert "Knowledge holder: one long-serving colleague" in shown
        assert "not budgeted" in shown, "step 2: a blank cost is shown"

        found = story.state(case, "mvp.workflow")
        assert (found.state, found.satisfied) == ("register", False)
        assert found.words == "“Approvals above a limit” is in one long-serving colleague's head."
        span = story.span(case)
        assert (span.supported, span.label) == ("prototype", "Larger prototype"), "step 2: the badge"
        assert story.fresh(case).stage == "mvp", "step 2: the claimed stage stays"
        for url in (case.get_absolute_url(), reverse("checklist-row", args=[case.ref, "mvp.workflow"])):
            assert "is in one long-serving colleague" in lead.get(url).content.decode(), f"step 2: {url}"
        assert "Larger prototype" in lead.get(case.get_absolute_url()).content.decode()

    # Written down: what is claimed is supported again, and what it costs is still shown as nobody's.
    with at(2026, 10, 14):
        lead = as_(cast.lead)
        lead.post(
            reverse("process-add", args=[case.ref]) + f"?of={row.pk}",
            {
                "name": "Approvals above a limit",
                "status": "documented",
                "holder_words": "one long-serving colleague",
                "as_is": "Team lead: approves up to 500 EUR\nHead of desk: approves above it",
            },
        )
        assert story.state(case, "mvp.workflow").satisfied
        assert story.span(case).supported == "mvp"
        assert "not budgeted" in lead.get(page).content.decode()
        told = lead.get(reverse("case-history", args=[case.ref])).content.decode()
        assert "recorded the process “Approvals above a limit”: in somebody&#x27;s head" in told


def test_a_gate_that_is_not_decided_yet_is_blocked_by_it(cast):
    with at(2026, 8, 20):
        review = open_reviews.before_mvp(cast)
        assert "colleague" not in story.blockers(review)
        factories.make_process(
            cast,
            review.initiative,
            status="in_head",
            holder_words="one long-serving colleague",
            as_is=[],
        )
        assert "is in one long-serving colleague's head" in story.blockers(review)
        assert not story.sitting(review).verdict.decidable
