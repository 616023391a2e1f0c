"""Incidents: exactly what they void and open_obligation, told before and then so; the timeline, the clocks, merging,
the clause.
"""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.urls import reverse

from adoption.demo import initiative_acts
from adoption.edge_clauses import actions as edge_clause_actions
from adoption.edge_clauses import clause_drafts
from adoption.incidents import actions as incident_actions
from adoption.incidents import inbox as incident_inbox
from adoption.incidents import incident_metrics, merging, reporting_clocks, runbook
from adoption.incidents import permissions as incident_permissions
from adoption.incidents import views as incident_views
from adoption.incidents.reporting_duties import TEMPLATES
from adoption.models import Deadline, Incident, IncidentLine, ReportingDuty
from governance import clock
from governance.database.row_history import acting
from governance.models import Entry, Notification, Rulebook
from governance.permission_result import Conflict, Refused
from governance.templatetags.plumbline import day
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.holds import dependant_deeds
from initiatives.lifecycle.initiative.rehearsal import rehearse
from initiatives.models import Voiding
from initiatives.portfolio.units import leaving
from tests.acceptance.walks import story
from tests.support import factories
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db


@pytest.fixture
@snapshots.kept
def initiative(cast):
    """An MVP that is ready for production: everything its two gates ask for is shown."""
    return factories.make_ready(cast, factories.make_mvp(cast), "production")


def opened(initiative, by, **fields) -> Incident:
    fields = {"severity": 2, "title": "It invented discounts", "started_at": clock.now()} | fields
    return incident_actions.open_incident(initiative=initiative, by=by, **fields)


def listing(rulebook) -> set[str]:
    return {key for key, asked in rulebook.requirements.items() if "incident" in asked.triggers}


def covered(initiative, keys) -> set[tuple[int, str]]:
    """The pairs of current evidence and requirement, for these."""
    return {
        (item.pk, cover.requirement)
        for item in initiative.evidence.filter(withdrawn_at__isnull=True).prefetch_related("coverage")
        for cover in item.coverage.all()
        if cover.requirement in keys
    }


def voided(initiative) -> set[tuple[int, str]]:
    rows = Voiding.objects.filter(evidence__initiative=initiative, trigger="incident")
    return set(rows.values_list("evidence", "requirement"))


# --- What a severity brings ------------------------------------------------------------------------------------------


def test_it_voids_exactly_what_lists_it_and_must_give_a_post_mortem(cast, initiative):
    rulebook = Rulebook.objects.current().parsed
    assert len(listing(rulebook)) >= 4
    frozen = {
        key
        for keys in [rulebook.carry.frozen.get("prototype", ()), rulebook.carry.frozen.get("mvp", ())]
        for key in keys
    }
    expected = covered(initiative, listing(rulebook) - frozen)
    assert {key for _, key in expected} >= {"adopt.trust"}
    before = initiative.spans.covering(clock.now()).get().supported
    row = opened(initiative, cast.support)
    assert voided(initiative) == expected, "exactly the pairs whose requirement lists it"
    for key in {key for _, key in expected}:
        assert not story.state(initiative, key).satisfied, key
        assert "It invented discounts" in story.state(initiative, key).words
    assert story.state(initiative, "prod.performance").satisfied, "what does not list it stands"
    assert initiative.spans.covering(clock.now()).get().supported != before or before == "mvp", (
        "the supported stage is rewritten"
    )
    obligation = initiative.obligations.get(kind="post_mortem")
    days = rulebook.freshness.post_mortem_due_days
    assert (obligation.responsible, obligation.due, obligation.source) == (
        cast.owner,
        clock.today() + timedelta(days=days),
        f"incident:{row.pk}",
    )


def test_of_severity_3_nothing_is_voided_and_nothing_is_due(cast, initiative):
    for severity in (3, 4):
        opened(
            initiative,
            cast.owner,
            severity=severity,
            seen=list(initiative.incidents.values_list("pk", flat=True)),
        )
    assert not voided(initiative)
    assert not initiative.obligations.filter(kind="post_mortem").exists()
    assert not Notification.objects.filter(kind="incident upstream").exists()


