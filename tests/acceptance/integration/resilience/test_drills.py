"""Drills: recorded with their evidence in one act, held against the initiative when they fail, due again on their
day.
"""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.models import Notification
from governance.notifications import due as notification_due
from governance.notifications import inbox as notification_inbox
from governance.permission_result import Conflict, Refused
from governance.rulebook import parse, shipped_text
from initiatives.integration.links import actions as link_actions
from initiatives.integration.resilience import drills as resilience_drills
from initiatives.integration.resilience.drill_findings import REQUIREMENT_OF_KIND, missing
from initiatives.integration.resilience.drills import suggested
from initiatives.integration.resilience.inbox import drills
from initiatives.lifecycle.changes import actions as change_actions
from initiatives.lifecycle.changes.actions import pull
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.models import Drill, Evidence
from tests.acceptance.walks import story
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import acts

pytestmark = pytest.mark.django_db
FALLS_BACK = {
    "timeout_seconds": 5,
    "retry": "Once, after a second.",
    "on_failure": "The list of yesterday.",
    "told_users": "That it is the list of yesterday.",
}


@pytest.fixture
def initiative(cast):
    """An MVP with everything that production asks for shown."""
    return factories.make_ready(cast, factories.make_mvp(cast), "production")


@pytest.fixture
@snapshots.kept
def link(cast, initiative):
    """A link of it that says what happens when its source fails."""
    return factories.make_link(cast, initiative, **FALLS_BACK)


def short(initiative, requirement: str = "") -> list[str]:
    """What the register says against the initiative now, in words."""
    rows = initiative.requirement_findings.current().filter(since__lte=clock.now())
    return [row.words for row in rows if requirement in ("", row.requirement)]


def held(initiative) -> bool:
    return initiative.holds.open().filter(kind="failed_drill").exists()


# The act


def test_a_drill_and_its_record_are_one_act(cast, initiative, link):
    with acts() as kinds:
        drill = factories.make_drill(
            cast, initiative, link=link, covers=["prod.q10_outage", "layer.observability"]
        )
    assert kinds == ["evidence added", "drill recorded"]
    item = drill.evidence
    assert (item.kind, item.result, item.observed_on) == ("drill_record", "pass", clock.today())
    assert {row.requirement for row in item.coverage.all()} == {"prod.q10_outage", "layer.observability"}
    assert [name.system for name in item.names.all() if name.system_id] == [link.system]
    assert len(item.sha256) == 64, "the trace is hashed"
    assert "Expected: The list of yesterday" in item.note
    counted = story.state(initiative, "prod.q10_outage")
    assert item.pk in [found.id for found in counted.items]


def test_partial_is_not_a_pass(cast):
    initiative = factories.make_mvp(cast)
    initiative_acts.say(initiative, "prod.q10_outage", cast.team)
    factories.make_drill(cast, initiative, result="partial")
    assert not story.state(initiative, "prod.q10_outage").satisfied
    factories.make_drill(cast, initiative)
    assert story.state(initiative, "prod.q10_outage").satisfied


def test_what_is_wrong_is_said_by_field_and_nothing_is_written(cast, initiative):
    before = Evidence.objects.count()
    for field, wrong in (
        ("observed_on", {"observed_on": timedelta(days=2)}),
        ("observed_on", {"observed_on": None}),
        ("expected", {"expected": "  "}),
        ("happened", {"happened": ""}),
        ("result", {"result": "fine"}),
        ("kind", {"kind": "fire"}),
        ("fault", {"fault": "flood"}),
        ("covers", {"covers": []}),
        ("covers", {"covers": ["int.anchor"]}),
        ("file", {"file": None}),
        ("file", {"file": ContentFile(b"MZ", "trace.exe")}),
        ("next_due", {"next_due": timedelta(0)}),
    ):
        with pytest.raises(ValidationError) as said:
            factories.make_drill(cast, initiative, **factories.from_today(wrong))
        assert field in said.value.error_dict
        assert (Drill.objects.count(), Evidence.objects.count()) == (0, before)


