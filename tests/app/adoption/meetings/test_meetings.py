"""Meetings of a board: their agenda by itself, decisions linked by themselves, minutes in versions, the pack."""

import hashlib
from datetime import timedelta

import icalendar
import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from adoption.inbox import inbox_tasks
from adoption.meetings import actions as meeting_actions
from adoption.meetings import agenda, board_pack, board_pack_pdf
from adoption.meetings import calendar as meeting_calendar
from adoption.meetings import reminders as meeting_reminders
from adoption.models import Meeting, Minutes, Pack
from governance import clock
from governance.database.row_history import acting
from governance.models import Entry, Notification
from governance.notifications import calendar_feed
from governance.permission_result import Conflict, Refused
from governance.transparency_log import sealing
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.risks.accepted_risks import ACCEPTED_RISKS
from initiatives.models import Evidence
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives import open_reviews
from tests.support.initiatives.initiative_pages import at

pytestmark = pytest.mark.django_db


def day(days: int):
    return clock.today() + timedelta(days=days)


@pytest.fixture
@snapshots.kept
def meeting(cast) -> Meeting:
    """A meeting of the board today, with one review that can be decided."""
    open_reviews.signed_off(cast)
    return meeting_actions.plan(board=cast.board, held_on=clock.today(), place="Room 4", by=cast.chair)


@pytest.fixture
@snapshots.kept
def held(meeting, cast) -> Meeting:
    """The same, begun."""
    return meeting_actions.begin(meeting=meeting, by=cast.chair)


def test_a_meeting_from_its_plan_to_its_minutes(cast, as_):
    review = open_reviews.signed_off(cast)
    chair, seat = as_(cast.chair), as_(cast.seat_risk)
    sent = chair.post(at("plan-meeting"), {"board": cast.board.pk, "held_on": day(0), "place": "Room 4"})
    meeting = Meeting.objects.get()
    assert sent.status_code == 302
    assert sent["Location"] == meeting.get_absolute_url()
    page = seat.get(meeting.get_absolute_url()).content.decode()
    assert review.initiative.title in page
    assert "can be decided" in page
    assert "Room 4" in page
    assert chair.post(at("meetings/begin", meeting.pk)).status_code == 302
    review_actions.decide(review=review, outcome="approved", reason="Go.", by=cast.chair)
    (point,) = agenda.points(Meeting.objects.get(), cast.seat_risk)
    assert point.decided
    link = f'href="/meetings/{meeting.pk}/"'
    assert link in as_(cast.owner).get(review.get_absolute_url()).content.decode()
    assert link in as_(cast.owner).get("/decisions/").content.decode()
    key = point.key
    for version, text in enumerate(["The board liked it.", "The board approved it."]):
        sent = chair.post(f"/meetings/{meeting.pk}/minutes/{key}/", {"text": text, "version": version})
        assert sent.status_code == 302
    lost = chair.post(f"/meetings/{meeting.pk}/minutes/{key}/", {"text": "Mine.", "version": 1})
    assert lost.status_code == 409
    assert "Mine." in lost.content.decode()
    chair.post(at("meetings/write-attendance", meeting.pk), {"present": [cast.chair.pk, cast.seat_risk.pk]})
    assert chair.post(at("meetings/close", meeting.pk)).status_code == 302
    page = as_(cast.owner).get(meeting.get_absolute_url()).content.decode()
    assert "The board approved it." in page
    assert "The board liked it." not in page
    assert list(Minutes.objects.values_list("version", flat=True)) == [1, 2]
    refused = chair.post(f"/meetings/{meeting.pk}/minutes/{key}/", {"text": "Later.", "version": 2})
    assert refused.status_code == 403
    kinds = Entry.objects.acts().order_by("pk").values_list("kind", flat=True)
    wanted = ["meeting planned", "meeting begun", "minutes written", "minutes written", "attendance written"]
    said = [kind for kind in kinds if kind in {*wanted, "meeting closed"}]
    assert said == [*wanted, "meeting closed"]


def test_nobody_was_there_before_it_began(meeting, cast, as_):
    sent = as_(cast.chair).post(at("meetings/write-attendance", meeting.pk), {"present": [cast.chair.pk]})
    assert sent.status_code == 403
    assert "The meeting has not started." in sent.content.decode()
    assert not meeting.attendance.exists()