def test_evidence_that_speaks_of_other_systems_stands(cast, initiative):
    link = factories.make_link(cast, initiative)
    other = factories.make_link(cast, initiative, factories.make_system(cast, name="Price list"))
    about = {
        name: initiative_acts.ground(initiative, "adopt.trust", cast.team, title=name, names=names)
        for name, names in (("ledger", [link.system]), ("prices", [other.system]), ("all", []))
    }
    opened(initiative, cast.owner, systems=[link.system])
    ended = {pk for pk, key in voided(initiative) if key == "adopt.trust"}
    assert about["ledger"].pk in ended
    assert about["all"].pk in ended, "what names no system is touched by every incident"
    assert about["prices"].pk not in ended
    row = Incident.objects.get()
    incident_actions.amend(incident=row, systems=[other.system], by=cast.owner)
    assert about["prices"].pk in {pk for pk, _ in voided(initiative)}, "it lay there too"
    with pytest.raises(ValidationError):
        incident_actions.amend(
            incident=row, systems=[factories.make_system(cast, name="Not linked")], by=cast.owner
        )


def test_what_is_told_before_is_what_then_happens(cast, initiative, as_):
    dependant_deeds.add_dependant(
        initiative=initiative, who="Invoicing", process="Credit notes", for_what="Discounts", bearable_outage_hours=4,
        executive=cast.sponsor, by=cast.owner,
    )  # fmt: skip
    fields = {"severity": 1, "title": "It invented discounts"}
    count = Entry.objects.count()
    told = rehearse(
        lambda: incident_actions.open_incident(initiative=initiative, by=cast.owner, **fields),
        by=cast.owner,
        initiative=initiative,
    )
    assert Entry.objects.count() == count, "a look leaves nothing"
    assert not Incident.objects.exists()
    opened(initiative, cast.owner, **fields)
    ended = voided(initiative)
    obligation = initiative.obligations.get(kind="post_mortem")
    assert f"Due from Marta Lindqvist by {day(obligation.due)}: {obligation.text}." in told
    titles = {row.title for row in initiative.evidence.filter(pk__in=[pk for pk, _ in ended])}
    counted = next(line for line in told if line.startswith("Evidence that no longer counts"))
    assert all(title in counted for title in titles)
    assert "Notified at once: Invoicing." in told
    assert "The whole board is notified at once." in told
    unmet = [line for line in told if "no longer met" in line or "No longer met" in line]
    assert unmet
    assert Incident.objects.count() == 1, "to rehearse is not to open"


def test_who_is_told_at_once(cast, initiative):
    dependant_deeds.add_dependant(
        initiative=initiative, who="Invoicing", process="Credit notes", for_what="Discounts", bearable_outage_hours=4,
        executive=cast.sponsor, by=cast.owner,
    )  # fmt: skip

    def told(kind):
        return set(Notification.objects.filter(kind=kind).values_list("person__login", flat=True))

    row = opened(initiative, cast.support)
    assert told("incident upstream") == {"sponsor"}
    assert told("incident") == {"owner", "lead"}, "whoever opened it knows"
    incident_actions.correct_severity(
        incident=row, severity=1, reason="A customer was harmed.", by=cast.owner
    )
    assert told("incident") >= {"chair", "deputy-chair", *factories.SEAT_LOGINS.values()}
    assert len(voided(initiative)) == len(covered(initiative, {key for _, key in voided(initiative)})), (
        "voided once"
    )
    assert initiative.obligations.filter(kind="post_mortem").count() == 1


def test_raising_opens_the_obligation_and_lowering_takes_nothing_back(cast, initiative):
    row = opened(initiative, cast.owner, severity=3)
    assert rehearse(
        lambda: incident_actions.correct_severity(incident=row, severity=2, reason="x", by=cast.owner),
        by=cast.owner,
        initiative=initiative,
    )
    incident_actions.correct_severity(
        incident=row, severity=2, reason="Results reached customers.", by=cast.owner
    )
    ended = voided(initiative)
    assert ended
    obligation = initiative.obligations.get(kind="post_mortem")
    incident_actions.correct_severity(incident=row, severity=4, reason="Nobody was affected.", by=cast.owner)
    assert voided(initiative) == ended
    obligation.refresh_from_db()
    assert obligation.completed_at is None, "lowering drops nothing"
    assert not Entry.objects.acts().filter(kind="board told").exists(), "and alarms nobody"
    with pytest.raises(Conflict):
        incident_actions.correct_severity(incident=row, severity=4, reason="Again.", by=cast.owner)
    with pytest.raises(Refused):
        incident_actions.correct_severity(incident=row, severity=1, reason="Worse.", by=cast.steward)