def test_a_link_of_another_initiative_or_an_ended_one_is_refused(cast, initiative, link):
    other = factories.make_initiative(cast, title="Another")
    with pytest.raises(ValidationError, match="link of this initiative"):
        factories.make_drill(cast, other, link=link, by=cast.owner)


def test_who_does_not_work_on_the_initiative_records_nothing(cast, initiative):
    with pytest.raises(Refused):
        factories.make_drill(cast, initiative, by=cast.seat_risk)


def test_taking_a_drill_back_withdraws_its_evidence_and_only_so(cast, initiative, link):
    drill = factories.make_drill(cast, initiative, link=link, result="fail")
    assert held(initiative)
    with pytest.raises(Refused, match="drill record"):
        evidence_actions.withdraw_evidence(evidence=drill.evidence, reason="Unpleasant.", by=cast.lead)
    with acts() as kinds:
        resilience_drills.withdraw_drill(drill=drill, reason="Of another system.", by=cast.lead)
    assert kinds == ["drill withdrawn", "evidence withdrawn", "register found", "hold lifted"]
    drill = Drill.objects.get(pk=drill.pk)
    assert drill.evidence.withdrawn_at is not None
    assert not held(initiative)
    with pytest.raises(Conflict):
        resilience_drills.withdraw_drill(drill=drill, reason="Again.", by=cast.lead)


def test_what_is_suggested_is_what_asks_for_a_drill_of_that_kind():
    rulebook = parse(shipped_text())
    assert suggested(rulebook, "fallback") == ["prod.q10_outage", "int.fallback", "layer.observability"]
    assert suggested(rulebook, "escalation") == ["prod.q09_escalation", "layer.observability"]
    assert suggested(rulebook, "retrieval") == ["int.audit_trail"]
    assert suggested(rulebook, "override") == ["prod.q05_wrong_output", "adopt.recoverable"]
    assert set(REQUIREMENT_OF_KIND.values()) <= set(rulebook.requirements)


def test_each_link_has_a_fallback_drill_of_its_own(cast):
    """A drill of one link, or of the initiative as a whole, never covers another link."""
    factories.make_rulebook(cast.admin, cast.chair, shipped_text())
    initiative = factories.make_prototype(cast)
    drilled, other = (
        factories.make_link(cast, initiative, factories.make_system(cast, name), by=cast.owner, **FALLS_BACK)
        for name in ("Ledger", "Order system")
    )
    said = "The link to {} has no separate fallback drill."
    asked = {"covers": ["int.fallback"], "by": cast.owner}
    assert short(initiative, "int.fallback") == [said.format("Ledger"), said.format("Order system")]
    factories.make_drill(cast, initiative, **asked)
    factories.make_drill(cast, initiative, link=drilled, **asked)
    factories.make_drill(
        cast, initiative, link=other, kind="retrieval", covers=["int.audit_trail"], by=cast.owner
    )
    assert short(initiative, "int.fallback") == [said.format("Order system")]
    factories.make_drill(cast, initiative, link=other, **asked)
    assert short(initiative, "int.fallback") == []


def test_what_ends_the_drill_of_one_link_is_covered_by_no_other(cast):
    factories.make_rulebook(cast.admin, cast.chair, shipped_text())
    initiative = factories.make_prototype(cast)
    ledger, orders = (
        factories.make_link(cast, initiative, factories.make_system(cast, name), by=cast.owner, **FALLS_BACK)
        for name in ("Ledger", "Order system")
    )
    initiative_acts.say(initiative, "int.fallback", cast.team)
    factories.make_drill(cast, initiative, link=orders, covers=["layer.observability"], by=cast.owner)
    factories.make_drill(cast, initiative, link=ledger, covers=["int.fallback"], by=cast.owner)
    said = "The fallback drill on Order system does not cover this requirement."
    assert short(initiative, "int.fallback") == [said]
    factories.make_drill(cast, initiative, link=orders, covers=["int.fallback"], by=cast.owner)
    assert story.state(initiative, "int.fallback").level == "documented"
    with acting(by=cast.owner, reason="A field was renamed"):
        pull(initiative, ["integration_schema"], "A field was renamed", by=cast.owner, system=orders.system)
    found = story.state(initiative, "int.fallback")
    assert (found.state, found.level) == ("weak", "")
    assert "Order system" in found.words
    assert "A field was renamed" in found.words


