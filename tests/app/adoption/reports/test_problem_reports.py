"""Problems that users report by a public link: without a name, in two languages, slowed down, and answered."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from adoption import tasks as adoption_tasks
from adoption.models import ProblemLink, ProblemReport, SealedSource
from adoption.reports import actions as report_actions
from adoption.reports import public_link, public_views, sources
from governance import clock
from governance.models import Entry
from governance.permission_result import Refused
from governance.privacy import retention
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages.actions import stop
from tests.app.adoption.reports.test_behaviour_reports import rows_of_all_tables
from tests.support import factories
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db


@pytest.fixture
@snapshots.kept
def link(cast) -> ProblemLink:
    """The public link of a prototype that has a support owner."""
    initiative = factories.make_prototype(cast)
    asked = role_actions.propose_role(
        initiative=initiative, role="support_owner", person=cast.support, by=cast.owner
    )
    role_actions.accept_role(assignment=asked, by=cast.support)
    return public_link.open_link(initiative=initiative, by=cast.owner)


def report(link, **changed) -> ProblemReport:
    row, _ = public_link.report_problem(link=link, **({"what": "It invented a discount."} | changed))
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
    shown = as_(cast.support).get(row.get_absolute_url()).content.decode()
    assert "&lt;script&gt;" in shown
    assert "Quillfeather" not in shown
    report_actions.judge(report=row, outcome="answered", answer="Fixed on Monday.", by=cast.support)
    answered = anybody.get(first["Location"]).content.decode()
    assert "Fixed on Monday." in answered
    assert "Antwort</h2>" in answered
    assert "<script>alert" not in answered


def test_how_to_reach_whoever_reported_it_is_the_chairs_by_an_act(cast, link, as_):
    anybody = Client()
    row, key = public_link.report_problem(link=link, what="It was rude.", contact="room 4711")
    for other in (cast.owner, cast.support, cast.admin, cast.auditor):
        with pytest.raises(Refused):
            sources.ask_source(about=row, reason="Who?", by=other)
    page = as_(cast.chair).post(
        reverse("row-act", args=["problem", row.pk, "ask-source"]), {"reason": "To apologise."}
    )
    assert "room 4711" in page.content.decode()
    told = anybody.get(reverse("reported-problem", args=[key])).content.decode()
    assert "Elena Novak, the chair of the board, asked how to reach you: To apologise." in told
    assert "room 4711" not in str(Entry.objects.acts().get(kind="asked who reported").facts)
    judged = report_actions.judge(
        report=row,
        outcome="behaviour-report",
        answer="Seen.",
        fields={"kind": "weaponised", "group": "Service", "extent": "unknown"},
        by=cast.support,
    )
    assert (
        sources.ask_source(about=judged.behaviour_report, reason="To apologise.", by=cast.chair)
        == "room 4711"
    )


def test_a_contact_is_deleted_ninety_days_after_the_answer_unless_the_initiative_is_held(cast, link):
    answered, waiting = (
        public_link.report_problem(link=link, what=what, contact="room 4711")[0]
        for what in ("It lied.", "Slow.")
    )
    report_actions.judge(report=answered, outcome="answered", answer="Fixed.", by=cast.support)
    person = report_actions.report_behaviour_report(
        initiative=link.initiative,
        kind="ignored",
        group="Service",
        extent="most",
        words="Nobody opens it.",
        source="seen",
        observed_on=clock.today(),
        by=cast.lead,
    )
    hold = retention.open_hold(initiative_ref=link.initiative.ref, reason="An inquiry", by=cast.auditor)
    with clock.simulated(clock.now() + timedelta(days=90)):
        assert sources.forget_contacts() == 0, "the initiative is held"
    retention.lift_hold(hold=hold, reason="It is over", by=cast.auditor)
    with clock.simulated(clock.now() + timedelta(days=89)):
        assert sources.forget_contacts() == 0
        assert sources.ask_source(about=answered, reason="To thank.", by=cast.chair) == "room 4711"
    with clock.simulated(clock.now() + timedelta(days=90)):
        adoption_tasks.forget_contacts()
        assert sources.ask_source(about=answered, reason="To thank.", by=cast.chair) == ""
        assert sources.ask_source(about=waiting, reason="To ask.", by=cast.chair) == "room 4711"
        assert set(SealedSource.objects.values_list("behaviour_report", flat=True)) == {None, person.pk}


def test_it_becomes_a_behaviour_report_in_its_own_words(cast, link, as_):
    row = report(link)
    as_(cast.support).post(
        reverse("row-act", args=["problem", row.pk, "judge-behaviour-report"]),
        {"kind": "worked_around", "group": "Service", "extent": "most", "answer": "It is before the board."},
    )
    row.refresh_from_db()
    assert (row.outcome, row.behaviour_report.source) == ("behaviour-report", "problem")
    assert row.behaviour_report.words == "It invented a discount."
    assert sources.ask_source(about=row.behaviour_report, reason="Who?", by=cast.chair) == "", (
        "nothing was left"
    )
    page = as_(cast.owner).get(row.get_absolute_url()).content.decode()
    assert row.behaviour_report.get_absolute_url() in page


def test_a_link_that_was_renewed_or_switched_off_opens_nothing(cast, link, as_):
    row, key = public_link.report_problem(link=link, what="It was rude.")
    anybody = Client()
    client = as_(cast.owner)
    client.post(reverse("initiative-act", args=[link.initiative.ref, "open-report-link"]))
    newer = ProblemLink.objects.get(ended_at__isnull=True)
    assert newer.token != link.token
    assert anybody.get(reverse("report-problem", args=[link.token])).status_code == 404
    assert anybody.get(reverse("report-problem", args=[newer.token])).status_code == 200
    client.post(reverse("initiative-act", args=[link.initiative.ref, "close-report-link"]))
    assert (
        anybody.post(reverse("report-problem", args=[newer.token]), {"what": "x", "harm": "none"}).status_code
        == 404
    )
    with pytest.raises(Refused):
        report(newer)
    assert anybody.get(reverse("reported-problem", args=[key])).status_code == 200, "the answer is still read"
    assert anybody.get(reverse("reported-problem", args=["x" * 22])).status_code == 404
    with pytest.raises(Refused):
        public_link.open_link(initiative=link.initiative, by=cast.chair)
    assert row.pk


def test_nobody_is_offered_a_link_of_an_initiative_that_is_closed(cast, link, as_):
    stop(initiative=link.initiative, reason_code="cost", reason="Too dear.", by=cast.owner)
    client = as_(cast.support)
    step = reverse("initiative-act", args=[link.initiative.ref, "open-report-link"])
    assert step not in client.get(reverse("incidents", args=[link.initiative.ref])).content.decode()
    assert client.get(step).status_code == 403
    with pytest.raises(Refused):
        public_link.open_link(initiative=link.initiative, by=cast.support)


def test_a_confidential_initiative_is_named_by_its_reference_outside(cast, link, as_):
    """On the public form, on the page of what came of it, and to a colleague who lost sight of it (4h, 4i)."""
    title = link.initiative.title
    told = {"kind": "weaponised", "group": "Team North", "words": "Read out in appraisals.", "source": "seen"}
    colleague = factories.make_person("colleague", unit=cast.unit)
    report_actions.report_behaviour_report(
        initiative=link.initiative, observed_on=clock.today(), by=colleague, **told
    )
    mine = reverse("reports-mine")
    assert title in as_(colleague).get(mine).content.decode()
    _, key = public_link.report_problem(link=link, what="It invented a discount.")
    places = [reverse("report-problem", args=[link.token]), reverse("reported-problem", args=[key])]
    assert all(title in Client().get(place).content.decode() for place in places)
    details = {"problem": "Who leaves.", "platform": "", "confidential": True}
    detail_actions.change_details(initiative=link.initiative, **details, by=cast.owner)
    for place in places:
        page = Client().get(place).content.decode()
        assert title not in page
        assert link.initiative.ref in page
    page = as_(colleague).get(mine).content.decode()
    assert title not in page
    assert link.initiative.ref in page


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