def test_once_closed_the_database_keeps_it(held, cast):
    (point,) = agenda.points(held)
    meeting_actions.write_minutes(meeting=held, point=point.row, text="Said.", version=0, by=cast.chair)
    meeting_actions.close(meeting=held, by=cast.chair)
    row = Meeting.objects.get()
    for change in (
        lambda: Minutes(meeting=row, point=None, version=1, text="x", by=cast.chair, at=clock.now()).save(),
        lambda: Minutes.objects.update(text="y"),
        lambda: setattr(row, "place", "Elsewhere") or row.save(),
        lambda: setattr(point.row, "words", "z") or point.row.save(),
        lambda: row.attendance.create(person=cast.chair, present=True),
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), acting(by=cast.chair):
            change()
    with pytest.raises(Refused):
        meeting_actions.close(meeting=held, by=cast.chair)


def test_who_may(meeting, cast, as_):
    for person in (cast.seat_risk, cast.owner, cast.admin, cast.outsider):
        with pytest.raises(Refused):
            meeting_actions.plan(board=cast.board, held_on=day(9), by=person)
        with pytest.raises(Refused):
            meeting_actions.begin(meeting=meeting, by=person)
    assert as_(cast.outsider).get(meeting.get_absolute_url()).status_code == 404
    assert as_(cast.outsider).get(f"/meetings/{meeting.pk}/pack/").status_code == 404
    assert as_(cast.outsider).get(at("meetings/change", meeting.pk)).status_code == 404
    assert as_(cast.seat_risk).get(at("meetings/begin", meeting.pk)).status_code == 403
    page = as_(cast.chair).get(at("meetings/begin", meeting.pk)).content.decode()
    assert f'<a href="{meeting.get_absolute_url()}">{meeting}</a>' in page, "the way back to the meeting"
    meeting_actions.begin(meeting=meeting, by=cast.deputy_chair)
    with pytest.raises(Refused):
        meeting_actions.write_minutes(meeting=meeting, point=None, text="x", version=0, by=cast.support)
    meeting_actions.change(
        meeting=meeting, held_on=meeting.held_on, place="", secretary=cast.support, by=cast.chair
    )
    meeting_actions.write_minutes(meeting=meeting, point=None, text="x", version=0, by=cast.support)
    with pytest.raises(Conflict):
        meeting_actions.write_minutes(meeting=meeting, point=None, text="y", version=0, by=cast.chair)


def test_a_meeting_begins_on_its_day_and_a_board_meets_once_a_day(cast):
    row = meeting_actions.plan(board=cast.board, held_on=day(3), by=cast.chair)
    with pytest.raises(Refused, match="planned for"):
        meeting_actions.begin(meeting=row, by=cast.chair)
    for wrong in (day(3), day(-1)):
        with pytest.raises(Exception, match="day"):
            meeting_actions.plan(board=cast.board, held_on=wrong, by=cast.chair)
    meeting_actions.call_off(meeting=row, reason="Nobody can come.", by=cast.chair)
    meeting_actions.plan(board=cast.board, held_on=day(3), by=cast.chair)
    assert cast.seat_risk.notifications.filter(kind="meeting called off").count() == 1


def test_the_chair_orders_the_agenda_with_reasons(meeting, cast, as_):
    (review,) = (point.review for point in agenda.points(meeting))
    other = open_reviews.before_prototype(cast, title="A second idea")
    first, second = agenda.points(meeting)
    assert (first.review, second.review) == (review, other), "what can be decided comes first"
    meeting_actions.place_point(
        meeting=meeting, key=second.key, place=1, reason="It is short.", by=cast.chair
    )
    meeting_actions.add_point(meeting=meeting, words="Dates of next year", by=cast.chair)
    assert next(point.title for point in agenda.points(meeting)) == "A second idea"
    meeting_actions.leave_out(
        meeting=meeting, key=f"r{review.pk}", reason="The owner is away.", by=cast.chair
    )
    assert review not in [point.review for point in agenda.points(meeting)]
    page = as_(cast.owner).get(meeting.get_absolute_url()).content.decode()
    assert "The owner is away." in page
    (row,) = agenda.left_out(meeting, cast.chair)
    meeting_actions.put_back(meeting=meeting, key=row.key, by=cast.chair)
    meeting_actions.begin(meeting=meeting, by=cast.chair)
    third = open_reviews.before_prototype(cast, title="Too late an idea")
    titles = [point.title for point in agenda.points(Meeting.objects.get())]
    assert third.initiative.title not in titles, "frozen once it began"
    assert len(titles) == 3
    review_actions.return_review(review=third, reason="Say more.", by=cast.chair)
    meeting_actions.close(meeting=meeting, by=cast.chair)
    assert third.initiative.title in [point.title for point in agenda.points(Meeting.objects.get())]


