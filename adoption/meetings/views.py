"""The pages of board meetings: plan, agenda, attendance, minutes by point, pack."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from adoption.meetings import actions, agenda, board_pack, board_pack_pdf, permissions
from adoption.meetings.forms import (
    AttendanceForm,
    CallOffForm,
    MeetingForm,
    MinutesForm,
    PlaceForm,
    PlanForm,
    PointForm,
)
from adoption.models import AgendaPoint, Meeting, Minutes
from governance import clock
from governance.audit_log import csv_export
from governance.models import User
from governance.permission_result import Answer, Conflict, no, yes
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.initiative_frame import insist, page_of, sent
from initiatives.lifecycle.initiative.page_steps import PLAIN_ACTS, ROW_ACTS, Frame, PageStep, RowAct

TAKES = ["GET", "HEAD", "POST"]
PAGE = 25
WHOLE = "all"
MEETINGS = Meeting.objects.select_related("board__unit", "secretary", "begun_by", "ended_by", "planned_by")


def _seen(rows: QuerySet, person: User) -> QuerySet:
    return rows.filter(pk__in=permissions.visible_meetings(person).values("pk"))


def _meeting_for(request: SignedInRequest, pk: int) -> Meeting:
    """Return the meeting if the person may see it. Raises Http404."""
    row = _seen(MEETINGS, request.user).filter(pk=pk).first()
    if row is None:
        raise Http404("This meeting does not exist, or you cannot see it.")
    return row


@require_safe
def meetings(request: SignedInRequest) -> HttpResponse:
    """Show the meetings that the person may see, those ahead first."""
    rows = _seen(Meeting.objects.select_related("board"), request.user)
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


def _meeting_page(request, title: str, form, verb: str, back: str, **more) -> HttpResponse:
    context = {
        "nav": "meetings",
        "title": title,
        "form": form,
        "verb": verb,
        "happens": [],
        "danger": False,
        "back_url": back,
        "meeting": None,
    }
    status = more.pop("status", 422 if request.method == "POST" else 200)
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
def agenda_point(request: SignedInRequest, pk: int, point: str) -> HttpResponse:
    """Give a point another place, leave it out, or put it back."""
    row = _meeting_for(request, pk)
    insist(request, permissions.may_lead(row, request.user), "place agenda point", None)
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
    return _meeting_page(
        request, f"On the agenda: {title}", form, "Save", row.get_absolute_url(), meeting=row, gone=gone
    )


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
        insist(request, may, "write minutes", None)
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
    return _meeting_page(request, title, form, "Save", row.get_absolute_url(), meeting=row, **more)


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
    insist(request, permissions.may_take_pack(row, request.user), "take pack", None)
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


def _closing(row: Meeting) -> list:
    happens = [gettext_lazy("Agenda, attendance and minutes can no longer change.")]
    points = agenda.points(row)
    missing = [one.title for one in points if one.row is None or not one.row.minutes.exists()]
    if missing:
        words = ", ".join(missing[:5])
        more = len(missing) > 5
        happens.append(
            phrase("Items without minutes: {} and more.", words)
            if more
            else phrase("Items without minutes: {}.", words)
        )
    return happens


ON_MEETINGS = Frame(nav="meetings", seen=_seen, template="adoption/meetings/meeting_form.html")


def _may_plan(_: User, person: User) -> Answer:
    led = permissions.led_by(person)
    return yes() if led else no("Only the chair or deputy chair of a board can plan meetings.")


PLAIN_ACTS["plan-meeting"] = PageStep(
    frame=ON_MEETINGS,
    may=_may_plan,
    act=actions.plan,
    noun="by",
    form=PlanForm,
    given=lambda person, request: {"boards": permissions.led_by(person)},
    title=gettext_lazy("Plan a meeting"),
    happens=(
        gettext_lazy(
            "Every open review of the board's initiatives is on the agenda automatically. Reviews "
            "that can be decided come first."
        ),
    ),
    back=lambda _: reverse("meetings"),
    after=lambda _, made, person: made.get_absolute_url(),
    context=lambda _, request: {"meeting": None},
    verb=gettext_lazy("Plan the meeting"),
    done=gettext_lazy("The meeting is planned. The members are notified a week before."),
)
ROW_ACTS["meetings/change"] = RowAct(
    rows=MEETINGS,
    frame=ON_MEETINGS,
    may=permissions.may_lead,
    act=actions.change,
    noun="meeting",
    form=MeetingForm,
    given=lambda row, request: {
        "initial": {"held_on": row.held_on, "place": row.place, "secretary": row.secretary_id}
    },
    title=gettext_lazy("Change the meeting"),
    verb=gettext_lazy("Change the meeting"),
    done=gettext_lazy("The meeting is changed."),
)
ROW_ACTS["meetings/begin"] = RowAct(
    rows=MEETINGS,
    frame=ON_MEETINGS,
    may=permissions.may_lead,
    act=actions.begin,
    noun="meeting",
    form=forms.Form,
    title=gettext_lazy("Start the meeting"),
    happens=(
        gettext_lazy("The agenda is fixed from now on. You can still add items without a review."),
        gettext_lazy("Decisions of the chair during the meeting are linked with the meeting automatically."),
        gettext_lazy("You can write attendance and minutes until the meeting is closed."),
    ),
    verb=gettext_lazy("Start the meeting"),
    done=gettext_lazy("The meeting has started."),
)
ROW_ACTS["meetings/close"] = RowAct(
    rows=MEETINGS,
    frame=ON_MEETINGS,
    may=permissions.may_lead,
    act=actions.close,
    noun="meeting",
    form=forms.Form,
    title=gettext_lazy("Close the meeting"),
    happens=_closing,
    verb=gettext_lazy("Close the meeting"),
    danger=True,
    done=gettext_lazy("The meeting is closed. The minutes can no longer change."),
)
ROW_ACTS["meetings/call-off"] = RowAct(
    rows=MEETINGS,
    frame=ON_MEETINGS,
    may=permissions.may_lead,
    act=actions.call_off,
    noun="meeting",
    form=CallOffForm,
    title=gettext_lazy("Cancel the meeting"),
    happens=(gettext_lazy("Reviews stay open, and are on the agenda of the next meeting."),),
    verb=gettext_lazy("Cancel the meeting"),
    danger=True,
    done=gettext_lazy("The meeting is cancelled. Everyone who was invited is notified."),
)
ROW_ACTS["meetings/add-point"] = RowAct(
    rows=MEETINGS,
    frame=ON_MEETINGS,
    may=permissions.may_lead,
    act=actions.add_point,
    noun="meeting",
    form=PointForm,
    title=gettext_lazy("Add an item"),
    verb=gettext_lazy("Add an item"),
    done=gettext_lazy("The item is on the agenda."),
)
ROW_ACTS["meetings/write-attendance"] = RowAct(
    rows=MEETINGS,
    frame=ON_MEETINGS,
    may=permissions.may_write_minutes,
    act=actions.attend,
    noun="meeting",
    form=AttendanceForm,
    given=lambda row, request: {
        "people": actions.asked(row),
        "initial": {"present": [str(one.person_id) for one in row.attendance.filter(present=True)]},
    },
    fields=lambda form: {"present": {int(key) for key in form.cleaned_data["present"]}},
    title=gettext_lazy("Attendance"),
    verb=gettext_lazy("Save"),
    done=gettext_lazy("Saved."),
)
