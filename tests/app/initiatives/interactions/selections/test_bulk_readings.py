"""All of a selection is read at once by one person, after a second one agreed, for seven days, each time recorded."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.urls import reverse

from governance import clock
from governance.interaction_log import keys
from governance.models import Entry, Notification
from governance.permission_result import Conflict, Refused
from initiatives.interactions import actions as log_actions
from initiatives.interactions import reminders
from initiatives.interactions.selections import actions, bulk_readings
from initiatives.interactions.selections.bulk_readings import BULK_READINGS
from initiatives.models import BulkReading
from tests.app.governance.interaction_log.test_kept import SECRET, keep, report
from tests.app.initiatives.interactions.selections.test_selecting import select
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED, text_of

pytestmark = pytest.mark.django_db

WHY = "Two hundred answers, to be compared side by side"


@pytest.fixture
def initiative(cast):
    return factories.make_mvp(cast)


@pytest.fixture
def ready(initiative, cast):
    """A selection of two interactions, asked for by the owner."""
    keep(report(1), report(2, subject="customer 5", conversation="c-5"), initiative=initiative.number)
    return actions.look(select(initiative, cast.owner).pk)


def asked(ready, by) -> BulkReading:
    return BULK_READINGS.ask(ready, reason=WHY, by=by)


def read(row, by) -> list:
    return [one for page in bulk_readings.read_all(request=row, by=by) for one in page]


def kinds() -> list[str]:
    return list(Entry.objects.filter(kind__contains="in bulk").order_by("pk").values_list("kind", flat=True))


def test_a_second_person_gives_leave_and_each_reading_is_recorded(ready, cast):
    row = asked(ready, cast.owner)
    with pytest.raises(Conflict, match="The permission was not granted"):
        read(row, cast.owner)
    row = BULK_READINGS.agree(row=row, by=cast.auditor)
    assert [one.report.input[0].text for one in read(row, cast.owner)] == [SECRET, SECRET]
    assert len(read(row, cast.owner)) == 2
    assert kinds() == [
        "reading in bulk asked for",
        "reading in bulk approved",
        "interactions read in bulk",
        "interactions read in bulk",
    ]
    assert Notification.objects.filter(
        person=cast.owner, subject="Permission to read the selection at once was granted"
    ).exists()


def test_leave_is_of_who_asked_alone(ready, cast):
    row = BULK_READINGS.agree(row=asked(ready, cast.owner), by=cast.auditor)
    for person in (cast.auditor, cast.lead, cast.seat_risk, cast.admin):
        with pytest.raises(Refused):
            read(row, person)
    assert "interactions read in bulk" not in kinds()


def test_nobody_who_asked_or_works_on_it_is_the_second_person(ready, cast):
    mine = asked(ready, cast.owner)
    for person in (cast.owner, cast.lead, cast.sponsor, cast.admin, cast.chair):
        with pytest.raises(Refused):
            BULK_READINGS.agree(row=mine, by=person)
        with pytest.raises(Refused):
            BULK_READINGS.refuse(row=mine, reason="No", by=person)
    theirs = asked(ready, cast.auditor)
    with pytest.raises(Refused):
        BULK_READINGS.agree(row=theirs, by=cast.auditor)
    assert BULK_READINGS.agree(row=theirs, by=cast.seat_risk).second == cast.seat_risk


def test_it_is_answered_once_and_a_refusal_gives_its_reason(ready, cast):
    row = asked(ready, cast.owner)
    with pytest.raises(ValidationError):
        BULK_READINGS.refuse(row=row, reason=" ", by=cast.auditor)
    BULK_READINGS.refuse(row=row, reason="Read a sample first", by=cast.auditor)
    for answer in (
        lambda: BULK_READINGS.agree(row=row, by=cast.seat_risk),
        lambda: BULK_READINGS.refuse(row=row, reason="No", by=cast.seat_risk),
    ):
        with pytest.raises(Conflict):
            answer()
    with pytest.raises(Conflict):
        read(row, cast.owner)
    assert (
        Notification.objects.get(person=cast.owner, subject__contains="refused").text == "Read a sample first"
    )
    asked(ready, cast.owner)


def test_leave_runs_out_after_seven_days_and_with_the_selection(ready, cast):
    row = BULK_READINGS.agree(row=asked(ready, cast.owner), by=cast.auditor)
    with pytest.raises(Conflict, match="already"):
        asked(ready, cast.owner)
    given = row.second_at
    with time_machine.travel(given + timedelta(days=7) - timedelta(minutes=1)):
        assert len(read(row, cast.owner)) == 2
    with time_machine.travel(given + timedelta(days=7)):
        with pytest.raises(Conflict, match="or has ended"):
            read(row, cast.owner)
        again = BULK_READINGS.agree(row=asked(ready, cast.owner), by=cast.auditor)
        actions.close_selection(selection=ready, by=cast.owner)
        with pytest.raises(Conflict):
            read(again, cast.owner)
        assert len(actions.members(ready)) == 0


def test_there_must_be_something_to_read_and_a_reason(initiative, ready, cast):
    with pytest.raises(ValidationError):
        BULK_READINGS.ask(ready, reason=" ", by=cast.owner)
    waits = select(initiative, cast.owner)
    with pytest.raises(Conflict):
        asked(waits, cast.owner)
    row = asked(ready, cast.owner)
    with pytest.raises(Conflict):
        asked(ready, cast.owner)
    actions.close_selection(selection=ready, by=cast.owner)
    with pytest.raises(Conflict, match="it has expired"):
        BULK_READINGS.agree(row=row, by=cast.auditor)


def test_the_risk_seat_and_auditors_are_told_until_it_is_answered(ready, cast):
    row = asked(ready, cast.auditor)
    due = list(reminders.bulk_readings(clock.now()))
    assert {one.person for one in due} == {cast.seat_risk}, "nobody is their own second person"
    BULK_READINGS.refuse(row=row, reason="No", by=cast.seat_risk)
    assert list(reminders.bulk_readings(clock.now())) == []


def test_the_pages_from_asking_to_the_file_and_a_line_for_what_was_erased(initiative, ready, cast, as_):
    owner, auditor = as_(cast.owner), as_(cast.auditor)
    page = reverse("bulk-readings", args=[ready.pk])
    assert page in text_of(owner.get(ready.get_absolute_url()))
    owner.post(reverse("bulk-readings", args=[ready.pk]), {"reason": WHY})
    row = BulkReading.objects.get()
    approve, file = (
        reverse("consent-answer", args=["bulk-readings", row.pk, "agree"]),
        reverse("bulk-reading-file", args=[row.pk]),
    )
    assert approve in text_of(auditor.get(page))
    assert approve not in text_of(owner.get(page))
    assert as_(cast.outsider).get(approve).status_code == 404
    assert owner.get(approve).status_code == 302
    assert owner.post(approve, SIGNED).status_code == 403
    assert auditor.post(approve, {"password": "guessed"}).status_code == 200
    assert owner.post(file).status_code == 409
    assert WHY in text_of(auditor.get(approve))
    assert auditor.post(approve, SIGNED).status_code == 302
    log_actions.erase_subject(
        initiative=initiative,
        subject="customer 5",
        everywhere=False,
        why="Asked for",
        duty="GDPR 17",
        by=cast.admin,
    )
    assert file in text_of(owner.get(page))
    answer = owner.post(file)
    assert answer["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer["Cache-Control"]
    lines = [json.loads(line) for line in answer.getvalue().decode().splitlines()]
    assert [line.get("unreadable") for line in lines] == ["erased", None]
    assert lines[1]["report"]["input"][0]["text"] == SECRET
    assert as_(cast.lead).post(file).status_code == 403
    assert owner.get(file).status_code == 405


def test_a_refusal_by_page_and_the_risk_seat_that_answers_sees_no_reference(ready, cast, as_):
    row = asked(ready, cast.owner)
    risk, page = as_(cast.seat_risk), reverse("bulk-readings", args=[ready.pk])
    assert WHY in text_of(risk.get(page))
    refuse = reverse("consent-answer", args=["bulk-readings", row.pk, "refuse"])
    assert risk.post(refuse, SIGNED | {"reason": ""}).status_code == 200
    assert risk.post(refuse, SIGNED | {"reason": "Too many"}).status_code == 302
    answered = text_of(risk.get(page))
    assert "Too many" in answered, "whoever answered looks back at what they answered"
    assert refuse not in answered
    assert "Too many" in text_of(as_(cast.owner).get(page))
    assert risk.get(ready.get_absolute_url()).status_code == 403, "and at no reference"


def test_without_the_master_the_file_is_no_file(ready, cast, as_, monkeypatch):
    row = BULK_READINGS.agree(row=asked(ready, cast.owner), by=cast.auditor)

    def gone(name):
        raise keys.NoMaster(name)

    monkeypatch.setattr(keys, "master", gone)
    answer = as_(cast.owner).post(reverse("bulk-reading-file", args=[row.pk]))
    assert answer.status_code == 409
    assert "master key" in text_of(answer)