def test_the_obligation_stays_with_the_owner_of_that_day(cast, initiative):
    opened(initiative, cast.owner)
    leaving.deactivate(person=cast.owner, reason="left", by=cast.admin)
    assert initiative.obligations.get(kind="post_mortem").responsible == cast.owner


# --- While it happens ------------------------------------------------------------------------------------------------


def test_who_opens_one_and_two_who_open_the_same(cast, initiative, as_):
    for person in (cast.owner, cast.support, cast.seat_risk, cast.chair):
        assert incident_permissions.may_open(initiative, person)
    for person in (cast.admin, cast.auditor, cast.outsider):
        with pytest.raises(Refused):
            opened(initiative, person)
    first = opened(initiative, cast.owner)
    with pytest.raises(Conflict) as other:
        opened(initiative, cast.support)
    assert "Marta Lindqvist opened “It invented discounts”" in str(other.value)
    page = as_(cast.support).post(
        reverse("initiative-act", args=[initiative.ref, "open-incident"]),
        {"title": "<b>Mine</b>", "severity": "3", "seen": ""},
    )
    assert Incident.objects.get() == first
    assert "&lt;b&gt;Mine&lt;/b&gt;" in page.content.decode(), "nothing typed is lost, and words stay words"
    assert opened(initiative, cast.support, seen=[first.pk]).pk != first.pk, "another one is another one"


def test_a_title_and_a_severity_are_enough(cast, initiative, as_):
    response = as_(cast.support).post(
        reverse("initiative-act", args=[initiative.ref, "open-incident"]),
        {"title": "It is down", "severity": "2", "step": "save"},
    )
    row = Incident.objects.get()
    assert response["Location"] == reverse("incident", args=[row.pk])
    page = as_(cast.owner).get(reverse("incident", args=[row.pk])).content.decode()
    for words in (
        "If the system does harm, switch it off",
        "Judge whether the incident must be reported",
        "Name the person who leads the response",
        "Clause ",
    ):
        assert words in page
    assert "Open the kill switch" in page
    assert runbook.steps(row, cast.owner)


def test_the_timeline_is_only_added_to_and_late_lines_say_so(cast, initiative):
    row = opened(initiative, cast.owner)
    line = incident_actions.write_line(incident=row, words="Switched off.", by=cast.lead)
    late = incident_actions.write_line(
        incident=row, words="A user called.", happened_at=clock.now() - timedelta(hours=1), by=cast.lead
    )
    assert (line.late, late.late) == (False, True)
    with pytest.raises(ValidationError):
        incident_actions.write_line(
            incident=row, words="Soon.", happened_at=clock.now() + timedelta(minutes=1), by=cast.lead
        )
    with pytest.raises(Refused):
        incident_actions.write_line(incident=row, words="Hm.", by=cast.outsider)
    incident_actions.take_part(incident=row, role="speaker", person=cast.outsider, by=cast.owner)
    incident_actions.write_line(incident=row, words="Customers were told.", by=cast.outsider)
    with (
        pytest.raises(DatabaseError),
        transaction.atomic(),
        acting(by=cast.owner),
    ):
        IncidentLine.objects.filter(pk=line.pk).update(words="Nothing happened.")


def test_how_it_ends_and_comes_back(cast, initiative):
    start = clock.now() - timedelta(hours=3)
    row = opened(initiative, cast.owner, started_at=start, detected_at=start + timedelta(hours=1))
    with pytest.raises(ValidationError):
        incident_actions.move_on(
            incident=row, state="resolved", at=start - timedelta(minutes=1), by=cast.owner
        )
    at = start + timedelta(hours=1)
    incident_actions.move_on(incident=row, state="contained", at=at, words="Switched off.", by=cast.support)
    with pytest.raises(Refused) as not_yet:
        incident_actions.close(incident=row, words="Done.", by=cast.owner)
    assert "not resolved" in str(not_yet.value)
    incident_actions.move_on(incident=row, state="resolved", at=start + timedelta(hours=2), by=cast.support)
    with pytest.raises(Refused) as unjudged:
        incident_actions.close(incident=row, words="Done.", by=cast.owner)
    assert "must be reported to an authority" in str(unjudged.value)
    reporting_clocks.judge_no_duty(
        incident=row, reason="Not a high-risk system, says Ines Okafor.", by=cast.owner
    )
    row = incident_actions.close(incident=row, words="A price list was out of date.", by=cast.owner)
    found = incident_metrics.means(initiative.incidents.all())
    assert (found.to_detect, found.to_resolve) == (timedelta(hours=1), timedelta(hours=2))
    assert initiative.obligations.open().filter(kind="post_mortem").exists(), "closing completes nothing"
    row = incident_actions.reopen(incident=row, reason="It came back.", by=cast.owner)
    assert (row.state, row.resolved_at, row.closed_at) == ("open", None, None)