def test_a_link_that_is_added_in_production_has_days_of_grace_for_its_drill(cast, as_):
    initiative = factories.make_production(cast)
    factories.make_rulebook(cast.admin, cast.chair, shipped_text())
    factories.make_link(cast, initiative, factories.make_system(cast, "Ledger"), **FALLS_BACK)
    assert short(initiative, "int.fallback") == []
    line = next(task for task in notification_inbox.tasks_for(cast.lead) if task.button == "Open the drills")
    assert line.text == f"Drill the fallback of Ledger: {initiative.title}"
    assert line.due == clock.today() + timedelta(days=14)
    with clock.simulated(clock.now() + timedelta(days=15)):
        assert short(initiative, "int.fallback") == ["The link to Ledger has no separate fallback drill."]


# Held against the initiative


def test_a_failure_holds_at_mvp_until_a_later_pass_and_partial_fixes_nothing(cast, initiative, link):
    factories.make_flow(cast, initiative)
    day = clock.today() - timedelta(days=10)
    assert not held(initiative)
    factories.make_drill(cast, initiative, link=link, result="fail", observed_on=day)
    assert held(initiative)
    (words,) = short(initiative, "int.fallback")
    assert words == f"The fallback drill of {day:%-d %B %Y} on Customer ledger failed."
    assert not story.state(initiative, "int.fallback").satisfied
    factories.make_drill(cast, initiative, link=link, result="partial", observed_on=day + timedelta(days=1))
    assert held(initiative), "partial is not a pass"
    factories.make_drill(cast, initiative, link=link, result="pass", observed_on=day - timedelta(days=1))
    assert held(initiative), "an earlier pass fixes nothing"
    factories.make_drill(cast, initiative, link=link, kind="rollback", observed_on=day + timedelta(days=2))
    assert held(initiative), "a pass of another kind fixes nothing"
    factories.make_drill(cast, initiative, observed_on=day + timedelta(days=2))
    assert held(initiative), "a pass elsewhere fixes nothing"
    factories.make_drill(cast, initiative, link=link, observed_on=day + timedelta(days=2))
    assert not held(initiative)
    assert short(initiative, "int.fallback") == []


def test_what_failed_on_a_link_ends_with_the_link(cast, initiative, link):
    factories.make_drill(cast, initiative, link=link, result="fail")
    link_actions.close_link(link=link, reason="Replaced.", by=cast.lead)
    assert not held(initiative)
    assert short(initiative, "int.fallback") == []


def test_a_failed_retrieval_is_held_against_the_audit_trail(cast, initiative):
    factories.make_drill(
        cast, initiative, kind="retrieval", fault="none", result="fail", covers=["int.audit_trail"]
    )
    against = initiative.requirement_findings.current().exclude(requirement__startswith="adopt.")
    assert [row.requirement for row in against] == ["int.audit_trail"]
    assert story.span(initiative).supported == "mvp"


def test_an_overdue_drill_counts_from_the_midnight_after_its_day_though_nothing_ran(cast, initiative, link):
    due = clock.today() + timedelta(days=30)
    factories.make_drill(cast, initiative, link=link, next_due=due)
    row = initiative.requirement_findings.current().get(requirement="int.fallback")
    assert row.since == clock.midnight_after(due)
    assert row.words == f"The fallback drill on Customer ledger was due again by {due:%-d %B %Y}."
    moment = clock.midnight_after(due)
    with clock.simulated(moment - timedelta(seconds=1)):
        assert "was due again" not in story.state(initiative, "int.fallback").words
    with clock.simulated(moment):
        found = story.state(initiative, "int.fallback")
        assert (found.state, found.satisfied) == ("register", False)
        assert "was due again" in found.words
    assert not held(initiative), "overdue is not failed"


