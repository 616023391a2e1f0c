"""The acts on meetings: lock, read again, ask, change, record, in one transaction."""

import hashlib
from datetime import date

from django.core.exceptions import ValidationError

from adoption.meetings import agenda, permissions
from adoption.models import AgendaPoint, Attendance, Meeting, Minutes, Pack
from governance import clock
from governance.audit_log import entries
from governance.models import Board, Notification, User
from governance.notifications.notify import notify
from governance.people.boards import members_now
from governance.permission_result import Answer, Conflict, no, yes
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Review

MOST_WORDS = 20_000


def plan(*, board: Board, held_on: date, place: str = "", secretary: User | None = None, by: User) -> Meeting:
    """Plan a meeting of a board on a day. Raises ValidationError by field, Refused."""
    with act("plan meeting", by=by):
        permissions.may_plan(board, by).or_refuse()
        Board.objects.select_for_update().get(pk=board.pk)
        _check_day(board, held_on)
        row = Meeting(
            board=board,
            held_on=held_on,
            place=place.strip(),
            secretary=secretary,
            planned_by=by,
            planned_at=clock.now(),
        )
        row.save()
        entries.record(
            EntryKind.MEETING_PLANNED,
            **_named(row),
            place=row.place,
            secretary=secretary.full_name if secretary else "",
        )
    return row


def change(*, meeting: Meeting, held_on: date, place: str, secretary: User | None, by: User) -> Meeting:
    """Change the day, place or secretary, and notify the people asked of another day or place.

    The day only before it began. Raises ValidationError by field, Refused.
    """
    with act("change meeting", by=by):
        row = _locked(meeting)
        before = _when_and_where(row)
        permissions.may_lead(row, by).or_refuse()
        if held_on != row.held_on:
            if row.state != Meeting.PLANNED:
                raise ValidationError(
                    {"held_on": "The meeting has started, so its day cannot change. Keep the day."}
                )
            _check_day(row.board, held_on, row)
        row.held_on, row.place, row.secretary = held_on, place.strip(), secretary
        row.save()
        entries.record(
            EntryKind.MEETING_CHANGED,
            **_named(row),
            place=row.place,
            secretary=secretary.full_name if secretary else "",
        )
        if (now := _when_and_where(row)) != before:
            key = f"meeting:{row.pk}"
            # Reminders of the former day are about nothing any more.
            Notification.objects.unread().filter(kind="meeting", object_key=key).update(read_at=clock.now())
            notify(
                [person for person in asked(row) if person.pk != by.pk],
                "meeting moved",
                key,
                subject=f"The meeting of {row.board} was moved: {now}",
                text=f"{by.full_name} changed the meeting. Before: {before}. Now: {now}.",
                link=row.get_absolute_url(),
                due_on=row.held_on,
                period=f"change {row.history.count()}",
            )
    return row


def _when_and_where(row: Meeting) -> str:
    """Return the day and the place of a meeting in words."""
    return f"{row.held_on:%-d %B %Y}, {row.place or 'no place named'}"


def _named(row: Meeting) -> dict:
    """Return the facts that every entry about a meeting has."""
    return {"meeting": row.pk, "board": str(row.board), "held_on": row.held_on}


def _check_day(board: Board, held_on: date, row: Meeting | None = None) -> None:
    if held_on < clock.today():
        raise ValidationError({"held_on": "This day is in the past. Choose today or a later day."})
    others = Meeting.objects.filter(board=board, held_on=held_on).exclude(state=Meeting.CALLED_OFF)
    if others.exclude(pk=row.pk if row else None).exists():
        raise ValidationError({"held_on": "The board already meets on that day. Choose another day."})


def add_point(*, meeting: Meeting, words: str, by: User) -> AgendaPoint:
    """Add a point in words to the agenda, for matters without a review. Raises ValidationError, Refused."""
    if not words.strip():
        raise ValidationError({"words": "Describe the item."})
    with act("add agenda point", by=by):
        row = _locked(meeting)
        permissions.may_lead(row, by).or_refuse()
        point = AgendaPoint(meeting=row, words=words.strip(), by=by, at=clock.now())
        point.save()
        entries.record(EntryKind.AGENDA_POINT_ADDED, meeting=row.pk, board=str(row.board), words=point.words)
    return point


def leave_out(*, meeting: Meeting, key: str, reason: str, by: User) -> AgendaPoint:
    """Take a point off the agenda, with a reason. The review continues. Raises ValidationError, Refused."""
    if not reason.strip():
        raise ValidationError(
            {"reason": "Give a reason. The person who waits for this item reads the reason."}
        )
    with act("leave agenda point out", by=by):
        row, point = _point(meeting, key, by)
        point.left_out, point.reason, point.place, point.by, point.at = (
            True,
            reason.strip(),
            None,
            by,
            clock.now(),
        )
        point.save()
        entries.record(
            EntryKind.AGENDA_POINT_LEFT_OUT,
            initiative=point.initiative,
            **_named(row),
            why=point.reason,
        )
    return point