def test_merged_into_the_older_one_nothing_is_dropped(cast, initiative):
    with time_machine.travel(datetime(2026, 11, 2, 9, tzinfo=UTC), tick=False):
        older = opened(initiative, cast.owner, severity=3, title="Strange prices")
    with time_machine.travel(datetime(2026, 11, 4, 9, tzinfo=UTC), tick=False):
        reporting_clocks.lay_out_duties(by=cast.admin)
        newer = opened(initiative, cast.support, severity=1, seen=[older.pk])
        duty = ReportingDuty.objects.get(days=2)
        reporting_clocks.start_clock(incident=newer, duty=duty, by=cast.support)
    kept = initiative.obligations.get(kind="post_mortem")
    with time_machine.travel(datetime(2026, 11, 9, 9, tzinfo=UTC), tick=False):
        with pytest.raises(ValidationError):
            merging.merge(incident=older, into=newer, reason="Same.", by=cast.owner)
        merging.merge(incident=newer, into=older, reason="One price list.", by=cast.owner)
        older = incident_actions.read(older)
        assert older.severity == 1
        obligation = initiative.obligations.open().get(kind="post_mortem")
        assert obligation == kept, "due once, by the earlier day"
        assert Deadline.objects.get(met_at__isnull=True).incident == older
        assert Deadline.objects.get(met_at__isnull=True).due == date(2026, 11, 6)
        with pytest.raises(Refused):
            incident_actions.reopen(incident=newer, reason="No.", by=cast.owner)


def test_a_running_incident_merged_into_a_resolved_one_stays_open_and_loses_nothing(cast, initiative):
    with time_machine.travel(datetime(2026, 11, 2, 9, tzinfo=UTC), tick=False):
        older = opened(initiative, cast.owner, severity=3, affected_count=2, affected_words="Clerks")
        older = incident_actions.take_part(incident=older, role="scribe", by=cast.owner)
    with time_machine.travel(datetime(2026, 11, 3, 9, tzinfo=UTC), tick=False):
        older = incident_actions.move_on(incident=older, state="resolved", by=cast.owner)
    with time_machine.travel(datetime(2026, 11, 4, 9, tzinfo=UTC), tick=False):
        reporting_clocks.lay_out_duties(by=cast.admin)
        first = opened(
            initiative, cast.support, severity=3, title="First", affected_count=40, affected_words="Customers",
            fallback="failed", wrong_output=True, words="Letters were wrong.",
        )  # fmt: skip
        incident_actions.write_line(incident=first, words="Letters stopped.", by=cast.support)
        second = opened(initiative, cast.support, severity=3, title="Second", seen=[first.pk])
        incident_actions.write_line(incident=second, words="A second batch.", by=cast.support)
        incident_actions.take_part(incident=first, role="lead", by=cast.lead)
        duty = ReportingDuty.objects.get(days=2)
        deadline = reporting_clocks.start_clock(incident=first, duty=duty, by=cast.support)
        reporting_clocks.meet_deadline(deadline=deadline, words="Authority, 12.", by=cast.support)
        merging.merge(incident=second, into=first, reason="One batch.", by=cast.owner)
        merging.merge(incident=first, into=older, reason="One price list.", by=cast.owner)
    row = incident_actions.read(older)
    assert (row.state, row.contained_at, row.resolved_at) == ("open", None, None)
    assert (row.affected_count, row.affected_words) == (40, "Clerks; Customers")
    assert (row.lead, row.scribe, row.fallback, row.wrong_output) == (cast.lead, cast.owner, "failed", True)
    assert {other.title for other in row.merged.all()} == {"First", "Second"}
    assert [one.met_words for one in row.all_deadlines] == ["Authority, 12."]
    said = [event["words"] for event in incident_views._events(row)]
    assert {"Letters stopped.", "A second batch."} <= {*said}
    assert any("Letters were wrong." in words for words in said)
    entry = Entry.objects.acts().filter(kind="incident reopened").get()
    assert entry.facts["facts"]["incident"] == row.pk