def test_trying_again_moves_the_day_and_partial_does_not_move_it_out(cast, initiative, link):
    first = clock.today() + timedelta(days=10)
    factories.make_drill(cast, initiative, link=link, next_due=first)
    factories.make_drill(cast, initiative, link=link, result="partial", next_due=first + timedelta(days=80))
    row = initiative.requirement_findings.current().get(source=f"drill:{link.pk}:fallback:due")
    assert row.since == clock.midnight_after(first)
    factories.make_drill(cast, initiative, link=link, next_due=first + timedelta(days=90))
    row = initiative.requirement_findings.current().get(source=f"drill:{link.pk}:fallback:due")
    assert row.since == clock.midnight_after(first + timedelta(days=90))


@pytest.mark.parametrize("pattern", ["anchor", "audit", "fallback", "feed"])
def test_a_link_says_time_out_retry_fallback_and_message(cast, initiative, pattern):
    link = factories.make_link(cast, initiative, pattern=pattern)
    (words,) = short(initiative, "int.fallback")
    assert words == (
        "The link to Customer ledger does not contain the time-out of a call, nor the retries, nor the "
        "fallback, nor the message to users."
    )
    assert len(missing(link)) == 4
    for name in FALLS_BACK:
        said = {key: value for key, value in FALLS_BACK.items() if key != name}
        assert len(missing(type(link)(**said))) == 1


def test_a_initiative_without_links_and_drills_is_short_of_nothing(cast, initiative):
    assert short(initiative) == []


def test_a_change_of_the_system_ends_its_drill_and_no_other(cast, initiative, link):
    other = factories.make_link(
        cast, initiative, system=factories.make_system(cast, "Old wiki"), **FALLS_BACK
    )
    mine = factories.make_drill(cast, initiative, link=link).evidence
    others = factories.make_drill(cast, initiative, link=other).evidence
    pull(
        initiative, ["integration_schema"], "A field was renamed", by=cast.lead, system=link.system
    ) if False else None
    change_actions.report_change(
        initiative=initiative, triggers=["workflow"], what="Another inbox", by=cast.lead
    )
    assert not mine.voidings.exists(), "what lists the trigger alone is ended"
    with acting(by=cast.lead, reason="A field was renamed"):
        pull(initiative, ["integration_schema"], "A field was renamed", by=cast.lead, system=link.system)
    assert mine.voidings.get().requirement == "prod.q10_outage"
    assert not others.voidings.exists()


# Reminders


def test_who_is_to_try_it_again_is_told_before_on_and_after_the_day(cast, initiative, link):
    due = clock.today() + timedelta(days=30)
    factories.make_drill(cast, initiative, link=link, next_due=due)

    def told(day):
        with clock.simulated(clock.midnight_before(day) + timedelta(hours=9)):
            notification_due.run(queries=[drills])
            rows = Notification.objects.filter(kind="drill")
            return sorted(rows.values_list("person__login", "period"))

    assert told(due - timedelta(days=15)) == []
    assert told(due - timedelta(days=14)) == [("lead", "14d"), ("owner", "14d")]
    assert len(told(due)) == 4
    assert ("lead", "late0") in told(due + timedelta(days=1))
    assert "Customer ledger" in Notification.objects.filter(kind="drill").first().subject
    assert any(login == "chair" for login, _ in told(due + timedelta(days=8)))
    factories.make_drill(cast, initiative, link=link, next_due=due + timedelta(days=400))
    before = Notification.objects.filter(kind="drill").count()
    told(due + timedelta(days=2))
    assert Notification.objects.filter(kind="drill").count() == before, "tried again: nobody is told any more"
