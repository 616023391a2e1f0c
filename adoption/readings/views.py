"""Readings: typed on the page of their measure, corrected, brought in as a table, filed as evidence."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from adoption.measures import charts as measure_charts
from adoption.measures import permissions as measure_permissions
from adoption.measures import queries as measure_queries
from adoption.measures.evaluation import said_day
from adoption.measures.views import PER_PAGE, SHOWN, Shown, measure_for
from adoption.models import Measure, Reading
from adoption.models.measures import IMPORTED, TYPED
from adoption.readings import actions, evidence_figures
from adoption.readings.forms import ReadingForm, ReadingsFileForm
from adoption.readings.reading_validation import CORRECTED, DIFFERS, KNOWN, NEW, WRONG
from adoption.readings.table_import import EXPECTED, read_rows
from governance.runtime.signed_in_request import SignedInRequest
from governance.tables.encodings import CodePageUnsure
from governance.tables.reader import read_table
from governance.templatetags.plumbline import day
from initiatives.access import case_lookup
from initiatives.cases.case_frame import case_context, mend, page_of, sent
from initiatives.models import Initiative

FATES = {
    WRONG: "cannot be kept and stay out",
    DIFFERS: "say otherwise than what is here under their key, and stay out",
    NEW: "are new",
    CORRECTED: "correct one that is here",
    KNOWN: "are here already",
}


@require_http_methods(["GET", "HEAD", "POST"])
def measure(request: SignedInRequest, pk: int) -> HttpResponse:
    """One measure: what it comes to, its picture, its goals, its readings, and a form for the next one."""
    row = measure_for(request, pk)
    case = row.initiative
    may = measure_permissions.may_read(case, request.user)
    subject = measure_queries.subject_of(row)
    form = None
    if row.ended_at is None and not row.how.asked_by and (may or request.method == "POST"):
        may.or_refuse()
        form = ReadingForm(row, subject.teams, sent(request))
        if request.method == "POST" and form.is_valid() and _read(request, case, form):
            return redirect("measure", pk=row.pk)
    one = Shown(row, subject)
    marks = measure_charts.marks_of(case)
    one.draw(marks)
    rows = Reading.objects.filter(measure=row).select_related("by")
    rows = rows.annotate(corrected=Exists(Reading.objects.filter(replaces=OuterRef("pk"))))
    goals = list(row.goals.select_related("by").order_by("-number"))
    for one_goal in goals:
        one_goal.shown = subject.said(one_goal.target)
    context = case_context(request, case, page="adoption") | {
        "title": row.words,
        "one": one,
        "form": form,
        "marks": marks,
        "goals": goals,
        "page": page_of(request, rows.order_by("-ends_on", "-pk"), PER_PAGE),
        "may_declare": measure_permissions.may_declare(case, request.user),
        "may_read": may,
    }
    return render(request, "adoption/measures/measure.html", context)


def _read(request: SignedInRequest, case: Initiative, form: ReadingForm) -> bool:
    """Keep what was typed; False when it is wrong, which the form then says."""
    said = form.sent()
    if form.of is None and _twin(form.measure, said):
        form.add_error(None, "There is a reading of this period already. Correct that one, below.")
        return False
    (fate,) = actions.record_readings(case=case, sent=[said], came=TYPED, by=request.user)
    if not fate.good:
        form.add_error(None, f"{fate.words} {fate.fix}".strip())
        return False
    messages.success(request, f"Kept: {said_day(said.starts_on)} to {said_day(said.ends_on)}.")
    return True


def _twin(measure: Measure, said) -> bool:
    rows = Reading.objects.filter(
        measure=measure,
        starts_on=said.starts_on,
        ends_on=said.ends_on,
        about=said.about,
        replaced_by__isnull=True,
    )
    return rows.filter(team__iexact=said.team).exclude(key=said.key).exists()


@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: SignedInRequest, pk: int, reading: int) -> HttpResponse:
    """Correct a reading by a further one, or take it back."""
    row = Reading.objects.filter(measure=measure_for(request, pk), pk=reading).first()
    if row is None:
        raise Http404("No such reading of this measure.")
    row.measure = measure_for(request, pk)
    case = row.measure.initiative
    measure_permissions.may_read(case, request.user).or_refuse()
    form = ReadingForm(row.measure, measure_queries.subject_of(row.measure).teams, sent(request), of=row)
    if request.method == "POST" and form.is_valid() and _read(request, case, form):
        return redirect("measure", pk=row.measure_id)
    context = case_context(request, case, page="adoption") | {
        "form": form,
        "title": _("Correct a reading"),
        "lede": f"{row.measure.words}: {said_day(row.starts_on)} to {said_day(row.ends_on)}.",
        "happens": [
            _("The wrong one stays readable, struck out; the right one takes its place in the series.")
        ],
        "effects": None,
        "danger": False,
        "verb": _("Correct it"),
        "back_url": reverse("measure", args=[row.measure_id]),
    }
    return render(request, "initiatives/cases/case_form.html", context)


@require_POST
def file(request: SignedInRequest, ref: str) -> HttpResponse:
    """File what the readings show as evidence."""
    case = case_lookup.case_for(request.user, ref)
    try:
        item = evidence_figures.file_figures(
            case=case, requirement=request.POST.get("requirement", ""), by=request.user
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("adoption", ref=case.ref)
    messages.success(request, f"Filed as evidence, observed until {day(item.observed_on)}.")
    return redirect("evidence-item", ref=case.ref, pk=item.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def bring_in(request: SignedInRequest, ref: str) -> HttpResponse:
    """A table of readings: sent and looked at; they enter once somebody says so."""
    case = case_lookup.case_for(request.user, ref)
    measure_permissions.may_read(case, request.user).or_refuse()
    form = ReadingsFileForm(request.POST or None, request.FILES or None)
    shown: dict = {}
    if request.method == "POST" and form.is_valid():
        try:
            content, name = form.content(request.user)
            shown = _looked_at(request, case, content, name, form.cleaned_data["encoding"])
            if shown.get("entered") is not None:
                form.throw_away()
                messages.success(request, shown["entered"])
                return redirect("adoption", ref=case.ref)
            form = form.again(request.user)
        except CodePageUnsure as question:
            shown = {"unsure": question}
            form = form.again(request.user, question)
        except ValidationError as wrong:
            mend(form, wrong)
    context = case_context(request, case, page="adoption") | {
        "title": _("Readings from a table"),
        "measures": actions.measures_asked(case).values(),
    }
    return render(
        request, "adoption/measures/readings_import.html", context | {"form": form, "unsure": None} | shown
    )


def _looked_at(request, case, content: bytes, name: str, encoding: str) -> dict:
    """What would become of each line; `entered` in words once they are in."""
    table = read_table(content, encoding=encoding, expected=EXPECTED)
    rows = read_rows(table, actions.measures_asked(case))
    if len(rows) > actions.MOST_AT_ONCE:
        raise ValidationError(
            {"file": f"At most {actions.MOST_AT_ONCE:,} lines enter at once. Split the file."}
        )
    good = [row.sent for row in rows if row.sent is not None]
    enter = request.POST.get("step") == "enter"
    keep = actions.record_readings if enter else actions.look_at_readings
    fates = iter(keep(case=case, sent=good, came=IMPORTED, source=name, by=request.user))
    met = [(row.line, row.sent, row.fate or next(fates)) for row in rows]
    tally = {state: sum(fate.state == state for *_, fate in met) for state in FATES}
    said = [f"{tally[state]} {words}" for state, words in FATES.items() if tally[state]]
    if enter:
        return {"entered": f"Of {len(met)} lines {', '.join(said)}."}
    order = list(FATES)
    return {
        "file_name": name,
        "tally": said,
        "entering": tally[NEW] + tally[CORRECTED],
        "lines": sorted(met, key=lambda one: (order.index(one[2].state), one[0]))[:SHOWN],
        "total": len(met),
    }
