"""The pages of board meetings: plan, agenda, attendance, minutes by point, pack."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from adoption.meetings import actions, agenda, board_pack, board_pack_pdf, permissions
from adoption.meetings.forms import (
    AttendanceForm,
    CallOffForm,
    MeetingForm,
    MinutesForm,
    PlaceForm,
    PointForm,
)
from adoption.models import AgendaPoint, Meeting, Minutes
from governance import clock
from governance.audit_log import csv_export
from governance.permission_result import Answer, Conflict, no
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.form_errors import put_errors
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.initiative.initiative_frame import acted, page_of, sent

TAKES = ["GET", "HEAD", "POST"]
PAGE = 25
WHOLE = "all"


def _meeting_for(request: SignedInRequest, pk: int) -> Meeting:
    """Return the meeting if the person may see it. Raises Http404."""
    rows = permissions.visible_meetings(request.user).filter(pk=pk)
    found = Meeting.objects.select_related("board__unit", "secretary", "begun_by", "ended_by", "planned_by")
    row = found.filter(pk__in=rows.values("pk")).first()
    if row is None:
        raise Http404("This meeting does not exist, or you cannot see it.")
    return row


def _insist(request: SignedInRequest, answer: Answer, name: str) -> None:
    """Refuse the page if the answer is no. A refused POST is recorded."""
    if not answer and request.method == "POST":
        with act(name, by=request.user):
            answer.or_refuse()
    answer.or_refuse()


@require_safe
def meetings(request: SignedInRequest) -> HttpResponse:
    """Show the meetings that the person may see, those ahead first."""
    rows = permissions.visible_meetings(request.user)
    rows = Meeting.objects.filter(pk__in=rows.values("pk")).select_related("board")
    context = {
        "nav": "meetings",
        "ahead": rows.filter(state__in=[Meeting.PLANNED, Meeting.HELD]).order_by("held_on", "pk"),
        "page": page_of(
            request,
            rows.filter(state__in=[Meeting.CLOSED, Meeting.CALLED_OFF]).order_by("-held_on", "-pk"),
            PAGE,
        ),
        "leads": permissions.led_by(request.user),
    }
    return render(request, "adoption/meetings/meetings.html", context)


@require_http_methods(TAKES)
def plan(request: SignedInRequest) -> HttpResponse:
    """Show the form that plans a meeting of a board that the person leads."""
    boards = permissions.led_by(request.user)
    may = no("Only the chair or deputy chair of a board can plan meetings.") if not boards else None
    if may is not None:
        _insist(request, may, "plan meeting")
    form = MeetingForm(sent(request), boards=boards)
    if row := acted(request, form, lambda: actions.plan(by=request.user, **form.cleaned_data)):
        messages.success(request, _("The meeting is planned. The members are notified a week before."))
        return redirect(row)
    return _form(
        request,
        "Plan a meeting",
        form,
        "Plan the meeting",
        reverse("meetings"),
        [
            (
                "Every open review of the board's initiatives is on the agenda automatically. Reviews "
                "that can be decided come first."
            ),
        ],
    )


@require_http_methods(TAKES)
def change(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the form for another day, place or secretary."""
    row = _meeting_for(request, pk)
    _insist(request, permissions.may_lead(row, request.user), "change meeting")
    initial = {"held_on": row.held_on, "place": row.place, "secretary": row.secretary_id}
    form = MeetingForm(sent(request), boards=[row.board], row=row, initial=initial)
    del form.fields["board"]
    if acted(request, form, lambda: actions.change(meeting=row, by=request.user, **form.cleaned_data)):
        messages.success(request, _("The meeting is changed."))
        return redirect(row)
    return _form(
        request, "Change the meeting", form, "Change the meeting", row.get_absolute_url(), meeting=row
    )


def _form(
    request, title: str, form, verb: str, back: str, happens=(), *, meeting=None, danger=False, **more
) -> HttpResponse:
    context = {
        "nav": "meetings",
        "title": title,
        "form": form,
        "verb": verb,
        "happens": happens,
        "danger": danger,
        "back_url": back,
        "meeting": meeting,
    }
    refused = 409 if getattr(form, "conflict", False) else 422
    status = more.pop("status", refused if request.method == "POST" else 200)
    return render(request, "adoption/meetings/meeting_form.html", context | more, status=status)


