"""What acts take from rulebook 1.0, against what was agreed on: what a change ends, waivers, reviews, ends."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from adoption.demo import initiative_acts
from governance import clock
from governance.database import row_history
from governance.rulebook import shipped_text
from initiatives.lifecycle.changes.actions import would_void
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.stages import actions as stage_actions
from tests.support import factories
from tests.support.rules import agreed_gates
from tests.support.rules.agreed_cases import CHANGES, QUESTIONS

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_force(cast):
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    return cast


@pytest.fixture
def initiative(in_force):
    return factories.make_initiative(in_force)


def test_a_change_ends_the_evidence_of_the_agreed_requirements_and_of_no_others(initiative, in_force):
    papers = [key for key, row in QUESTIONS.items() if "document" in row.kinds]
    item = evidence_actions.add_evidence(
        initiative=initiative,
        kind="document",
        title="A paper on everything",
        observed_on=clock.today(),
        covers=papers,
        link="https://papers.example/everything",
        by=in_force.owner,
    )
    # What ends it is the same for a requirement that takes no paper.
    with row_history.acting(by=in_force.owner):
        for key in QUESTIONS:
            if key not in papers:
                item.coverage.create(requirement=key, added_at=item.added_at)
    ended = {
        change: {row.requirement for row in would_void(initiative, [change])} for change in CHANGES.values()
    }
    assert ended == {
        change: {key for key, row in QUESTIONS.items() if change in row.changes}
        for change in CHANGES.values()
    }


def test_waivers_run_for_the_agreed_days_and_are_as_many_as_agreed(initiative, in_force):
    longest = clock.today() + timedelta(days=agreed_gates.WAIVER_DAYS)

    def ask(key, until=longest):
        WAIVERS.ask(initiative, key=key, reason="It is shown next month.", until=until, by=in_force.owner)

    keys = [key for key, row in QUESTIONS.items() if row.waivable and key.startswith("proto.")]
    with pytest.raises(ValidationError, match="at the latest"):
        ask(keys[0], longest + timedelta(days=1))
    for key in keys[: agreed_gates.WAIVERS]:
        ask(key)
    with pytest.raises(ValidationError, match=f"already has {agreed_gates.WAIVERS} waivers"):
        ask(keys[agreed_gates.WAIVERS])


def test_a_review_lapses_and_an_end_is_written_up_in_the_agreed_days(in_force):
    initiative = initiative_acts.propose_and_confirm_tier(factories.make_prototype(in_force), in_force.team)
    review = review_actions.open_review(initiative=initiative, by=in_force.owner)
    assert (review.expires_at - review.opened_at).days == agreed_gates.REVIEW_DAYS
    stage_actions.stop(
        initiative=initiative, reason_code="no_value", reason="Nobody used it.", by=in_force.owner
    )
    due = {
        row.kind: (row.due - clock.today()).days for row in initiative.obligations.filter(kind="post_mortem")
    }
    assert due == {"post_mortem": agreed_gates.POST_MORTEM_DAYS}