def put_back(*, meeting: Meeting, key: str, by: User) -> AgendaPoint:
    """Put a point that was left out on the agenda again."""
    with act("put agenda point back", by=by):
        row, point = _point(meeting, key, by)
        point.left_out, point.reason, point.by, point.at = False, "", by, clock.now()
        point.save()
        entries.record(
            EntryKind.AGENDA_POINT_PUT_BACK,
            initiative=point.initiative,
            **_named(row),
        )
    return point


def place_point(*, meeting: Meeting, key: str, place: int, reason: str, by: User) -> AgendaPoint:
    """Give a point its place on the agenda, from 1 on, with a reason. Raises ValidationError, Refused."""
    wrong = {}
    if not 1 <= place <= 999:
        wrong["place"] = "Enter a position on the agenda from 1 to 999."
    if not reason.strip():
        wrong["reason"] = "Give a reason for the new position."
    if wrong:
        raise ValidationError(wrong)
    with act("place agenda point", by=by):
        row, point = _point(meeting, key, by)
        point.place, point.reason, point.by, point.at = place, reason.strip(), by, clock.now()
        point.save()
        entries.record(
            EntryKind.AGENDA_POINT_PLACED,
            initiative=point.initiative,
            **_named(row),
            place=place,
            why=point.reason,
        )
    return point


def _point(meeting: Meeting, key: str, by: User) -> tuple[Meeting, AgendaPoint]:
    """Return the locked meeting and the row of the point, new for a review without one."""
    row = _locked(meeting)
    permissions.may_lead(row, by).or_refuse()
    number = int(key[1:]) if key[1:].isdecimal() and len(key) < 15 else 0
    if key.startswith("p"):
        found = row.points.select_related("initiative", "review").filter(pk=number).first()
    else:
        found = row.points.select_related("initiative", "review").filter(review=number).first()
        if found is None and (review := agenda.reviews_of(row).filter(pk=number).first()):
            found = AgendaPoint(meeting=row, review=review, initiative=review.initiative)
    if found is None:
        no("This item is not on the agenda of the meeting.", "Open the agenda again.").or_refuse()
    return row, found


def begin(*, meeting: Meeting, by: User) -> Meeting:
    """Begin the meeting on its day, which freezes its agenda. Raises Refused."""
    with act("begin meeting", by=by):
        row = _locked(meeting)
        permissions.may_lead(row, by).or_refuse()
        if row.state != Meeting.PLANNED:
            no("The meeting has started already.").or_refuse()
        if row.held_on != clock.today():
            no(
                phrase("The meeting is planned for {}.", row.held_on),
                "Start the meeting on that day, or change its day first.",
            ).or_refuse()
        for place, point in enumerate(agenda.points(row), start=1):
            kept = point.row or AgendaPoint(
                meeting=row, review=point.review, initiative=point.initiative, by=by, at=clock.now()
            )
            kept.place = place
            kept.save()
        row.state, row.begun_at, row.begun_by = Meeting.HELD, clock.now(), by
        row.save()
        entries.record(EntryKind.MEETING_BEGUN, **_named(row))
    return row


def attend(*, meeting: Meeting, present: set[int], by: User) -> None:
    """Record the attendance of the people asked, by their keys. Others were not present. Raises Refused."""
    with act("write attendance", by=by):
        row = _locked(meeting)
        permissions.may_write_minutes(row, by).or_refuse()
        _has_begun(row).or_refuse()
        known = {one.person_id: one for one in row.attendance.all()}
        for person in asked(row):
            kept = known.get(person.pk) or Attendance(meeting=row, person=person)
            if kept.present != (person.pk in present):
                kept.present = person.pk in present
                kept.save()
        there = row.attendance.filter(present=True).count()
        entries.record(EntryKind.ATTENDANCE_WRITTEN, meeting=row.pk, board=str(row.board), there=there)


def _has_begun(meeting: Meeting) -> Answer:
    if meeting.state == Meeting.HELD:
        return yes()
    return no("The meeting has not started.", "Ask the chair to start it on its day.")


def asked(meeting: Meeting) -> list[User]:
    """Return the people asked to a meeting, by name. They are board members, secretary, and people noted before."""
    people = {member.person_id: member.person for member in members_now(meeting.board)}
    if meeting.secretary_id:
        people.setdefault(meeting.secretary_id, meeting.secretary)
    for row in meeting.attendance.select_related("person"):
        people.setdefault(row.person_id, row.person)
    return sorted(people.values(), key=lambda person: (person.full_name, person.pk))


