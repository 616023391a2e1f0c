"""A report of any kind: received, told to who judges it, judged once with words, an incident or not, kept as it is."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.urls import reverse

from adoption.incidents import actions as incident_actions
from adoption.models import Report
from adoption.models.reports import INCIDENT, OVER
from adoption.reports import actions, inbox, public_link
from adoption.reports import inbox as report_inbox
from adoption.reports.report_kinds import KINDS
from governance import clock
from governance.database.row_history import acting
from governance.models import Entry, Notification
from governance.permission_result import Conflict, Refused
from tests.support import factories
from tests.support.initiatives import alerts

pytestmark = pytest.mark.django_db

# Who judges a kind and is told of it, in the cast; one of them comes first.
JUDGES = {
    "behaviour-report": ("chair", "seat_adoption"),
    "problem": ("support", "owner"),
    "draft": ("lead", "owner", "support"),
}
OUTCOMES = [(slug, one.key) for slug, kind in KINDS.items() for one in kind.outcomes]
AN_INCIDENT = {"title": "It stopped", "severity": 4}


@pytest.fixture(params=list(KINDS))
def report(request, cast) -> Report:
    """A report of each kind, in an initiative whose roles are all held."""
    return received(request.param, cast, factories.make_mvp(cast))


def received(slug: str, cast, initiative) -> Report:
    if slug == "problem":
        link = public_link.open_link(initiative=initiative, by=cast.owner)
        return public_link.report_problem(link=link, what="It invented a discount.")[0]
    if slug == "draft":
        return alerts.drafted(cast, initiative)[1].draft
    return actions.report_behaviour_report(
        initiative=initiative,
        kind="weaponised",
        group="Team North",
        words="Read out in appraisals.",
        source="seen",
        observed_on=clock.today(),
        by=cast.outsider,
    )


def judge_of(report: Report, cast):
    return getattr(cast, JUDGES[report.slug][0])


def judged(report: Report, cast, outcome: str = "answered", **more) -> Report:
    said = {"answer": "We look into it.", "by": judge_of(report, cast)} | more
    return actions.judge(report=report, outcome=outcome, **said)


def test_those_who_judge_it_are_told_and_nobody_else(cast, report):
    judges = {getattr(cast, name) for name in JUDGES[report.slug]}
    assert {row.person for row in Notification.objects.filter(kind="report")} == judges
    everybody = cast.people.values()
    waits = {
        person
        for person in everybody
        if report.get_absolute_url() in [line.link for line in report_inbox.tasks(person)]
    }
    assert waits == judges
    for person in set(everybody) - judges:
        with pytest.raises(Refused):
            judged(report, cast, by=person)
    judged(report, cast)
    assert not report_inbox.tasks(judge_of(report, cast))


def test_who_waited_too_long_is_reminded_and_the_chair_and_the_board_after_them(cast, report):
    start = clock.midnight_before(clock.today()) + timedelta(hours=9)

    def told(days: int) -> set:
        return {due.person for due in inbox.reports(start + timedelta(days=days))}

    judges = {getattr(cast, name) for name in JUDGES[report.slug]}
    first = KINDS[report.slug].days[0]
    assert told(first - 1) == set()
    assert told(first) == judges
    assert told(7) == judges | {cast.chair}
    assert told(14) >= {cast.chair, cast.seat_risk}
    judged(report, cast)
    assert told(first) == set()


def test_it_is_judged_once_and_with_words(cast, report):
    with pytest.raises(ValidationError):
        judged(report, cast, answer=" ")
    row = judged(report, cast)
    assert (row.answer, row.judged_by, row.outcome) == (
        "We look into it.",
        judge_of(report, cast),
        "answered",
    )
    with pytest.raises(Conflict, match="judged this"):
        judged(report, cast)
    with pytest.raises(Conflict):
        judged(report, cast, INCIDENT, fields=AN_INCIDENT)
    entry = Entry.objects.acts().get(kind="report judged")
    assert entry.facts["facts"] | {"title": ""} == {
        "report": report.place,
        "what": report.noun,
        "title": "",
        "became": "answered",
        "into": "",
        "words": "We look into it.",
    }


def test_it_becomes_an_incident_or_belongs_to_one_that_runs(cast, report):
    initiative = report.initiative
    row = judged(report, cast, INCIDENT, fields=AN_INCIDENT)
    assert (row.incident.title, row.incident.reported_by) == ("It stopped", judge_of(report, cast))
    assert row.state == "became an incident"
    elsewhere = incident_actions.open_incident(
        initiative=factories.make_mvp(cast, title="Other"), severity=4, title="Slow", by=cast.owner
    )
    more = received("problem", cast, initiative)
    with pytest.raises(ValidationError):
        judged(more, cast, INCIDENT, incident=elsewhere)
    assert judged(more, cast, INCIDENT, incident=row.incident).incident == row.incident
    assert initiative.incidents.count() == 1


def test_what_was_reported_and_what_became_of_it_stand_in_the_database(cast, report):
    changes = [{"initiative_id": factories.make_initiative(cast, title="Other").pk}]
    row = judged(report, cast)
    changes += [{"answer": "Other."}, {"answer": "", "judged_by": None, "judged_at": None}]
    for change in changes:
        again = type(row).objects.get(pk=row.pk)
        for name, value in change.items():
            setattr(again, name, value)
        with pytest.raises(DatabaseError, match="stays as it was written"), transaction.atomic():
            written(again, cast)
    with pytest.raises(DatabaseError, match="it is not deleted"), transaction.atomic(), acting(by=cast.owner):
        type(row).objects.filter(pk=row.pk)._raw_delete("default")  # Django refuses what others point to


def written(row: Report, cast) -> None:
    """Saved past the acts by who judged it, under the guards that stand."""
    with acting(by=row.judged_by or cast.owner):
        row.save()


def test_what_a_person_reported_is_not_worked_out_anew_and_over_stands(cast):
    row = received("behaviour_report", cast, factories.make_mvp(cast))
    row.words = "Read out twice."
    with pytest.raises(DatabaseError, match="stays as it was reported"), transaction.atomic():
        written(row, cast)
    row = judged(row, cast, OVER)
    for change in ({"ended_why": "Other."}, {"ended_at": None, "ended_why": ""}):
        again = type(row).objects.get(pk=row.pk)
        for name, value in change.items():
            setattr(again, name, value)
        with pytest.raises(DatabaseError, match="stays as it was written"), transaction.atomic():
            written(again, cast)


def test_the_database_takes_no_half_judgement(cast, report):
    row, by, now = report, judge_of(report, cast), clock.now()
    incident = incident_actions.open_incident(
        initiative=row.initiative, severity=4, title="Slow", by=cast.owner
    )
    said = {"judged_at": now, "judged_by": by, "answer": "Yes."}
    wrong = [{name: value for name, value in said.items() if name != left} for left in said]
    rule = f"a_judged_{type(row).__name__.lower()}_says_by_whom_and_what"
    for change in [*wrong, {"incident": incident}]:
        again = type(row).objects.get(pk=row.pk)
        for name, value in change.items():
            setattr(again, name, value)
        with pytest.raises(DatabaseError, match=rule), transaction.atomic():
            written(again, cast)


def test_one_list_one_page_and_one_form(cast, report, as_):
    judge = judge_of(report, cast)
    client, page = as_(judge), report.get_absolute_url()
    listed = client.get(reverse("incidents", args=[report.initiative.ref])).content.decode()
    assert page in listed
    assert report.noun in listed
    shown = client.get(page).content.decode()
    for outcome in KINDS[report.slug].outcomes:
        place = reverse("row-act", args=[report.slug, report.pk, f"judge-{outcome.key}"])
        assert place in shown
        assert client.get(place).status_code == 200
        assert "Not saved yet" in client.post(place, {"answer": ""}).content.decode()
        assert as_(cast.steward).get(place).status_code == 403
    assert "/judge-" not in as_(cast.steward).get(page).content.decode()
    incident = reverse("row-act", args=[report.slug, report.pk, f"judge-{INCIDENT}"])
    sent = {"answer": "We look into it.", "title": "It stopped", "severity": "2"}
    looked = client.post(incident, sent, confirm=False).content.decode()
    assert "Post-mortem of the incident: It stopped" in looked
    assert not report.initiative.incidents.exists()
    assert client.post(incident, sent).status_code == 302
    there = reverse("incident", args=[report.initiative.incidents.get().pk])
    assert page in client.get(there).content.decode(), "the incident leads back to what was reported"
    assert there in client.get(page).content.decode()


@pytest.mark.parametrize("outcome", ["behaviour-report", "over", "anything"])
def test_what_a_kind_does_not_become_is_no_page(cast, report, as_, outcome):
    if (report.slug, outcome) in OUTCOMES:
        return
    place = reverse("row-act", args=[report.slug, report.pk, f"judge-{outcome}"])
    assert as_(judge_of(report, cast)).get(place).status_code == 404
    with pytest.raises(Conflict):
        judged(report, cast, outcome)


def test_addresses_of_no_kind_open_nothing(cast, as_):
    client = as_(cast.owner)
    for place in ("/reports/alert/1/", "/reports/behaviour-report/999999/", "/rows/alert/1/ask-source/"):
        assert client.get(place).status_code == 404


def test_nobody_asks_who_reported_what_a_machine_did(cast, as_):
    draft = received("draft", cast, factories.make_mvp(cast))
    assert as_(cast.chair).get(reverse("row-act", args=["draft", draft.pk, "ask-source"])).status_code == 404
