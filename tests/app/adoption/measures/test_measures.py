"""Measures through the acts and the real gate: declared first, moved in the open, and nothing else passes."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from adoption.demo import initiative_acts
from adoption.demo.measures import adopted
from adoption.measurements import batch_digest, evidence_figures
from adoption.measurements.actions import add_up_all, record_measurements
from adoption.measurements.measurement_validation import (
    CORRECTED,
    DIFFERS,
    KNOWN,
    NEW,
    WRONG,
    Asked,
    CoveredDays,
    Sent,
    wrong_with,
)
from adoption.measures import actions as measure_actions
from adoption.measures import overdue_measurements
from adoption.models import Measure, Measurement, Tally
from adoption.models.instruments import ASKED, INSTRUMENTS, POPULATIONS
from governance import clock
from governance.gates.requirements import states_at
from governance.models import Entry, Notification, Rulebook
from governance.notifications import due
from governance.notifications import inbox as notification_inbox
from governance.permission_result import Conflict, Refused
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.scope import actions as scope_actions
from initiatives.models import Obligation, RequirementFinding
from tests.acceptance.input.test_generated_input import examples, taken_back
from tests.support import factories

pytestmark = pytest.mark.django_db


def shown(cast):
    """An MVP for which everything is shown that production asks, its adoption by documents and by measurements."""
    return initiative_acts.fresh(factories.make_ready(cast, factories.make_mvp(cast), "production"))


def states(initiative, on=None):
    """The states of the requirements of adoption, as gates see them at a moment."""
    rulebook = Rulebook.objects.current().parsed
    found = states_at(
        supported_stage.facts_of(initiative_acts.fresh(initiative)), rulebook, on or clock.now()
    )
    return {key: found[key] for key in ASKED}


def short(initiative, on=None) -> set[str]:
    """The requirements of adoption that are not grounded."""
    return {key for key, state in states(initiative, on).items() if not state.satisfied}


def test_documents_and_measurements_together_ground_adoption(cast):
    initiative = shown(cast)
    assert short(initiative) == set()
    review = initiative_acts.pass_gate(initiative, cast.team)
    assert review.approved
    assert initiative_acts.fresh(initiative).stage == "production"


def test_documents_alone_never_do(cast):
    initiative = shown(cast)
    for row in Measure.objects.filter(initiative=initiative):
        measure_actions.close_measure(measure=row, reason="To see what holds", by=cast.owner)
    assert short(initiative) == set(ASKED)
    assert "No measure is declared" in states(initiative)["adopt.usage"].words
    assert (
        not RequirementFinding.objects.current()
        .filter(initiative=initiative, source__startswith="measure:")
        .exists()
    )
    with pytest.raises(Refused):
        initiative_acts.pass_gate(initiative, cast.team)


def test_one_instrument_of_two_is_not_enough(cast):
    initiative = shown(cast)
    row = Measure.objects.get(initiative=initiative, instrument="trust.acceptance")
    measure_actions.close_measure(measure=row, reason="To see what holds", by=cast.owner)
    assert short(initiative) == {"adopt.trust"}
    assert "Outputs that users accept unchanged" in states(initiative)["adopt.trust"].words.replace(
        "outputs", "Outputs"
    )


def test_measurements_age_though_nothing_runs(cast):
    initiative = shown(cast)
    last = clock.midnight_after(clock.today() + timedelta(days=30))
    assert "adopt.usage" not in short(initiative, last - timedelta(seconds=1))
    assert "adopt.usage" in short(initiative, last)


BAD = {
    "nothing": {},
    "few": {"n": 4},
    "wrong people": {"about": "test_users"},
    "the team itself": {"about": "project_team"},
    "chosen initiatives": {"about": "curated"},
    "a model report": {"about": "model", "n": 5000},
    "missed": {},
}


def test_nothing_but_measurements_of_real_users_in_number_passes_the_gate(cast, rounds):
    """Whatever is sent of these, for whichever requirement, the real gate says no; and documents do not help."""
    initiative = shown(cast)
    assert short(initiative) == set()
    # What a survey asks, nobody sends at all (test_survey_measurements).
    instruments = [key for key, one in INSTRUMENTS.items() if not one.value and not one.asked_by]

    @examples(rounds, 10)
    @given(st.sampled_from(instruments), st.sampled_from(sorted(BAD)))
    def tried(instrument, bad):
        with taken_back():
            how = INSTRUMENTS[instrument]
            for row in Measure.objects.filter(initiative=initiative, requirement=how.requirement):
                measure_actions.close_measure(measure=row, reason="Anew", by=cast.owner)
            for group in ASKED[how.requirement]:
                send_bad(cast, initiative, INSTRUMENTS[instrument if instrument in group else group[0]], bad)
            assert how.requirement in short(initiative), (instrument, bad)

    tried()


def send_bad(cast, initiative, how, bad: str) -> None:
    """Declare a measure with this instrument, and send what must not pass, everything else about it right."""
    target = {"down": 0.3, "up": 0.2}[how.better] if how.share else 30.0 if how.better == "down" else 5.0
    before = {"baseline": 40.0, "baseline_n": 20} if how.baseline else {}
    row = factories.make_measure(cast, initiative, how.key, target=target, words="What is counted", **before)
    said = {"n": 200} | BAD[bad]
    good = said["n"] // 10 if how.better == "down" else said["n"] * 7 // 10
    missed = said["n"] * 9 // 10 if how.better == "down" else said["n"] // 10
    figure = {"hits": missed if bad == "missed" else min(good, said["n"])}
    if not how.share:
        worse, better = (35.0, 10.0) if how.better == "down" else (1.0, 12.0)
        figure = {"hits": None, "value": worse if bad == "missed" else better, "sd": 1.0}
    for week in range(0 if bad == "nothing" else 12 if how.weekly else 1):
        end = clock.today() - timedelta(days=clock.today().weekday() + 1 + 7 * week)
        team = "Account management" if how.weekly else ""
        days = {"starts_on": end - timedelta(days=6), "ends_on": end, "team": team}
        fate = factories.make_measurement(cast, row, **days, **(said | figure))
        assert fate.good, fate


def test_training_attendance_is_refused_in_plain_words(cast):
    initiative = factories.make_mvp(cast)
    for fields in ({"words": "Staff who attended the training"}, {"instrument": "training"}):
        with pytest.raises(ValidationError, match="shows who took part"):
            factories.make_measure(cast, initiative, **fields)
    row = factories.make_measure(cast, initiative)
    fate = factories.make_measurement(cast, row, about="training")
    assert (fate.state, "shows who took part" in fate.words) == (WRONG, True)


def test_blind_acceptance_fails_the_gate(cast):
    initiative = shown(cast)
    row = Measure.objects.get(initiative=initiative, instrument="trust.overrides")
    for week in range(4):
        end = clock.today() - timedelta(days=clock.today().weekday() + 1 + 7 * week)
        factories.make_measurement(
            cast,
            row,
            starts_on=end - timedelta(days=6),
            ends_on=end,
            n=2000,
            hits=0,
            team="Account management",
            others=True,
        )
    assert short(initiative) == {"adopt.trust"}
    assert "counts against trust" in states(initiative)["adopt.trust"].words


def test_a_department_that_joins_the_scope_has_to_be_read(cast):
    initiative = shown(cast)
    scope_actions.record_scope(
        initiative=initiative, users="Two departments", departments=["Account management", "Claims"], places=["Zurich"],
        data_classes=["customer notes"], user_count=40, ends_on=clock.today() + timedelta(days=60), rollout=True,
        live_data=True, by=cast.owner,
    )  # fmt: skip
    assert "No measurement from Claims" in states(initiative)["adopt.trust"].words


# --- Declaring -------------------------------------------------------------------------------------------------------


def test_what_is_wrong_with_a_declaration_is_said_by_field(cast, initiative):
    for fields, wrong in (
        ({"target": None}, "target"),
        ({"target": 1.5}, "target"),
        ({"baseline": 0.6, "baseline_n": 20}, "target"),
        ({"baseline": 0.2}, "baseline_n"),
        ({"instrument": "burden.time", "target": 30.0}, "baseline"),
        ({"instrument": "usage.active", "intended": 3}, "intended"),
        ({"instrument": "value.share"}, "counterfactual"),
        ({"words": ""}, "words"),
        ({"population": " "}, "population"),
        ({"source": "Benchmark of the model"}, "source"),
        ({"bound": 0.9}, "bound"),
        ({"instrument": "gut feeling"}, "instrument"),
    ):
        with pytest.raises(ValidationError) as error:
            factories.make_measure(cast, initiative, **fields)
        assert wrong in error.value.error_dict, fields


def test_only_the_owner_declares_once_and_moves_it_in_the_open(cast):
    initiative, once = factories.make_mvp(cast), uuid4()
    row = factories.make_measure(cast, initiative, once=once)
    assert factories.make_measure(cast, initiative, once=once) == row
    with pytest.raises(ValidationError, match="This measure exists already"):
        factories.make_measure(cast, initiative)
    goal = {"target": 0.4, "intended": 40, "baseline": None, "baseline_n": None, "bound": None}
    with pytest.raises(Refused):
        measure_actions.move_goal(measure=row, number=1, reason="Too hard", by=cast.lead, **goal)
    with pytest.raises(ValidationError, match="Give a reason for the change"):
        measure_actions.move_goal(measure=row, number=1, reason=" ", by=cast.owner, **goal)
    assert (
        measure_actions.move_goal(measure=row, number=1, reason="Too hard", by=cast.owner, **goal).number == 2
    )
    with pytest.raises(Conflict):
        measure_actions.move_goal(measure=row, number=1, reason="Again", by=cast.owner, **goal)
    kinds = Entry.objects.acts().of_initiative(initiative.ref).values_list("kind", flat=True)
    assert {"measure declared", "goal moved"} <= set(kinds)


# --- Measurements ----------------------------------------------------------------------------------------------------


def test_a_measurement_is_there_once_in_whatever_order_and_corrections_replace(cast):
    initiative = factories.make_mvp(cast)
    row = factories.make_measure(cast, initiative)
    today = clock.today()

    def sent(key, hits, replaces="", n=100):
        return Sent(row.pk, today, today, n, key, hits=hits, replaces=replaces)

    def keep(*some):
        return [
            fate.state
            for fate in record_measurements(
                initiative=initiative, sent=list(some), came="typed", by=cast.owner
            )
        ]

    assert keep(sent("b", 5, replaces="a")) == [WRONG], "what it corrects has not come"
    assert keep(sent("a", 80), sent("a", 80), sent("a", 81)) == [NEW, KNOWN, DIFFERS]
    assert keep(sent("b", 70, replaces="a"), sent("c", 60, replaces="b")) == [CORRECTED, CORRECTED]
    assert keep(sent("b", 70, replaces="a"), sent("d", 1, replaces="a")) == [KNOWN, WRONG]
    assert [(one.n, one.hits) for one in Tally.objects.all()] == [(100, 60)]
    assert keep(sent("gone", 7, replaces="c", n=0)) == [CORRECTED]
    assert keep(sent("gone", 7, replaces="c", n=0)) == [KNOWN]
    assert not Tally.objects.exists()
    assert Measurement.objects.count() == 4


def test_any_order_and_any_repetition_leave_the_same_series(cast, rounds):
    row = factories.make_measure(cast, factories.make_mvp(cast))
    days = [clock.today() - timedelta(days=number) for number in range(4)]

    @examples(rounds, 10)
    @given(st.data())
    def tried(data):
        drawn = data.draw(st.lists(st.sampled_from(days), min_size=1, max_size=25))
        told = [
            Sent(row.pk, day, day, 10 + k, f"r{k}", hits=k % 10, others=True) for k, day in enumerate(drawn)
        ]
        sent = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=10))))
        cut = data.draw(st.integers(0, len(sent)))
        with taken_back():
            for some in (sent[:cut], sent[cut:]):
                record_measurements(initiative=row.initiative_id, sent=some, came="typed", by=cast.owner)
            wanted = dict.fromkeys(drawn, (0, 0))
            for one in told:
                n, hits = wanted[one.ends_on]
                wanted[one.ends_on] = (n + one.n, hits + one.hits)
            assert {one.day: (one.n, one.hits) for one in Tally.objects.all()} == wanted
            before = list(Tally.objects.order_by("day").values_list("day", "n", "hits", "measurements"))
            add_up_all(row)
            assert (
                list(Tally.objects.order_by("day").values_list("day", "n", "hits", "measurements")) == before
            )

    tried()


def test_what_is_wrong_with_a_measurement_is_said(cast):
    row = factories.make_measure(cast, factories.make_mvp(cast))
    for fields, words in (
        ({"n": 10, "hits": 11}, "not a share"),
        ({"n": 0}, "whole number above 0"),
        ({"ends_on": timedelta(days=3)}, "in the future"),
        ({"starts_on": timedelta(days=-800)}, "longer than a year"),
        ({"hits": None, "value": 3.0, "sd": 1.0}, "a count out of a sample size"),
        ({"about": "robots"}, "not a known group"),
        ({"about": "model_report"}, "how good its outputs are"),
        ({"key": " "}, "no key"),
    ):
        fate = factories.make_measurement(cast, row, **factories.from_today(fields))
        assert fate.state == WRONG
        assert words in fate.words


def test_days_count_once_where_periods_overlap(cast):
    row = factories.make_measure(cast, factories.make_mvp(cast))
    monday = clock.today() - timedelta(days=clock.today().weekday() + 7)

    def keep(*some, came="typed"):
        return [
            fate.state
            for fate in record_measurements(
                initiative=row.initiative_id, sent=list(some), came=came, by=cast.owner
            )
        ]

    def sent(key, first, last, n=100, **said):
        days = [monday + timedelta(days=number) for number in (first, last)]
        return Sent(row.pk, *days, n, key, hits=n // 2, **said)

    days = [sent(f"day {number}", number, number) for number in range(7)]
    assert keep(sent("week", 0, 6), *days) == [NEW] + [WRONG] * 7
    assert keep(sent("again", 0, 6), sent("testers", 0, 0, about="test_users")) == [WRONG, NEW]
    assert keep(sent("part", 0, 6, others=True)) == [NEW]
    assert keep(sent("moved", 0, 4, replaces="part")) == [WRONG], "the other part covers these days"
    assert keep(sent("recounted", 0, 6, 90, replaces="week")) == [CORRECTED], "it keeps its days"
    assert (
        keep(sent("no week", 0, 6, 0, replaces="recounted"), sent("no part", 0, 6, 0, replaces="part"), *days)
        == [CORRECTED] * 2 + [NEW] * 7
    )
    assert keep(sent("week again", 0, 6), sent("last week", -7, -1)) == [WRONG, NEW]
    assert sum(one.n for one in Tally.objects.filter(about="users")) == 800


def test_a_measurement_of_a_team_that_left_is_withdrawn(cast):
    day = clock.today()
    asked = Asked(1, "usage.new_way", "Use", True, False, ("Sales",), by_name={"sales": "Sales"})
    gone = Sent(1, day, day, 0, "k", hits=0, team="Left", replaces="a")
    assert wrong_with(gone, asked, day) is None
    assert wrong_with(replace(gone, n=5), asked, day).state == WRONG


def test_figures_of_all_teams_overlap_with_those_of_one(cast):
    row = factories.make_measure(cast, factories.make_mvp(cast))
    covered = CoveredDays()
    day = clock.today()
    kept = Measurement(measure=row, starts_on=day, ends_on=day, n=9, key="one", team="Sales", about="users")
    covered.add(kept)

    def said(team):
        other = Measurement(
            measure=row, starts_on=day - timedelta(days=1), ends_on=day, n=9, key="b", team=team
        )
        other.about = "users"
        return covered.counted_twice(other)

    assert said("Support") is None
    assert "one" in said("Sales").words
    assert said("").state == WRONG
    covered.drop(kept)
    assert said("") is None


def test_strangers_send_nothing_and_nobody_sends_to_what_ended(cast):
    initiative = factories.make_mvp(cast)
    row = factories.make_measure(cast, initiative)
    sent = [Sent(row.pk, clock.today(), clock.today(), 10, "k", hits=1)]
    with pytest.raises(Refused):
        record_measurements(initiative=initiative, sent=sent, came="typed", by=cast.seat_value)
    measure_actions.close_measure(measure=row, reason="Enough", by=cast.owner)
    assert factories.make_measurement(cast, row).state == WRONG


def test_measurements_are_sealed_and_never_change(cast):
    row = factories.make_measure(cast, factories.make_mvp(cast))
    factories.make_measurement(cast, row)
    for statement in ("UPDATE adoption_measurement SET hits = 99", "DELETE FROM adoption_measurement"):
        with pytest.raises(DatabaseError, match="keeps what was written"), transaction.atomic():
            connection.cursor().execute(statement)
    assert list(batch_digest.broken(0, "default")) == []
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE adoption_measurement DISABLE TRIGGER append_only")
        cursor.execute("UPDATE adoption_measurement SET hits = 99")
    ((words, _, _),) = batch_digest.broken(0, "default")
    assert "differ from what entry" in words


def test_figures_are_filed_by_rule_with_their_rows(cast):
    initiative = shown(cast)
    item = evidence_figures.file_figures(initiative=initiative, requirement="adopt.trust", by=cast.owner)
    assert (item.kind, item.result, item.observed_on) == ("telemetry", "pass", clock.today())
    with item.file.open() as file:
        lines = file.read().decode().splitlines()
    assert len(lines) == 1 + 18
    for row in Measure.objects.filter(initiative=initiative, requirement="adopt.explains"):
        factories.make_measurement(cast, row, n=200, hits=0, others=True)
    assert (
        evidence_figures.file_figures(
            initiative=initiative, requirement="adopt.explains", by=cast.owner
        ).result
        == "fail"
    )
    row = Measure.objects.get(initiative=initiative, instrument="usage.new_way")
    measure_actions.close_measure(measure=row, reason="Enough", by=cast.owner)
    with pytest.raises(ValidationError, match="The measures have no result yet"):
        evidence_figures.file_figures(initiative=initiative, requirement="adopt.usage", by=cast.owner)


# --- Silence ---------------------------------------------------------------------------------------------------------


def test_sixty_silent_days_are_an_obligation_that_a_measurement_completes(cast):
    initiative = factories.make_mvp(cast)
    row = factories.make_measure(cast, initiative)
    factories.make_measurement(cast, row)
    start = clock.now()
    with clock.simulated(start + timedelta(days=59)):
        assert overdue_measurements.open_silence_obligations() == []
    with clock.simulated(start + timedelta(days=61)):
        (obligation,) = overdue_measurements.open_silence_obligations()
        assert overdue_measurements.open_silence_obligations() == [], "safe to repeat"
        assert (obligation.responsible, obligation.kind) == (cast.owner, "measurement")
        assert any(line.button == "Add measurement" for line in notification_inbox.tasks_for(cast.owner))
        with pytest.raises(Refused, match="A new measurement completes this obligation"):
            hold_deeds.complete_obligation(obligation=obligation, note="Later", by=cast.owner)
    with clock.simulated(start + timedelta(days=72)):
        due.run()
        assert Notification.objects.filter(person=cast.owner, subject__contains="a new measurement").exists()
        factories.make_measurement(cast, row)
        assert not Obligation.objects.open().filter(kind="measurement").exists()
        assert overdue_measurements.open_silence_obligations() == []


def test_measurements_again_keep_production_supported(cast):
    initiative = factories.make_production(cast)
    with clock.simulated(clock.now() + timedelta(days=25)):
        adopted(initiative, cast.team)
        assert "adopt.usage" not in short(initiative, clock.now() + timedelta(days=4))


def test_every_population_but_one_is_kept_and_counts_for_nothing(cast):
    initiative = factories.make_mvp(cast)
    row = factories.make_measure(cast, initiative)
    for about in POPULATIONS:
        factories.make_measurement(cast, row, about=about, key=about)
    assert row.measurements.count() == len(POPULATIONS)