def test_members_are_told_and_asked_to_read_the_pack(cast):
    row = meeting_actions.plan(board=cast.board, held_on=day(10), by=cast.chair)
    open_reviews.before_prototype(cast)

    def told(days):
        with clock.simulated(clock.now() + timedelta(days=days)):
            return {
                (due.person, due.period.split(":")[1])
                for due in meeting_reminders.meetings_ahead(clock.now())
            }

    assert told(0) == told(2) == set()
    assert (cast.seat_risk, "7d") in told(3)
    assert (cast.seat_risk, "7d") in told(5)
    assert (cast.chair, "3d") in told(7)
    assert (cast.chair, "0d") in told(10)
    assert told(11) == set()
    assert cast.owner not in {person for person, _ in told(7)}
    assert [one.day for one in meeting_calendar.days(cast.seat_risk)] == [row.held_on]
    assert meeting_calendar.days(cast.owner) == []
    with clock.simulated(clock.now() + timedelta(days=7)):
        assert [line.button for line in inbox_tasks.tasks(cast.seat_risk)] == ["Read the pack"]
        assert inbox_tasks.tasks(cast.owner) == []
        (due, *_) = meeting_reminders.meetings_ahead(clock.now())
    assert "AI-" in due.text
    assert "Customer summary" not in due.text


def test_a_moved_meeting_is_told_at_once_and_stands_in_the_feed(cast):
    row = meeting_actions.plan(board=cast.board, held_on=day(10), place="Room 1", by=cast.chair)

    def change(days, place):
        meeting_actions.change(meeting=row, held_on=day(days), place=place, secretary=None, by=cast.chair)
        written = calendar_feed.written(meeting_calendar.days(cast.seat_risk), name="Mine")
        (event,) = icalendar.Calendar.from_ical(written).walk("VEVENT")
        told = Notification.objects.filter(person=cast.seat_risk, kind="meeting moved")
        return event, [one.text for one in told.order_by("pk")]

    event, told = change(12, "Room 2")
    assert (event["UID"], event["SEQUENCE"], event["LOCATION"]) == (
        f"meeting-{row.pk}@127.0.0.1",
        1,
        "Room 2",
    )
    assert event["DTSTART"].dt == day(12)
    for words in (f"{day(10):%-d %B %Y}, Room 1", f"{day(12):%-d %B %Y}, Room 2"):
        assert words in told[0]
    assert change(12, "Room 2")[1] == told, "nothing that somebody was asked to was changed"
    event, told = change(10, "Room 1")
    assert (event["SEQUENCE"], len(told)) == (3, 2)
    assert not Notification.objects.filter(person=cast.chair, kind="meeting moved").exists()
    assert not Notification.objects.filter(person=cast.owner, kind="meeting moved").exists()


def test_the_pack_says_what_the_rows_say(held, cast):
    sealing.seal()
    stale = held.points.get().review
    told = board_pack.content(held, cast.chair)
    (pages,) = told.initiatives
    initiative = held.points.get().initiative
    assert board_pack.NOT_PRODUCTION in pages.marks
    assert pages.ref == initiative.ref
    tables = {table.heading: table for table in pages.tables}
    current = Evidence.objects.filter(initiative=initiative, withdrawn_at=None, superseded_by=None)
    assert sorted(row[4] for row in tables["Evidence"].rows) == sorted(
        item.sha256 or "no file" for item in current
    )
    assert all("days old" in row[2] or "day old" in row[2] for row in tables["Evidence"].rows)
    rulebook = stale.rulebook.parsed
    assert [row[0] for row in tables["Criteria and seats"].rows] == [
        criterion.question for criterion in rulebook.gates["mvp"].criteria
    ]
    assert {row[2] for row in tables["Sign-offs"].rows if "Approve" in row[1]} == {"fresh"}
    assert tables["Unmet requirements"].rows == ()
    # The digest once more, from the entries themselves.
    size = told.audit_log_size
    with connection.cursor() as cursor:
        cursor.execute("SELECT entry_id FROM governance_leaf WHERE position < %s", [size])
        sealed = {key for (key,) in cursor.fetchall()}
    entries = [
        e for e in Entry.objects.filter(initiative_ref=initiative.ref).order_by("pk") if e.pk in sealed
    ]
    lines = "".join(f"{entry.pk} {bytes(entry.digest).hex()}\n" for entry in entries)
    recorded = told.recorded[initiative.ref]
    assert recorded.digest == hashlib.sha256(lines.encode()).hexdigest()
    assert (recorded.entries, recorded.newest) == (len(entries), entries[-1].pk)


def test_a_stale_sign_off_and_what_is_unmet_stand_in_the_pack(meeting, cast):
    initiative = agenda.points(meeting)[0].initiative
    item = (
        Evidence.objects.filter(initiative=initiative, coverage__requirement="mvp.risk")
        .order_by("-pk")
        .first()
    )
    evidence_actions.withdraw_evidence(evidence=item, reason="Wrong file.", by=cast.owner)
    (pages,) = board_pack.content(meeting, cast.chair).initiatives
    tables = {table.heading: table for table in pages.tables}
    assert any(row[2] == "stale" and row[3] for row in tables["Sign-offs"].rows)
    unmet = tables["Unmet requirements"].rows
    assert unmet
    assert all(question and missing and how and who for question, missing, how, who in unmet)
    assert item.title not in [row[0] for row in tables["Evidence"].rows]