@require_safe
def meeting(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a meeting: agenda with states, attendance, minutes, packs."""
    row = _meeting_for(request, pk)
    points = agenda.points(row, request.user)
    said = _newest_minutes(row)
    context = {
        "nav": "meetings",
        "meeting": row,
        "points": [(point, said.get(point.row.pk) if point.row else None) for point in points],
        "whole": said.get(None),
        "left_out": agenda.left_out(row, request.user),
        "attendance": row.attendance.select_related("person").order_by("-present", "person__full_name"),
        "packs": row.packs.select_related("by").order_by("-pk")[:10],
        "may_lead": permissions.may_lead(row, request.user),
        "may_write": permissions.may_write_minutes(row, request.user),
        "may_take": permissions.may_take_pack(row, request.user),
        "today": row.held_on == clock.today(),
    }
    return render(request, "adoption/meetings/meeting.html", context)


def _newest_minutes(row: Meeting) -> dict[int | None, Minutes]:
    """Return the newest minutes by point. The whole meeting has the key None."""
    return {one.point_id: one for one in row.minutes.select_related("by").order_by("version")}


@require_http_methods(TAKES)
def begin(request: SignedInRequest, pk: int) -> HttpResponse:
    """Begin the meeting on its day."""
    row = _meeting_for(request, pk)
    _insist(request, permissions.may_lead(row, request.user), "begin meeting")
    if request.method == "POST":
        actions.begin(meeting=row, by=request.user)
        messages.success(request, _("The meeting has started."))
        return redirect(row)
    happens = [
        "The agenda is fixed from now on. You can still add items without a review.",
        "Decisions of the chair during the meeting are linked with the meeting automatically.",
        "You can write attendance and minutes until the meeting is closed.",
    ]
    return _form(
        request, "Start the meeting", None, "Start the meeting", row.get_absolute_url(), happens, meeting=row
    )


@require_http_methods(TAKES)
def close(request: SignedInRequest, pk: int) -> HttpResponse:
    """Close the meeting with its minutes."""
    row = _meeting_for(request, pk)
    _insist(request, permissions.may_lead(row, request.user), "close meeting")
    if request.method == "POST":
        actions.close(meeting=row, by=request.user)
        messages.success(request, _("The meeting is closed. The minutes can no longer change."))
        return redirect(row)
    missing = [
        point.title for point in agenda.points(row) if point.row is None or not point.row.minutes.exists()
    ]
    happens = ["Agenda, attendance and minutes can no longer change."]
    if missing:
        happens.append(
            f"Items without minutes: {', '.join(missing[:5])}{' and more' if len(missing) > 5 else ''}."
        )
    return _form(
        request,
        "Close the meeting",
        None,
        "Close the meeting",
        row.get_absolute_url(),
        happens,
        meeting=row,
        danger=True,
    )


@require_http_methods(TAKES)
def call_off(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the form that calls the meeting off."""
    row = _meeting_for(request, pk)
    _insist(request, permissions.may_lead(row, request.user), "call off meeting")
    form = CallOffForm(sent(request))
    if acted(
        request,
        form,
        lambda: actions.call_off(meeting=row, reason=form.cleaned_data["reason"], by=request.user),
    ):
        messages.success(request, _("The meeting is cancelled. Everyone who was invited is notified."))
        return redirect(row)
    happens = ["Reviews stay open, and are on the agenda of the next meeting."]
    return _form(
        request,
        "Cancel the meeting",
        form,
        "Cancel the meeting",
        row.get_absolute_url(),
        happens,
        meeting=row,
        danger=True,
    )


@require_http_methods(TAKES)
def add_point(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the form for a point in words."""
    row = _meeting_for(request, pk)
    _insist(request, permissions.may_lead(row, request.user), "add agenda point")
    form = PointForm(sent(request))
    if acted(
        request,
        form,
        lambda: actions.add_point(meeting=row, words=form.cleaned_data["words"], by=request.user),
    ):
        messages.success(request, _("The item is on the agenda."))
        return redirect(row)
    return _form(request, "Add an item", form, "Add the item", row.get_absolute_url(), meeting=row)


@require_http_methods(TAKES)
def agenda_point(request: SignedInRequest, pk: int, point: str) -> HttpResponse:
    """Give a point another place, leave it out, or put it back."""
    row = _meeting_for(request, pk)
    _insist(request, permissions.may_lead(row, request.user), "place agenda point")
    found = next((one for one in agenda.points(row, request.user) if one.key == point), None)
    gone = next((one for one in agenda.left_out(row, request.user) if one.key == point), None)
    if found is None and gone is None:
        raise Http404("This agenda item does not exist.")
    if request.method == "POST" and "back" in request.POST:
        actions.put_back(meeting=row, key=point, by=request.user)
        messages.success(request, _("The item is on the agenda again."))
        return redirect(row)
    form = PlaceForm(sent(request) if "back" not in request.POST else None, initial={"what": "place"})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            if given["what"] == "out":
                actions.leave_out(meeting=row, key=point, reason=given["reason"], by=request.user)
            else:
                actions.place_point(
                    meeting=row, key=point, place=given["place"] or 0, reason=given["reason"], by=request.user
                )
        except ValidationError as wrong:
            put_errors(form, wrong)
        else:
            messages.success(request, _("The agenda is changed."))
            return redirect(row)
    title = found.title if found else str(gone.initiative.title if gone.initiative_id else gone.words)
    return _form(
        request, f"On the agenda: {title}", form, "Save", row.get_absolute_url(), meeting=row, gone=gone
    )


@require_http_methods(TAKES)
def attendance(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the form for attendance."""
    row = _meeting_for(request, pk)
    _insist(request, permissions.may_write_minutes(row, request.user), "write attendance")
    there = [str(key) for key in row.attendance.filter(present=True).values_list("person", flat=True)]
    form = AttendanceForm(sent(request), people=actions.asked(row), row=row, initial={"present": there})
    if request.method == "POST" and form.is_valid():
        present = {int(key) for key in form.cleaned_data["present"]}
        actions.attend(meeting=row, present=present, by=request.user)
        messages.success(request, _("Saved."))
        return redirect(row)
    return _form(request, "Attendance", form, "Save", row.get_absolute_url(), meeting=row)


@require_http_methods(TAKES)
def minutes(request: SignedInRequest, pk: int, point: str) -> HttpResponse:
    """Show all versions of the minutes of a point or of the whole meeting (`all`). The newest can be edited."""
    row = _meeting_for(request, pk)
    found = _point_of(request, row, point)
    versions = list(
        Minutes.objects.filter(meeting=row, point=found).select_related("by").order_by("-version")
    )
    newest = versions[0] if versions else None
    may = permissions.may_write_minutes(row, request.user)
    if request.method == "POST":
        _insist(request, may, "write minutes")
    form = MinutesForm(
        sent(request),
        initial={"text": newest.text if newest else "", "version": newest.version if newest else 0},
    )
    conflict = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.write_minutes(
                meeting=row, point=found, text=given["text"], version=given["version"], by=request.user
            )
        except ValidationError as wrong:
            put_errors(form, wrong)
        except Conflict as lost:
            conflict = lost
        else:
            messages.success(request, _("The minutes are saved."))
            return redirect(row)
    title = "Minutes of the meeting" if found is None else f"Minutes: {found.words or found.initiative.title}"
    status = 409 if conflict else 422 if request.method == "POST" else 200
    more = {
        "versions": versions,
        "conflict": conflict,
        "read_only": not may,
        "why_not": may,
        "status": status,
    }
    return _form(request, title, form, "Save", row.get_absolute_url(), meeting=row, **more)


def _point_of(request: SignedInRequest, row: Meeting, key: str) -> AgendaPoint | None:
    if key == WHOLE and permissions.may_take_pack(row, request.user):
        return None
    shown = {one.key: one.row for one in agenda.points(row, request.user) if one.row is not None}
    if key not in shown:
        raise Http404("This agenda item does not exist.")
    return shown[key]


@require_http_methods(TAKES)
def pack(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the contents and the takers of the pack, or send the file on POST."""
    row = _meeting_for(request, pk)
    _insist(request, permissions.may_take_pack(row, request.user), "take pack")
    points = agenda.points(row, request.user)
    count = len(points)
    parts = max(1, -(-count // board_pack.PART))
    if request.method == "POST":
        asked = request.POST.get("part", "1")
        part = int(asked) if asked.isdecimal() and len(asked) < 4 else 1
        told = board_pack.content(row, request.user, min(max(part, 1), parts))
        content = board_pack_pdf.pdf(told)
        actions.take_pack(
            meeting=row,
            content=content,
            audit_log_size=told.audit_log_size,
            initiatives=[
                {"ref": ref, "digest": one.digest, "entries": one.entries, "newest": one.newest}
                for ref, one in sorted(told.recorded.items())
            ],
            by=request.user,
        )
        response = HttpResponse(content, content_type="application/pdf")
        response["Content-Disposition"] = csv_export.file_name(f"board-pack-{row.held_on}", "pdf")
        response["Cache-Control"] = "private, no-store"
        return response
    context = {
        "nav": "meetings",
        "meeting": row,
        "count": count,
        "parts": range(1, parts + 1),
        "part_size": board_pack.PART,
        "boxed": [point.title for point in points if board_pack_pdf.lost(point.title)],
        "page": page_of(request, row.packs.select_related("by").order_by("-pk"), PAGE),
    }
    return render(request, "adoption/meetings/meeting_pack.html", context)