@pytest.mark.parametrize(
    ("states", "left"),
    [(("contained", ""), "open"), (("resolved", "contained"), "contained"), (("", "resolved"), "open")],
)
def test_what_is_merged_is_over_when_both_are(cast, initiative, states, left):
    rows = [opened(initiative, cast.owner, title="One")]
    rows.append(opened(initiative, cast.owner, title="Other", seen=[rows[0].pk]))
    for row, state in zip(rows, states, strict=True):
        if state:
            incident_actions.move_on(incident=row, state=state, by=cast.owner)
    merging.merge(incident=rows[1], into=rows[0], reason="Same.", by=cast.owner)
    assert incident_actions.read(rows[0]).state == left


def test_a_reopened_incident_has_its_own_time_and_its_consequences_again(cast, initiative):
    def due_at(moment):
        with time_machine.travel(moment, tick=False):
            dues = list(incident_inbox.incidents(moment))
            return {(due.object_key, due.period) for due in dues}

    with time_machine.travel(datetime(2027, 1, 2, 9, tzinfo=UTC), tick=False):
        row = opened(initiative, cast.owner, severity=1)
        ended = voided(initiative)
        incident_actions.move_on(incident=row, state="resolved", by=cast.owner)
    before = due_at(datetime(2027, 1, 20, 9, tzinfo=UTC))
    assert (row.source, "board14d") in before
    obligation = initiative.obligations.get(kind="post_mortem")
    with time_machine.travel(datetime(2027, 1, 20, 9, tzinfo=UTC), tick=False):
        factories.make_written(obligation, by=cast.owner, confirmed_by=cast.seat_adoption)
        key = sorted(key for _, key in ended)[0]
        (item, *_) = [pk for pk, one in ended if one == key]
        old = initiative.evidence.get(pk=item)
        new = evidence_actions.create_evidence
        with acting(by=cast.owner, reason="Renewed"):
            renewed = new(
                initiative, kind=old.kind, title="After", observed_on=clock.today(), covers=[key], by=cast.owner,
                note="After the incident.", result=old.result, condition=old.condition, details=old.details,
            )  # fmt: skip
    with time_machine.travel(datetime(2027, 2, 20, 9, tzinfo=UTC), tick=False):
        incident_actions.reopen(incident=row, reason="It came back.", by=cast.owner)
        assert (renewed.pk, key) in voided(initiative)
        again = initiative.obligations.open().get(kind="post_mortem")
        assert again != obligation
    assert due_at(datetime(2027, 2, 20, 10, tzinfo=UTC)) == set()
    later = due_at(datetime(2027, 3, 9, 9, tzinfo=UTC))
    assert {period for _, period in later} == {"after7d", "board14d"}
    assert not later & before, "nothing that was sent already"


def test_moments_out_of_order_are_refused_at_their_field(cast, initiative):
    start = clock.now() - timedelta(hours=6)
    row = opened(initiative, cast.owner, started_at=start, detected_at=start)
    hours = [start + timedelta(hours=one) for one in range(6)]
    incident_actions.move_on(incident=row, state="contained", at=hours[3], by=cast.owner)
    with pytest.raises(ValidationError) as early:
        incident_actions.move_on(incident=row, state="resolved", at=hours[2], by=cast.owner)
    assert set(early.value.message_dict) == {"at"}
    for name, state in (("contained", None), ("resolved", hours[4])):
        if state:
            incident_actions.move_on(incident=row, state=name, at=state, by=cast.owner)
        with pytest.raises(ValidationError) as late:
            incident_actions.amend(incident=row, started_at=hours[5], detected_at=hours[5], by=cast.owner)
        assert set(late.value.message_dict) == {"started_at"}
    wrong = Incident.objects.get(pk=row.pk)
    wrong.resolved_at = hours[2]
    with pytest.raises(IntegrityError), transaction.atomic(), acting(by=cast.owner):
        wrong.save()


# --- Clocks ----------------------------------------------------------------------------------------------------------