def write_minutes(
    *, meeting: Meeting, point: AgendaPoint | None, text: str, version: int, by: User
) -> Minutes:
    """Write the minutes of a point as the next version.

    `point` None means the whole meeting. `version`: the version the writer began from, 0 for none. Raises Conflict when
    someone wrote another since, ValidationError, Refused.
    """
    text = text.strip()
    if not text:
        raise ValidationError({"text": "First write the minutes."})
    if len(text) > MOST_WORDS:
        raise ValidationError(
            {
                "text": phrase(
                    "The minutes have {} letters. Use at most {}, and put the rest in a document.",
                    f"{len(text):,}",
                    f"{MOST_WORDS:,}",
                )
            }
        )
    with act("write minutes", by=by):
        row = _locked(meeting)
        permissions.may_write_minutes(row, by).or_refuse()
        _has_begun(row).or_refuse()
        if point is not None and point.meeting_id != row.pk:
            no("This item belongs to another meeting.").or_refuse()
        last = Minutes.objects.filter(meeting=row, point=point).order_by("-version").first()
        if (last.version if last else 0) != version:
            raise Conflict(
                f"{last.by if last else 'Someone'} wrote these minutes after you opened them.",
                "Compare the current text with yours, then save again.",
                row.get_absolute_url(),
            )
        if last and last.text == text:
            return last
        kept = Minutes(meeting=row, point=point, version=version + 1, text=text, by=by, at=clock.now())
        kept.save()
        entries.record(
            EntryKind.MINUTES_WRITTEN,
            initiative=point.initiative if point else None,
            **_named(row),
            version=kept.version,
        )
    return kept


def close(*, meeting: Meeting, by: User) -> Meeting:
    """Close a meeting for good, with reviews decided off its agenda added. Raises Refused."""
    with act("close meeting", by=by):
        row = _locked(meeting)
        permissions.may_lead(row, by).or_refuse()
        if row.state != Meeting.HELD:
            no(
                "Only a meeting that has started can be closed.", "Cancel the meeting with a reason."
            ).or_refuse()
        now = clock.now()
        last = max((place or 0 for place in row.points.values_list("place", flat=True)), default=0)
        for place, review in enumerate(agenda.ended_unlisted(row, now), start=last + 1):
            AgendaPoint(
                meeting=row, review=review, initiative=review.initiative, place=place, by=by, at=now
            ).save()
        row.state, row.ended_at, row.ended_by = Meeting.CLOSED, now, by
        row.save()
        entries.record(
            EntryKind.MEETING_CLOSED,
            **_named(row),
            points=row.points.filter(left_out=False).count(),
            decided=Review.objects.filter(
                agenda_points__meeting=row, ended_at__gte=row.begun_at, ended_at__lte=now
            ).count(),
        )
    return row


def call_off(*, meeting: Meeting, reason: str, by: User) -> Meeting:
    """Call off a meeting that did not begin, and notify the people asked. Raises ValidationError, Refused."""
    if not reason.strip():
        raise ValidationError({"reason": "Give a reason. Everyone who was invited reads the reason."})
    with act("call off meeting", by=by):
        row = _locked(meeting)
        permissions.may_lead(row, by).or_refuse()
        if row.state != Meeting.PLANNED:
            no("The meeting has started.", "Close the meeting instead.").or_refuse()
        row.state, row.ended_at, row.ended_by = Meeting.CALLED_OFF, clock.now(), by
        row.reason = reason.strip()
        row.save()
        entries.record(EntryKind.MEETING_CALLED_OFF, **_named(row), why=row.reason)
        notify(
            [person for person in asked(row) if person.pk != by.pk],
            "meeting called off",
            f"meeting:{row.pk}",
            subject=f"The meeting of {row.board} on {row.held_on:%-d %B %Y} is cancelled",
            text=f"{by.full_name}: {row.reason}",
            link=row.get_absolute_url(),
        )
    return row


def take_pack(
    *, meeting: Meeting, content: bytes, audit_log_size: int | None, initiatives: list[dict], by: User
) -> Pack:
    """Record the taking of a pack: its SHA-256, and its state of the audit log. Raises Refused."""
    with act("take pack", by=by):
        row = Meeting.objects.select_related("board").get(pk=meeting.pk)
        permissions.may_take_pack(row, by).or_refuse()
        kept = Pack(
            meeting=row,
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            audit_log_size=audit_log_size,
            initiatives=initiatives,
            by=by,
            at=clock.now(),
        )
        kept.save()
        entries.record(
            EntryKind.PACK_TAKEN,
            **_named(row),
            sha256=kept.sha256,
            initiatives=[one["ref"] for one in initiatives],
        )
    return kept


def _locked(meeting: Meeting) -> Meeting:
    """Return the meeting, locked until the transaction ends and read after the lock."""
    return (
        Meeting.objects.select_for_update(of=("self",))
        .select_related("board__unit", "secretary")
        .get(pk=meeting.pk)
    )
