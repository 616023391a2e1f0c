"""Problems that users report by a public link: without a name, in two languages, slowed down, treated and answered."""

import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from adoption import tasks as adoption_tasks
from adoption.incidents import actions as incident_actions
from adoption.incidents import desk as incident_desk
from adoption.incidents import reminders as incident_reminders
from adoption.models import Incident, ProblemLink, ProblemReport, SealedSource, Signal
from adoption.signals import actions as signal_actions
from adoption.user_reports import actions as user_report_actions
from adoption.user_reports import public_views
from governance import clock
from governance.models import Entry, Notice
from governance.permission_result import Conflict, Refused
from governance.privacy import retention
from initiatives.roles import actions as role_actions
from tests.app.adoption.signals.test_signals import rows_of_all_tables
from tests.support import factories
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db


@pytest.fixture
@snapshots.kept
def link(cast) -> ProblemLink:
    """The public link of a prototype that has a support owner."""
    case = factories.make_prototype(cast)
    asked = role_actions.propose_role(case=case, role="support_owner", person=cast.support, by=cast.owner)
    role_actions.accept_role(assignment=asked, by=cast.support)
    return user_report_actions.open_link(case=case, by=cast.owner)


def report(link, **changed) -> ProblemReport:
    row, _ = user_report_actions.report_problem(link=link, **({"what": "It invented a discount."} | changed))
    return row


def test_from_the_link_to_the_answer(cast, link, as_):
    anybody, place = Client(), reverse("report-problem", args=[link.token])
    page = anybody.get(place, headers={"accept-language": "de-DE,de;q=0.9"})
    assert "Ein Problem mit dieser KI melden" in page.content.decode()
    assert not page.cookies
    assert page["Cache-Control"] == "no-store"
    assert "Report a problem with this AI" in anybody.get(f"{place}?lang=en").content.decode()
    key = re.search(r'name="key" value="([^"]+)"', page.content.decode())[1]
    sent = {
        "what": "<script>alert(1)</script>",
        "output": "=cmd()",
        "harm": "person",
        "contact": "room 4711, Quillfeather",
        "key": key,
        "happened_on": clock.today().isoformat(),
    }
    before = rows_of_all_tables()
    first = anybody.post(f"{place}?lang=de", sent)
    again = anybody.post(f"{place}?lang=de", sent)
    assert first["Location"] == again["Location"], "sent twice is one report with one link"
    row = ProblemReport.objects.get()
    for table, rows in rows_of_all_tables().items():
        for text in rows - before[table]:
            assert "Quillfeather" not in text, table
            assert key not in text, f"{table}: whoever reads it could read the answer"
            assert "127.0.0.1" not in text, f"{table}: no address in the network is kept"
    assert {line.text for line in incident_desk.lines(cast.support)} == {
        "A user reported a problem: Customer summary assistant"
    }
    told = set(Notice.objects.filter(kind="problem").values_list("person__login", flat=True))
    assert told == {"owner", "support"}
    shown = as_(cast.support).get(reverse("problem", args=[row.pk])).content.decode()
    assert "&lt;script&gt;" in shown
    assert "Quillfeather" not in shown
    for other in (cast.chair, cast.admin):
        with pytest.raises(Refused):
            user_report_actions.answer_problem(problem=row, answer="Thanks.", by=other)
    with pytest.raises(ValidationError):
        user_report_actions.answer_problem(problem=row, answer=" ", by=cast.support)
    user_report_actions.answer_problem(problem=row, answer="Mended on Monday.", by=cast.support)
    with pytest.raises(Conflict):
        user_report_actions.answer_problem(problem=row, answer="Thanks.", by=cast.owner)
    answered = anybody.get(first["Location"]).content.decode()
    assert "Mended on Monday." in answered
    assert "Die Antwort" in answered
    assert "<script>alert" not in answered
    assert not incident_desk.lines(cast.support)


def test_how_to_reach_whoever_reported_it_is_the_chairs_by_an_act(cast, link, as_):
    anybody = Client()
    row, key = user_report_actions.report_problem(link=link, what="It was rude.", contact="room 4711")
    for other in (cast.owner, cast.support, cast.admin, cast.auditor):
        with pytest.raises(Refused):
            signal_actions.ask_source(about=row, reason="Who?", by=other)
    page = as_(cast.chair).post(reverse("problem-ask", args=[row.pk]), {"reason": "To apologise."})
    assert "room 4711" in page.content.decode()
    told = anybody.get(reverse("reported-problem", args=[key])).content.decode()
    assert "Elena Novak, who chairs the board, asked how to reach you: To apologise." in told
    assert "room 4711" not in str(Entry.objects.acts().get(kind="asked who reported").facts)
    made = user_report_actions.make_signal(
        problem=row, kind="weaponised", group="Service", extent="unknown", answer="Seen.", by=cast.support
    )
    assert signal_actions.ask_source(about=made, reason="To apologise.", by=cast.chair) == "room 4711"


