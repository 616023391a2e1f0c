"""The contract steps of the scenarios: a swap of the model touches the contract's evidence and what systems may do."""

from datetime import UTC, date, datetime, timedelta

import pytest

from adoption.demo import initiative_acts
from governance import clock
from governance.models import Rulebook
from initiatives.integration.components import actions as components_actions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.scope import actions as scope_actions
from initiatives.lifecycle.stages import periodic
from initiatives.models import Voiding
from tests.acceptance.walks import story
from tests.acceptance.walks.story import at
from tests.support import factories
from tests.support.database import snapshots
from tests.support.servers.asking_systems import System, logged

pytestmark = pytest.mark.django_db

INSIDE = {
    "subject_groups": ["account_managers"],
    "subject_department": "Account management",
    "subject_place": "Zurich",
    "resource_data_class": "customer notes",
    "action_count": 1,
}
OF_THE_CONTRACT = {"gov.autonomy", "gov.human_approval"}


@pytest.fixture
@snapshots.kept
def summaries(cast):
    """An MVP of 3 August whose evidence for production is ready on 10 November, with a system that asks."""
    initiative = story.mvp_of_spring(cast)
    with at(2026, 11, 10):
        bound = initiative.scopes.get(ended_at=None)
        scope_actions.record_scope(
            initiative=initiative,
            users=bound.users,
            departments=bound.departments,
            places=bound.places,
            data_classes=bound.data_classes,
            user_count=bound.user_count,
            ends_on=date(2027, 3, 1),
            rollout=True,
            live_data=True,
            by=cast.owner,
        )
        story.renew(initiative, cast)
        initiative_acts.ground_gate(initiative, "production", cast.team)
        initiative = story.fresh(initiative)
        return initiative, System(factories.make_key(cast, initiative, days=120)[1].text)


def code(system) -> str:
    return system.ask("summarise", **INSIDE)["context"]["code"]


def test_a_vendor_moves_its_region(cast, summaries):
    """Scenario 1, step 9, as a component version change alone; then what follows for what the system may do alone."""
    initiative, system = summaries
    with at(2026, 11, 11):
        assert code(system) == "allowed"
        components_actions.record_component(
            initiative=initiative,
            layer="model",
            name="Language model",
            version="m-4",
            region="eu-central",
            runs_from=datetime(2026, 11, 12, tzinfo=UTC),
            by=cast.lead,
        )
        assert story.state(initiative, "prod.performance").satisfied, (
            "step 9: before the start nothing is voided"
        )
    with at(2026, 11, 12, 8):
        voided = set(
            Voiding.objects.filter(evidence__initiative=initiative, trigger="model_version").values_list(
                "requirement", flat=True
            )
        )
        assert {"prod.performance", "int.anchor"} | OF_THE_CONTRACT <= voided, f"step 9: {sorted(voided)}"
        for key in OF_THE_CONTRACT:
            found = story.state(initiative, key)
            assert "eu-west" in found.words, f"step 9: {key} does not name what left: {found.words}"
            assert "eu-central" in found.words, f"step 9: {key} does not name what came: {found.words}"
        assert initiative.contract.in_force_at(clock.now()).number == 1, "step 9: the contract itself stands"
        assert story.span(initiative).label == "MVP: not supported by current evidence"
        assert code(system) == "allowed", "the days of grace have begun"
        grace = Rulebook.objects.current().parsed.freshness.grace_days
        due = date(2026, 11, 11) + timedelta(days=grace)  # from the last day that was supported
        assert not initiative.obligations.filter(kind="step_back", completed_at=None).exists(), (
            "no task ran yet"
        )
        with story.undone():
            periodic.recompute()
            assert initiative.obligations.get(kind="step_back", completed_at=None).due == due
            assert code(system) == "allowed"
    with at(due.year, due.month, due.day, 23, 59):
        assert code(system) == "allowed", f"{due} is the last day of grace"
    after = clock.midnight_after(due)
    with at(after.year, after.month, after.day, 0):
        short = system.ask("summarise", **INSIDE)
        assert short["decision"] is False
        assert short["context"]["outcome"] == "needs_approval", "autonomy waits for a person now"
        assert short["context"]["code"] == "unsupported"
        assert "MVP: not supported by current evidence" in short["context"]["reason"]
        story.renew(initiative, cast)
        assert story.span(initiative).supported in ("mvp", "production"), "the team redid what was voided"
        assert code(system) == "allowed", "with the evidence, autonomy is back"
    assert [row.code for row in logged()].count("unsupported") == 1


def test_in_the_high_tier_nothing_waits_for_the_days_of_grace(cast, summaries):
    initiative, system = summaries
    with at(2026, 11, 11):
        detail_actions.propose_tier(
            initiative=initiative,
            tier="high",
            worst_credible_harm="A wrong summary ends a contract.",
            by=cast.owner,
        )
        detail_actions.confirm_tier(initiative=story.fresh(initiative), tier="high", by=cast.seat_risk)
    with at(2026, 11, 12):
        story.renew(initiative, cast)
        assert code(system) == "allowed", "as long as the approved stage is supported"
        item = initiative.evidence.filter(coverage__requirement="mvp.problem", kind="document").latest("pk")
        for one in initiative.evidence.filter(coverage__requirement="mvp.problem", withdrawn_at=None):
            evidence_actions.withdraw_evidence(evidence=one, reason="It was of another team", by=cast.owner)
        assert story.state(initiative, "mvp.problem").satisfied is False, item.title
        assert code(system) == "unsupported"
    assert date(2026, 11, 12) < initiative.obligations.get(kind="step_back", completed_at=None).due
