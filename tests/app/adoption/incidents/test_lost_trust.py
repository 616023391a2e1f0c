"""Trust that was lost: read from behaviour reports and incidents too, in Insights and in the pack, without who told."""

from datetime import timedelta

import pytest

from adoption.incidents import actions as incident_actions
from adoption.meetings import actions as meeting_actions
from adoption.meetings import board_pack
from adoption.models import BehaviourReport
from adoption.reports import actions as report_actions
from governance import clock
from governance.models import Rulebook
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.portfolio.insights import figures, reasons
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives import open_reviews
from tests.support.initiatives.plain_figures import counted_by

pytestmark = pytest.mark.django_db

WORDS = "She reads suggestions out in appraisals."


@pytest.fixture
@snapshots.kept
def initiative(cast):
    return factories.make_mvp(cast)


def report(initiative, by, **changed) -> BehaviourReport:
    told = {"kind": "worked_around", "group": "Team North", "words": WORDS, "source": "seen", "share": 40}
    return report_actions.report_behaviour_report(
        initiative=initiative, observed_on=clock.today(), by=by, **(told | changed)
    )


def went_wrong(initiative, by, **changed):
    now = clock.now()
    return incident_actions.open_incident(
        initiative=initiative,
        by=by,
        **({"severity": 3, "title": "Wrong names", "started_at": now, "detected_at": now} | changed),
    )


def why(initiative, since=None, until=None) -> list[str] | None:
    """Why the initiative stands behind the figure; None where it does not."""
    wanted = figures.Wanted(clock.now(), Rulebook.objects.in_force(), since, until)
    found = counted_by("trust-lost", wanted)
    told = reasons.of("trust-lost", found, wanted)
    assert told.keys() == {one.pk for one in found}, "each row says why it is there"
    return told.get(initiative.pk)


def tomorrow():
    return clock.today() + timedelta(days=1)


@pytest.mark.parametrize("kind", ["worked_around", "ignored", "weaponised"])
def test_a_current_behaviour_report_is_trust_lost_until_it_is_over(cast, initiative, kind):
    assert why(initiative) is None
    row = report(initiative, cast.outsider, kind=kind, extent="unknown", share=None)
    (said,) = why(initiative)
    assert said == f"{row.get_kind_display()}: Team North, unknown share of the group, seen on {said_day()}."
    assert why(initiative, since=tomorrow()) is None
    report_actions.judge(report=row, outcome="answered", answer="We look into it.", by=cast.chair)
    assert why(initiative)[0].endswith(", answered by the board.")
    report_actions.judge(report=row, outcome="over", answer="It stopped.", by=cast.chair)
    assert why(initiative) is None


def said_day() -> str:
    return f"{clock.today():%-d %B}"


def test_use_as_it_was_meant_is_no_loss(cast, initiative):
    report(initiative, cast.outsider, kind="adopted", share=90)
    assert why(initiative) is None


def test_an_incident_that_users_noticed_is_trust_lost_until_it_is_closed(cast, initiative):
    went_wrong(initiative, cast.owner, severity=4)
    assert why(initiative) is None, "nobody was affected"
    row = went_wrong(initiative, cast.owner, seen=initiative.incidents.values_list("pk", flat=True))
    assert why(initiative) == [f"Incident of severity 3, open, known since {said_day()}: Wrong names"]
    assert why(initiative, until=clock.today() - timedelta(days=1)) is None
    assert why(initiative, since=clock.today(), until=clock.today()), "both days belong to the period"
    row = incident_actions.move_on(incident=row, state="resolved", at=clock.now(), by=cast.owner)
    assert why(initiative), "it works again, and is not closed yet"
    incident_actions.close(incident=row, words="Fixed.", by=cast.owner)
    assert why(initiative) is None


def test_a_reason_outside_of_the_period_is_not_told(cast, initiative):
    report(initiative, cast.outsider)
    with clock.simulated(clock.now() + timedelta(days=10)):
        went_wrong(initiative, cast.owner)
        assert len(why(initiative)) == 2
        (only,) = why(initiative, since=tomorrow() - timedelta(days=3))
    assert only.startswith("Incident")


def test_the_pack_lists_both_as_risks_and_neither_the_words_nor_who_told(cast):
    initiative = factories.make_mvp(cast)
    review_actions.open_review(initiative=initiative, by=cast.owner)
    meeting = meeting_actions.plan(board=cast.board, held_on=clock.today(), by=cast.chair)
    report(initiative, cast.outsider, kind="weaponised")
    report(initiative, cast.outsider, group="Team South", share=80)
    went_wrong(initiative, cast.owner)
    went_wrong(
        initiative,
        cast.owner,
        severity=4,
        title="Log full",
        seen=initiative.incidents.values_list("pk", flat=True),
    )
    (pages,) = board_pack.content(meeting, cast.chair).initiatives
    (risks,) = (table.rows for table in pages.tables if table.heading == "Open risks")
    day = f"{clock.today():%-d %B %Y}"
    assert risks[:2] == (
        (
            "Behaviour report",
            f"Used against people: Team North, 40 % of the group, seen on {day}.",
            "the chair or the adoption seat",
        ),
        (
            "Behaviour report",
            f"People work around it: Team South, 80 % of the group, seen on {day}.",
            "the chair or the adoption seat",
        ),
    )
    assert [row[1].partition(" (")[0] for row in risks if row[0] == "Incident"] == ["Wrong names", "Log full"]
    assert (
        len(initiative.requirement_findings.current().filter(source__startswith="behaviour-report:")) == 2
    ), "both weigh on the next gate"
    everything = "\n".join(cell for row in risks for cell in row)
    assert "most of the group" not in everything, "what a behaviour report says is said once"
    assert WORDS not in everything
    assert cast.outsider.full_name not in everything


def test_the_pack_names_no_requirement_finding_of_a_stage_that_nobody_asks_for_yet(cast):
    initiative = open_reviews.signed_off(cast).initiative
    meeting = meeting_actions.plan(board=cast.board, held_on=clock.today(), by=cast.chair)
    assert initiative.requirement_findings.current().exists() or initiative.stage == "prototype"
    (pages,) = board_pack.content(meeting, cast.chair).initiatives
    (risks,) = (table.rows for table in pages.tables if table.heading == "Open risks")
    assert initiative.stage == "prototype"
    assert not [row for row in risks if "No measure is declared" in row[1]], (
        "only production asks for measures"
    )


def test_the_pack_names_a_waiver_by_what_is_asked(cast):
    initiative = open_reviews.signed_off(cast).initiative
    until = clock.today() + timedelta(days=20)
    waiver = WAIVERS.ask(
        initiative, key="mvp.users", reason="The list comes in July.", until=until, by=cast.owner
    )
    for person in (cast.chair, cast.seat_risk):
        WAIVERS.agree(row=waiver, by=person)
    meeting = meeting_actions.plan(board=cast.board, held_on=clock.today(), by=cast.chair)
    (pages,) = board_pack.content(meeting, cast.chair).initiatives
    (risks,) = (table.rows for table in pages.tables if table.heading == "Open risks")
    asked = Rulebook.objects.current().parsed.requirements["mvp.users"].question
    (row,) = (row for row in risks if row[0] == "Waiver")
    assert row[1:] == (f"{asked} The list comes in July.", f"until {until:%-d %B %Y}")
