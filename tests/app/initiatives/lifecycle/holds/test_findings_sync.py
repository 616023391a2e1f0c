"""How the register reaches the initiatives: rows written once, holds with their cause, supported stages."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.gates import criteria
from governance.models import Entry, Rulebook
from governance.permission_result import Refused
from governance.rulebook import shipped_text
from initiatives.lifecycle.activity import entry_wording as activity_entry_wording
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.facts import finding_rules, supported_stage
from initiatives.lifecycle.facts.finding_rules import Wanted
from initiatives.lifecycle.findings import sync
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.initiative.act import REGISTER, act
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Hold, Link, RequirementFinding, System
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.initiatives.initiative_pages import text_of

pytestmark = pytest.mark.django_db

HELD = Wanted("int.residency", "transfer:1", "us-east is forbidden.", hold="residency")
CONFLICT = Wanted("int.definitions", "term:1", "3 open conflicts on customer.", hold="definition_conflict")


@pytest.fixture
def says(monkeypatch):
    """The register says what is in this list, of every initiative."""
    found: list[Wanted] = []
    monkeypatch.setattr(finding_rules, "wanted", lambda keys, known: {key: list(found) for key in keys})
    return found


def follow(initiative, **options):
    with act("test", system="test", initiative=initiative, **options) as locked:
        return sync.follow([locked])


def held(initiative) -> dict[str, Hold]:
    return {hold.kind: hold for hold in Hold.objects.open().filter(initiative=initiative)}


def test_what_is_said_twice_is_written_once(initiative, says):
    says += [HELD, CONFLICT]
    assert follow(initiative) == [initiative]
    before = list(RequirementFinding.objects.values_list("pk", flat=True))
    assert len(before) == 2
    assert follow(initiative) == []
    assert list(RequirementFinding.objects.current().values_list("pk", flat=True)) == before
    assert Entry.objects.acts().of_initiative(initiative.ref).filter(kind="register found").count() == 1


def test_other_words_end_the_row_and_begin_another(initiative, says):
    says.append(CONFLICT)
    follow(initiative)
    (old,) = RequirementFinding.objects.current()
    says[:] = [Wanted("int.definitions", "term:1", "2 open conflicts.", hold="definition_conflict")]
    follow(initiative)
    (new,) = RequirementFinding.objects.current()
    assert new.pk != old.pk
    assert new.words == "2 open conflicts."
    assert RequirementFinding.objects.get(pk=old.pk).ended_at
    assert set(held(initiative)) == {"definition_conflict"}, "the hold goes on"


def test_a_conflict_closes_with_its_cause_and_residency_waits_for_the_chair(initiative, says, cast):
    says += [HELD, CONFLICT]
    follow(initiative)
    assert set(held(initiative)) == {"residency", "definition_conflict"}
    told = activity_entry_wording.sentence(
        "hold opened", {"hold_kind": "residency", "why": "It leaves."}, None
    )
    assert told.startswith("triggered a hold"), "nobody who typed something opened it"
    assert supported_stage.facts_of(initiative).holds, "the gates see them"
    says.clear()
    follow(initiative)
    (left,) = held(initiative).values()
    assert left.kind == "residency"
    assert left.liftable_since
    says.append(HELD)
    follow(initiative)
    left = held(initiative)["residency"]
    assert left.liftable_since is None, "back before it was lifted: the same hold, no longer liftable"
    with pytest.raises(Refused):
        hold_deeds.lift_hold(hold=left, reason="It is fine", by=cast.chair)
    says.clear()
    follow(initiative)
    hold_deeds.lift_hold(hold=held(initiative)["residency"], reason="Moved to eu-west", by=cast.chair)
    assert not held(initiative)


def test_what_is_to_come_opens_its_hold_on_its_day(initiative, says):
    with time_machine.travel(datetime(2026, 11, 2, 9, tzinfo=UTC), tick=False):
        start = clock.midnight_before(date(2026, 11, 20))
        says.append(
            Wanted("int.residency", "transfer:1", "us-east is forbidden.", since=start, hold="residency")
        )
        follow(initiative)
        assert not held(initiative)
        label = initiative.spans.covering(start).get()
        assert label.supported == "prototype", "what is kept is right at midnight though no task ran"
        (told,) = Entry.objects.acts().of_initiative(initiative.ref).filter(kind="register found")
        assert told.facts["facts"]["against"] == [
            ["int.residency", "From 20 November 2026: us-east is forbidden."]
        ]
    with time_machine.travel(start, tick=False):
        follow(initiative)
        assert set(held(initiative)) == {"residency"}


def test_a_initiative_that_ended_is_short_of_nothing(cast, initiative):
    with acting(by=cast.lead, reason="Described"):
        wiki = System(name="Wiki-C", kind="wiki", described_by=cast.lead, described_at=clock.now())
        wiki.save()
        link = Link(
            initiative=initiative,
            system=wiki,
            pattern="feed",
            direction="reads",
            access="api",
            by=cast.lead,
            at=clock.now(),
        )
        link.save()
    follow(initiative)
    found = {row.requirement for row in RequirementFinding.objects.current()}
    assert found >= {"int.sources_condition", "int.inventory", "int.systems_owned"}
    stage_actions.stop(
        initiative=initiative, reason_code="answered_no", reason="It answered its question", by=cast.owner
    )
    follow(initiative)
    assert not RequirementFinding.objects.current().exists()


def test_of_a_initiative_that_the_register_does_not_know_it_asks_two_questions(cast):
    """Whether there is anything, and whether there are lessons; once there is something, only that is asked about."""
    idea = factories.make_initiative(cast)
    with CaptureQueriesContext(connection) as nothing:
        assert finding_rules.wanted([idea.pk]) == {idea.pk: []}
    assert len(nothing) <= 2
    factories.make_process(cast, idea, status="in_head", holder=cast.owner)
    with CaptureQueriesContext(connection) as something:
        (one,) = finding_rules.wanted([idea.pk])[idea.pk]
    assert one.requirement == "mvp.workflow"
    assert len(something) <= 4


@pytest.mark.django_db(transaction=True)
def test_acts_on_what_is_shared_come_one_after_the_other(cast):
    """Whether another connection could begin one, before, while and after one runs."""
    initiative = factories.make_mvp(cast)

    def free() -> bool:
        with ThreadPoolExecutor(1) as other:
            return other.submit(tried).result()

    def tried() -> bool:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [REGISTER])
                return cursor.fetchone()[0]
        finally:
            connection.close()

    assert free()
    with act("an act on one initiative", system="test", initiative=initiative):
        assert free(), "what touches one initiative alone keeps nobody waiting"
    with act("an act on the register", system="test", initiative=initiative, register=True):
        assert not free()
    assert free()


def test_what_the_tier_leaves_out_holds_nothing_until_the_tier_rises(cast, as_, says):
    """At minimal risk nobody asks what words mean to each system: that they disagree stands there and holds nothing."""
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    initiative = factories.make_initiative(cast)
    initiative_acts.propose_and_confirm_tier(initiative, cast.team, "minimal")
    says.append(CONFLICT)
    follow(initiative)
    assert RequirementFinding.objects.current().filter(initiative=initiative).exists()
    assert held(initiative) == {}
    assert "Held" not in text_of(as_(cast.owner).get(initiative.get_absolute_url()))

    detail_actions.propose_tier(
        initiative=initiative, tier="limited", worst_credible_harm="A wrong figure costs time.", by=cast.owner
    )
    detail_actions.confirm_tier(initiative=initiative, tier="limited", by=cast.seat_risk)
    assert set(held(initiative)) == {"definition_conflict"}
    assert "Held since" in text_of(as_(cast.owner).get(initiative.get_absolute_url()))

    # The row of a hold that waits for its next periodic job holds nothing meanwhile, and no page says that it does.
    with unguarded("initiatives_initiative"), acting(system="test", reason="The tier as it was before"):
        initiative = initiative_acts.fresh(initiative)
        initiative.tier = "minimal"
        initiative.save()
    assert set(held(initiative)) == {"definition_conflict"}
    rulebook, facts = Rulebook.objects.current().parsed, supported_stage.facts_of(initiative)
    assert facts.holds
    assert criteria.holds_at(facts, rulebook, clock.now()) == ()
    assert "Held since" not in text_of(as_(cast.owner).get(initiative.get_absolute_url()))