def test_clocks_count_days_to_their_local_end(cast, initiative, settings):
    assert [(one.days, "Article 73" in one.source) for one in TEMPLATES] == [
        (2, True),
        (10, True),
        (15, True),
    ]
    with pytest.raises(Refused):
        reporting_clocks.lay_out_duties(by=cast.owner)
    assert len(reporting_clocks.lay_out_duties(by=cast.admin)) == 3
    assert reporting_clocks.lay_out_duties(by=cast.admin) == [], "once is enough"
    row = opened(initiative, cast.owner, severity=1)
    duty = ReportingDuty.objects.get(days=15)
    found = reporting_clocks.start_clock(incident=row, duty=duty, by=cast.owner)
    assert found.due == clock.today() + timedelta(days=15)
    with pytest.raises(Conflict):
        reporting_clocks.start_clock(incident=row, duty=duty, by=cast.owner)
    with acting(by=cast.admin):
        duty.days, duty.in_use = 1, False
        duty.save()
    found.refresh_from_db()
    assert found.due == clock.today() + timedelta(days=15), "a running clock keeps the words it began with"

    def told(moment):
        return {(due.person.login, due.period) for due in incident_inbox.deadlines(moment)}

    last = clock.midnight_after(found.due)
    assert ("owner", "0d") in told(last - timedelta(seconds=1)), "the last day counts to its end"
    assert ("owner", "late0") in told(last)
    assert told(clock.now()) == set()
    assert ("owner", "7d") in told(clock.midnight_before(found.due) - timedelta(days=6))
    assert [line.due for line in incident_inbox.tasks(cast.owner) if line.verb == "complete"] == [found.due]
    reporting_clocks.meet_deadline(deadline=found, words="To the authority, no. 7.", by=cast.owner)
    with pytest.raises(Conflict):
        reporting_clocks.meet_deadline(deadline=found, words="Again.", by=cast.owner)
    assert told(last) == set()


def test_the_database_keeps_the_order_of_moments(cast, initiative):
    row = opened(initiative, cast.owner)
    for name, value in {
        "detected_at": row.started_at - timedelta(seconds=1),
        "severity": 5,
        "state": "resolved",
        "merged_into": row,
    }.items():
        wrong = Incident.objects.get(pk=row.pk)
        setattr(wrong, name, value)
        with pytest.raises(IntegrityError), transaction.atomic(), acting(by=cast.owner):
            wrong.save()


# --- What it teaches -------------------------------------------------------------------------------------------------


def test_the_drafted_clause_is_taken_over_with_one_press(cast, initiative, as_):
    row = opened(initiative, cast.owner, words="The ledger was unreachable and it went on.", title="Went on")
    assert clause_drafts.failure_of(row) == "source_unavailable"
    sent = {"failure": "unexpected_input"}
    url = reverse("row-act", args=["incidents", row.pk, "clause"])
    assert as_(cast.lead).post(url, sent).status_code == 403
    response = as_(cast.owner).post(url, sent)
    assert response.status_code == 302, response.content.decode()[:2000]
    row = incident_actions.read(row)
    draft = story.fresh(initiative).contract.versions.get(state="draft")
    assert row.clause_number in draft.clauses.values_list("number", flat=True)
    with pytest.raises(Conflict):
        edge_clause_actions.take_over_clause(incident=row, by=cast.owner)


def test_open_incidents_are_a_report_of_the_portfolio(cast, initiative, as_):
    place = f"{reverse('portfolio')}?report=open-incidents"
    assert initiative.ref not in as_(cast.chair).get(place).content.decode()
    row = opened(initiative, cast.owner, severity=4)
    assert initiative.ref in as_(cast.chair).get(place).content.decode()
    incident_actions.move_on(incident=row, state="resolved", by=cast.owner)
    incident_actions.close(incident=row, words="A typing error.", by=cast.owner)
    assert initiative.ref not in as_(cast.chair).get(place).content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_open_the_same_at_the_same_moment(cast):
    initiative = factories.make_prototype(cast)
    gate, came = threading.Barrier(2), []

    def contend(person):
        try:
            gate.wait()
            came.append(opened(initiative, person, severity=4))
        except Conflict as lost:
            came.append(lost)
        finally:
            connection.close()

    threads = [threading.Thread(target=contend, args=[who]) for who in (cast.owner, cast.chair)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Incident.objects.count() == 1
    assert sorted(type(one).__name__ for one in came) == ["Conflict", "Incident"]