def test_a_contact_is_deleted_ninety_days_after_the_answer_unless_the_case_is_held(cast, link):
    answered, waiting = (
        user_report_actions.report_problem(link=link, what=what, contact="room 4711")[0]
        for what in ("It lied.", "Slow.")
    )
    user_report_actions.answer_problem(problem=answered, answer="Mended.", by=cast.support)
    person = signal_actions.report_signal(
        case=link.initiative,
        kind="ignored",
        group="Service",
        extent="most",
        words="Nobody opens it.",
        source="seen",
        observed_on=clock.today(),
        by=cast.lead,
    )
    hold = retention.open_hold(case_ref=link.initiative.ref, reason="An inquiry", by=cast.auditor)
    with clock.simulated(clock.now() + timedelta(days=90)):
        assert user_report_actions.forget_contacts() == 0, "the case is held"
    retention.lift_hold(hold=hold, reason="It is over", by=cast.auditor)
    with clock.simulated(clock.now() + timedelta(days=89)):
        assert user_report_actions.forget_contacts() == 0
        assert signal_actions.ask_source(about=answered, reason="To thank.", by=cast.chair) == "room 4711"
    with clock.simulated(clock.now() + timedelta(days=90)):
        adoption_tasks.forget_contacts()
        assert signal_actions.ask_source(about=answered, reason="To thank.", by=cast.chair) == ""
        assert signal_actions.ask_source(about=waiting, reason="To ask.", by=cast.chair) == "room 4711"
        assert set(SealedSource.objects.values_list("signal", flat=True)) == {None, person.pk}


def test_a_report_becomes_a_signal_or_an_incident(cast, link, as_):
    case = link.initiative
    one, two, three = report(link), report(link), report(link)
    client = as_(cast.support)
    client.post(
        reverse("problem-signal", args=[one.pk]),
        {"kind": "worked_around", "group": "Service", "extent": "most", "answer": "It is before the board."},
    )
    one.refresh_from_db()
    assert (one.state, one.signal.words, one.signal.source) == (
        "signal",
        "It invented a discount.",
        "problem",
    )
    assert signal_actions.ask_source(about=one.signal, reason="Who?", by=cast.chair) == "", "nothing was left"
    client.post(
        reverse("problem-incident", args=[two.pk]),
        {"title": "Discounts", "severity": "2", "wrong_output": "on", "answer": "We look into it."},
    )
    two.refresh_from_db()
    assert two.incident.severity == 2
    assert case.obligations.filter(source=two.incident.source).exists(), "as any incident of that severity"
    client.post(
        reverse("problem-incident", args=[three.pk]),
        {"incident": two.incident_id, "answer": "Known; see there."},
    )
    three.refresh_from_db()
    assert three.incident == two.incident
    assert Incident.objects.count() == Signal.objects.count() == 1
    assert as_(cast.support).get(reverse("incident", args=[two.incident_id])).status_code == 200
    wrong = client.post(reverse("problem-incident", args=[report(link).pk]), {"answer": "Hm."})
    assert wrong.status_code == 422
    assert incident_actions.read(two.incident).reported_by == cast.support


def test_what_making_an_incident_brings_is_told_first_and_nothing_done(cast, link, as_):
    row, client = report(link), as_(cast.owner)
    address = reverse("problem-incident", args=[row.pk])
    page = client.get(address).content.decode()
    assert "a new incident" not in page, "nothing to choose from while none runs"
    typed = {"title": "Discounts.", "severity": "2", "answer": "We look into it."}
    page = client.post(address, typed | {"step": "look"}).content.decode()
    assert "Post-mortem of the incident: Discounts.<" in page
    assert not Incident.objects.exists()
    row.refresh_from_db()
    assert row.state == "waiting"
    client.post(address, typed | {"step": "save"})
    assert Incident.objects.get().title == "Discounts"
    assert (
        "a new incident" in client.get(reverse("problem-incident", args=[report(link).pk])).content.decode()
    )


def test_a_link_that_was_renewed_or_switched_off_opens_nothing(cast, link, as_):
    row, key = user_report_actions.report_problem(link=link, what="It was rude.")
    anybody = Client()
    client = as_(cast.owner)
    client.post(reverse("problem-link", args=[link.initiative.ref]))
    newer = ProblemLink.objects.get(ended_at__isnull=True)
    assert newer.token != link.token
    assert anybody.get(reverse("report-problem", args=[link.token])).status_code == 404
    assert anybody.get(reverse("report-problem", args=[newer.token])).status_code == 200
    client.post(reverse("problem-link", args=[link.initiative.ref]), {"off": "1"})
    assert (
        anybody.post(reverse("report-problem", args=[newer.token]), {"what": "x", "harm": "none"}).status_code
        == 404
    )
    with pytest.raises(Refused):
        report(newer)
    assert anybody.get(reverse("reported-problem", args=[key])).status_code == 200, "the answer is still read"
    assert anybody.get(reverse("reported-problem", args=["x" * 22])).status_code == 404
    with pytest.raises(Refused):
        user_report_actions.open_link(case=link.initiative, by=cast.chair)
    assert row.pk


def test_reports_are_slowed_down_without_keeping_an_address(link, monkeypatch):
    monkeypatch.setattr(public_views, "PER_ADDRESS", 2)
    anybody, place = Client(), reverse("report-problem", args=[link.token])
    answers = [anybody.post(place, {"what": f"No. {n}", "harm": "none"}).status_code for n in range(3)]
    assert answers == [302, 302, 429]
    slow = anybody.post(place, {"what": "Still here", "harm": "none"})
    assert int(slow["Retry-After"]) > 0
    assert "Still here" in slow.content.decode(), "nothing typed is lost"
    other = Client(REMOTE_ADDR="192.0.2.7")
    assert other.post(place, {"what": "x", "harm": "none"}).status_code == 302


def test_what_nobody_treats_is_reminded_of_and_escalated(cast, link):
    report(link)
    start = clock.midnight_before(clock.today()) + timedelta(hours=9)

    def told(days):
        return {due.person.login for due in incident_reminders.problems(start + timedelta(days=days))}

    assert told(2) == set()
    assert told(3) == {"owner", "support"}
    assert told(7) == {"owner", "support", "chair"}
