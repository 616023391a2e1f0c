"""Effort by week and layer: noted once, withdrawn and kept, added up beside what could be seen; who waits for whom."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError

from adoption.demo import initiative_acts
from governance import clock
from governance.database import row_history
from governance.database.row_history import acting
from governance.permission_result import Conflict, Refused
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.facts import visible_progress
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Effort, Link, System, Term, TermDefinition, TermUse
from initiatives.portfolio.efforts import actions as effort_actions
from initiatives.portfolio.efforts import notes
from initiatives.portfolio.efforts import queries as effort_queries
from initiatives.portfolio.efforts.effort_cells import monday
from initiatives.portfolio.insights import effort_report
from initiatives.portfolio.insights.effort_report import Wanted
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts

pytestmark = pytest.mark.django_db


def this_week() -> date:
    """The Monday of this week."""
    return monday(clock.today())


def note(initiative, by, **fields):
    """One line of effort: two hours of integration this week, unless said otherwise."""
    given = {"layer": "integration", "week": clock.today(), "hours": Decimal(2)} | fields
    return effort_actions.note_effort(initiative=initiative, by=by, **given)


def make_system(cast, name="Billing") -> System:
    """A system of the register."""
    with acting(by=cast.lead):
        row = System(
            name=name, kind="bought", owner=cast.steward, described_by=cast.lead, described_at=clock.now()
        )
        row.save()
    return row


def test_effort_is_kept_by_its_monday_and_moves_nothing(cast):
    initiative = factories.make_mvp(cast)
    before = initiative_acts.fresh(initiative).since
    with acts() as kinds:
        row = note(
            initiative, cast.lead, words="Field mapping", waited_days=Decimal("1.5"), waits_for=cast.steward
        )
    assert kinds == ["effort noted"]
    assert row.week == this_week()
    assert row.week.weekday() == 0
    assert row.awaited == cast.steward.full_name
    assert initiative_acts.fresh(initiative).since == before


def test_a_form_sent_twice_is_one_line(cast):
    initiative, once = factories.make_initiative(cast), uuid4()
    assert note(initiative, cast.owner, once=once) == note(initiative, cast.owner, once=once)
    assert initiative.efforts.count() == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"layer": "cellar"}, "layer"),
        ({"week": date(2099, 1, 1)}, "week"),
        ({"week": date(1900, 1, 1)}, "week"),
        ({"hours": None}, "hours"),
        ({"hours": Decimal(0)}, "hours"),
        ({"hours": Decimal(-1)}, "hours"),
        ({"hours": Decimal(5000)}, "hours"),
        ({"hours": None, "waited_days": Decimal(400)}, "waited_days"),
        ({"money": Decimal(5)}, "currency"),
        ({"money": Decimal(5), "currency": "E1R"}, "currency"),
        ({"currency": "EUR"}, "money"),
        ({"waits_for_words": "the SSO team"}, "waited_days"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_writes_nothing(cast, wrong, field):
    initiative = factories.make_initiative(cast)
    with pytest.raises(ValidationError) as found:
        note(initiative, cast.owner, **wrong)
    assert field in found.value.error_dict
    assert not Effort.objects.exists()


def test_only_who_works_on_the_initiative_notes_effort(cast):
    initiative = factories.make_mvp(cast)
    for person in (cast.chair, cast.seat_risk, cast.auditor, cast.outsider):
        with pytest.raises(Refused):
            note(initiative, person)
    assert note(initiative, cast.steward).by == cast.steward


def test_what_is_taken_back_stays_and_counts_nowhere(cast):
    initiative = factories.make_mvp(cast)
    row, other = note(initiative, cast.lead), note(initiative, cast.lead, hours=Decimal(3))
    with pytest.raises(ValidationError):
        effort_actions.withdraw_effort(effort=row, reason=" ", by=cast.lead)
    with pytest.raises(Refused):
        effort_actions.withdraw_effort(effort=row, reason="Wrong.", by=cast.steward)
    with acts() as kinds:
        effort_actions.withdraw_effort(effort=row, reason="Wrong initiative.", by=cast.chair)
    assert kinds == ["effort withdrawn"]
    with pytest.raises(Conflict):
        effort_actions.withdraw_effort(effort=row, reason="Again.", by=cast.lead)
    assert effort_queries.of_initiative(initiative).all_hours == other.hours
    assert sum(r.hours for r in effort_report.by_layer(_all(cast.owner))) == other.hours
    assert initiative.efforts.count() == 2


def _all(person, **wanted):
    return effort_report.chosen(visibility.visible_to(person), Wanted(**wanted))


def test_weeks_and_layers_add_up_and_money_is_never_added_across(cast):
    initiative = factories.make_mvp(cast)
    last = clock.today() - timedelta(days=7)
    note(initiative, cast.lead, hours=Decimal("2.5"), money=Decimal(100), currency="eur")
    note(initiative, cast.lead, hours=None, money=Decimal(40), currency="USD")
    note(initiative, cast.lead, week=last, layer="policy", hours=Decimal(4))
    note(
        initiative,
        cast.lead,
        week=last,
        hours=Decimal(1),
        waited_days=Decimal(3),
        waits_for_words="the SSO team",
    )
    told = effort_queries.of_initiative(initiative)
    assert [week.first for week in told.weeks] == [monday(last), this_week()]
    assert told.weeks[0].hours == {"policy": 4, "integration": 1}
    assert told.weeks[0].all_waited == 3
    assert told.weeks[1].money == {"EUR": 100, "USD": 40}
    integration = {row.layer: row for row in told.layers}["integration"]
    assert (integration.hours, integration.waited) == (Decimal("3.5"), 3)
    assert integration.money == {"EUR": 100, "USD": 40}
    assert [(wait.words, wait.days) for wait in told.waits] == [("the SSO team", 3)]


def test_only_half_a_year_is_told_week_by_week_and_the_rest_counts_in_the_totals(cast):
    initiative = factories.make_mvp(cast)
    for back in (0, 10, 25, 26, 60):
        note(initiative, cast.lead, week=clock.today() - timedelta(weeks=back))
    told = effort_queries.of_initiative(initiative)
    assert len(told.weeks) == effort_queries.WEEKS
    assert told.before == 2
    assert told.all_hours == 10


def test_weeks_with_work_and_nothing_to_be_seen_are_found(cast):
    initiative = factories.make_initiative(cast)  # registered today, with evidence added
    for back in (0, 1, 2, 4):
        note(initiative, cast.owner, week=clock.today() - timedelta(weeks=back))
    note(initiative, cast.owner, week=clock.today() - timedelta(weeks=3), hours=None, waited_days=Decimal(5))
    shown = clock.today() - timedelta(weeks=2)
    notes.record_event(initiative=initiative, kind="demo", happened_on=shown, words="Shown.", by=cast.owner)
    notes.record_event(
        initiative=initiative,
        kind="budget_talk",
        happened_on=shown - timedelta(weeks=2),
        words="Money.",
        by=cast.owner,
    )
    told = effort_queries.of_initiative(initiative)
    unseen = {week.first for week in told.unseen}
    assert unseen == {this_week() - timedelta(weeks=1), this_week() - timedelta(weeks=4)}
    assert told.moved.at <= clock.now()
    assert told.moved.words in visible_progress.SEEN.values()


def test_the_last_visible_movement_is_what_others_notice_and_not_work_noted(cast):
    initiative = factories.make_initiative(cast)
    moved = visible_progress.newest([initiative.pk])[initiative.pk]
    later = clock.now() + timedelta(days=40)
    with clock.simulated(later):
        note(initiative, cast.owner)
        assert visible_progress.newest([initiative.pk])[initiative.pk] == moved
        gap = hold_deeds.open_gap(
            initiative=initiative_acts.fresh(initiative),
            text="Two lists.",
            owner=cast.owner,
            due=clock.today() + timedelta(days=9),
            downstream=[],
            by=cast.owner,
        )
        assert visible_progress.newest([initiative.pk])[initiative.pk] == moved
        item = initiative.evidence.filter(generated=False).first()
        hold_deeds.close_gap(gap=gap, evidence=item, by=cast.owner)
        assert visible_progress.newest([initiative.pk])[initiative.pk] == visible_progress.Move(later, "gap")


def test_a_name_becomes_a_person_or_a_system_only_where_it_is_one(cast):
    system = make_system(cast)
    found = effort_queries.named([cast.steward.full_name.upper(), "billing", "the SSO team", ""])
    assert found == {cast.steward.full_name.casefold(): cast.steward, "billing": system}
    make_system(cast, cast.steward.full_name)
    assert effort_queries.named([cast.steward.full_name]) == {}


# --- A demo that is older than the integration work (S1-15) --------------------------------------------------------


def outgrown(initiative):
    """What the page would say."""
    return visible_progress.outgrown(initiative.pk)


def test_a_demo_is_outgrown_by_effort_in_the_integration_layer_alone(cast):
    initiative = factories.make_mvp(cast)  # its evidence is of today
    assert outgrown(initiative) is None
    later = clock.now() + timedelta(days=30)
    with clock.simulated(later):
        note(initiative, cast.lead, layer="application")
        note(initiative, cast.lead, hours=None, waited_days=Decimal(3))
        assert outgrown(initiative) is None, "waiting is no work, and the application is no integration"
        row = note(initiative, cast.lead)
        assert outgrown(initiative).work == clock.today()
        assert outgrown(initiative).demo < clock.today()
        notes.record_event(
            initiative=initiative, kind="demo", happened_on=clock.today(), words="Shown again.", by=cast.lead
        )
        assert outgrown(initiative) is None, "it was shown again since"
    effort_actions.withdraw_effort(effort=row, reason="No.", by=cast.lead)


def test_a_demo_is_outgrown_by_links_and_definitions_the_initiative_rests_on(cast):
    initiative, system = factories.make_mvp(cast), make_system(cast)
    with clock.simulated(clock.now() + timedelta(days=10)):
        with acting(by=cast.lead):
            link = Link(
                initiative=initiative,
                system=system,
                pattern="feed",
                direction="reads",
                access="api",
                by=cast.lead,
                at=clock.now(),
            )
            link.save()
        assert outgrown(initiative).work == clock.today()
    with clock.simulated(clock.now() + timedelta(days=20)), acting(by=cast.lead):
        term = Term(name="customer", by=cast.lead, at=clock.now())
        term.save()
        meant = TermDefinition(
            term=term, system=system, field="customer_id", meaning="account", by=cast.lead, at=clock.now()
        )
        meant.save()
        assert outgrown(initiative).work < clock.today(), "the initiative does not use the term"
        TermUse(initiative=initiative, term=term, by=cast.lead, at=clock.now()).save()
        assert outgrown(initiative).work == clock.today()
    with clock.simulated(clock.now() + timedelta(days=25)), acting(by=cast.lead):
        link.timeout_seconds = 5
        link.save()
        assert outgrown(initiative).work == clock.today(), "a link that was changed is work"


# --- Over all initiatives
# ------------------------------------------------------------------------------------------------


def test_figures_are_of_visible_initiatives_the_unit_and_the_period(cast):
    initiative, other = factories.make_mvp(cast), factories.make_initiative(cast, title="Another")
    note(initiative, cast.lead, hours=Decimal(320))
    note(other, cast.owner, layer="policy", hours=None, money=Decimal(50), currency="EUR")
    note(initiative, cast.lead, week=clock.today() - timedelta(days=70), hours=Decimal(10))
    layers = {row.layer: row for row in effort_report.by_layer(_all(cast.owner))}
    assert layers["integration"].hours == 330
    assert layers["integration"].initiatives == 1
    assert layers["policy"].money == {"EUR": 50}
    assert layers["policy"].months == 0
    recent = effort_report.by_layer(_all(cast.owner, since=clock.today()))
    assert {row.layer: row.months for row in recent}["integration"] == 2
    assert not _all(cast.outsider).exists()
    assert not _all(cast.owner, unit=cast.elsewhere).exists()
    assert _all(cast.owner, unit=cast.unit).count() == 3
    assert _all(cast.owner, initiative=other.number).get().initiative == other
    assert _all(cast.owner, kind="money", currency="EUR").get().initiative == other


def test_who_waits_for_whom_across_initiatives_and_nothing_is_told_of_strangers(cast):
    here = factories.make_mvp(cast)
    there = factories.make_initiative(cast, title="Another")
    hidden = factories.make_initiative(cast, title="A secret")
    detail_actions.change_details(
        initiative=hidden, problem="Hush.", platform="", confidential=True, by=cast.owner
    )
    outside = factories.make_person("needed", cast.elsewhere, full_name="Needed Person")
    for initiative in (there, hidden):
        role = role_actions.propose_role(
            initiative=initiative_acts.fresh(initiative), role="technical_lead", person=outside, by=cast.owner
        )
        role_actions.accept_role(assignment=role, words="Yes.", by=outside)
    note(here, cast.lead, hours=None, waited_days=Decimal(5), waits_for=outside)
    note(here, cast.lead, hours=None, waited_days=Decimal(2), waits_for=outside)
    note(there, cast.owner, hours=None, waited_days=Decimal(4), waits_for=cast.lead)
    visible = visibility.visible_to(cast.owner)
    first, second = effort_report.between(_all(cast.owner), visible)
    assert (first.initiative, first.name, first.days) == (here, "Needed Person", 7)
    assert set(first.others) == {there, hidden}
    assert first.mutual == (there,), "both wait for somebody of the other"
    assert second.initiative == there
    assert second.days == 4
    seen = visibility.visible_to(cast.owner).filter(pk=here.pk)
    (pair,) = effort_report.between(effort_report.chosen(seen, Wanted()), seen)
    assert pair.others == ()
    assert pair.unnamed == 1, "a confidential initiative is not even counted"
    waits = effort_report.waiting(_all(cast.owner))
    assert next((row.words, row.days, row.rows) for row in waits) == ("Needed Person", 7, 2)


def test_a_redesign_without_a_cost_is_not_budgeted(cast):
    from initiatives.models import ProcessRecord

    initiative = factories.make_mvp(cast)

    def process(name, **fields):
        row = ProcessRecord(
            initiative=initiative, name=name, status="documented", by=cast.lead, at=clock.now(), **fields
        )
        with acting(by=cast.lead):
            row.save()
        return row

    steps = [{"who": "clerk", "what": "checks"}]
    blank = process("Approval", to_be=steps)
    process("Intake", to_be=steps, redesign_cost=Decimal(5000), currency="EUR")
    process("Archive", as_is=steps)
    found = effort_report.not_budgeted(visibility.visible_to(cast.owner), Wanted())
    assert (found.count, list(found.rows)) == (1, [blank])
    process("Approval", to_be=steps, redesign_cost=Decimal(1), currency="EUR", replaces=blank)
    assert effort_report.not_budgeted(visibility.visible_to(cast.owner), Wanted()).count == 0


def test_history_keeps_each_line(cast):
    initiative = factories.make_initiative(cast)
    row = note(initiative, cast.owner)
    with row_history.acting(by=cast.owner):
        assert row.history.count() == 1