def test_a_risk_that_is_accepted_stands_among_the_open_risks(meeting, cast):
    initiative = agenda.points(meeting)[0].initiative
    risk = ACCEPTED_RISKS.agree(row=factories.ask_risk(cast, initiative), by=cast.seat_risk)
    factories.ask_risk(cast, initiative, title="Asked for only")
    (pages,) = board_pack.content(meeting, cast.chair).initiatives
    rows = next(table for table in pages.tables if table.heading == "Open risks").rows
    assert [row for row in rows if row[0] == "Accepted risk"] == [
        ("Accepted risk", f"Old prices, accepted by {cast.seat_risk}", f"until {board_pack.day(risk.until)}")
    ]


def test_the_pack_is_the_same_bytes_and_its_hash_is_kept(held, cast, as_):
    sealing.seal()
    told = board_pack.content(held, cast.chair)
    assert board_pack_pdf.pdf(told) == board_pack_pdf.pdf(told)
    paper = board_pack_pdf.pdf(told)
    assert paper.startswith(b"%PDF-")
    initiative = told.initiatives[0]
    for said in (
        f"/Title (Board pack: {told.board}",
        "/Author (Plumbline)",
        "/Lang (en)",
        "/PageMode /UseOutlines",
        "/Title (Agenda)",
        f"/Title ({initiative.ref} {initiative.title})",
        "/Title (Open risks)",
        "/Title (The audit log)",
    ):
        assert said.encode() in paper, said
    sent = as_(cast.seat_risk).post(f"/meetings/{held.pk}/pack/")
    assert sent["Content-Type"] == "application/pdf"
    kept = Pack.objects.get()
    assert kept.sha256 == hashlib.sha256(sent.content).hexdigest()
    assert kept.by == cast.seat_risk
    entry = Entry.objects.acts().get(kind="pack taken")
    assert kept.sha256.encode() in bytes(entry.body.body)
    page = as_(cast.auditor).get("/audit/readings/").content.decode()
    assert kept.sha256 in page or "downloaded the board pack" in page
    assert as_(cast.owner).post(f"/meetings/{held.pk}/pack/").status_code == 403
    assert Pack.objects.count() == 1


def test_names_with_accents_are_in_the_font_and_others_are_told():
    names = "Zoë Ångström, Łukasz Żółć, Gülşen Çağ, Nguyễn Văn, Ελένη, Дмитрий, Ştefan Ţ, “…€ ≥ ✓"
    assert board_pack_pdf.lost(names) == set()
    assert board_pack_pdf.lost("山田") == {"山", "田"}


def test_the_page_of_the_pack_names_titles_that_the_font_cannot_show(cast, as_):
    row = meeting_actions.plan(board=cast.board, held_on=day(1), by=cast.chair)
    for words in ("Budget of Zoë Ångström", "山田 presents"):
        meeting_actions.add_point(meeting=row, words=words, by=cast.chair)
    page = as_(cast.chair).get(reverse("meeting-pack", args=[row.pk]))
    assert page.context["boxed"] == ["山田 presents"]
    assert "山田 presents" in page.content.decode()


def test_a_text_of_many_lines_is_laid_out_in_rows_of_a_few(monkeypatch):
    laid_out = []
    monkeypatch.setattr(
        board_pack_pdf,
        "Table",
        lambda rows, **_: laid_out.append([cell.text for row in rows for cell in row]),
    )
    lines = [f"line {number}" for number in range(1000)]
    table = board_pack.Table("Holds", ("Hold", "Reason"), (("One", "\n".join(lines)),))
    board_pack_pdf._letters()
    board_pack_pdf._table(table, 500)
    (cells,) = laid_out
    assert max(cell.count("<br/>") for cell in cells) < board_pack_pdf.LINES
    assert [line for cell in cells[3::2] for line in cell.split("<br/>")] == lines


def test_the_letters_of_a_markup_stay_letters(cast):
    initiative = factories.make_initiative(cast, title="<b>Bold</b> & <para> of “R&D”")
    meeting_actions.plan(board=cast.board, held_on=day(1), by=cast.chair)
    assert initiative
    told = board_pack.Content(
        "Board <i>x", day(1), "", clock.now(), (("1", "<a href='x'>", "", "", ""),), (), "", None, {}
    )
    assert board_pack_pdf.pdf(told).startswith(b"%PDF-")
