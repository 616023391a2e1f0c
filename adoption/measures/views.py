"""The tab "Adoption": what is measured, what it comes to in words, readings typed and imported, goals that move."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from adoption.measures import actions, charts, permissions, queries
from adoption.measures.evaluation import CANNOT_TELL, MET, NOT_MET, Verdict, judge, said_day
from adoption.measures.forms import DeclareForm, GoalForm, InstrumentForm, ReadingForm, ReadingsFileForm
from adoption.models import Measure, Reading
from adoption.models.instruments import ASKED, INSTRUMENTS
from adoption.models.measures import IMPORTED, TYPED
from adoption.readings import actions as reading_actions
from adoption.readings import evidence_figures
from adoption.readings.reading_validation import CORRECTED, DIFFERS, KNOWN, NEW, WRONG
from adoption.readings.table_import import EXPECTED, read_rows
from governance import clock
from governance.models import Rulebook
from governance.runtime.signed_in_request import SignedInRequest
from governance.tables.encodings import CodePageUnsure
from governance.tables.reader import read_table
from governance.templatetags.plumbline import day
from initiatives.cases import access
from initiatives.cases.case_frame import acted, case_context, mend, page_of, sent
from initiatives.form_fields import ReasonForm
from initiatives.models import Initiative

TONES = {MET: "ok", NOT_MET: "bad", CANNOT_TELL: "warn"}
PER_PAGE, SHOWN = 25, 100
FATES = {
    WRONG: "cannot be kept and stay out",
    DIFFERS: "say otherwise than what is here under their key, and stay out",
    NEW: "are new",
    CORRECTED: "correct one that is here",
    KNOWN: "are here already",
}


class Shown:
    """A measure as its page shows it."""

    def __init__(self, measure: Measure, subject):
        self.measure, self.subject = measure, subject
        self.key = f"measure{measure.pk}"  # of its picture on the page
        self.verdict: Verdict = judge(subject).on(clock.today())
        self.tone = TONES[self.verdict.word]
        self.aim = subject.aims[-1]
        self.target = subject.said(self.aim.target)
        self.baseline = subject.said(self.aim.baseline) if self.aim.baseline is not None else ""
        self.stricter = ""
        if self.verdict.asked is not None and self.verdict.asked != self.aim.target:
            self.stricter = subject.said(self.verdict.asked)

    def draw(self, marks) -> None:
        """Add its picture, and the weeks behind it as a table."""
        weeks = charts.weeks_of(self.subject)
        self.picture = charts.readings(self.subject, weeks, marks)
        self.rows = [
            {
                "week": week.first,
                "point": self.subject.said(week.figure.point),
                "low": self.subject.said(week.figure.low),
                "high": self.subject.said(week.figure.high),
                "n": week.figure.n,
            }
            for week in reversed(weeks)
            if week.figure is not None
        ]


@require_safe
def adoption(request: SignedInRequest, ref: str) -> HttpResponse:
    """Whether it is used and trusted, by requirement, in words; value; and where to go on."""
    case = access.case_for(request.user, ref)
    found = queries.subjects([case.pk])[case.pk]
    book, marks = Rulebook.objects.current().book, charts.marks_of(case)
    shown = [Shown(measure, subject) for measure, subject in found]
    for one in shown:
        one.draw(marks)
    asked = []
    for key in ASKED:
        if key not in book.requirements:
            continue
        own = [one for one in shown if one.measure.requirement == key]
        lacking = queries.lacking(key, [one.measure for one in own])
        word = "not measured" if lacking else min((one.verdict.word for one in own), key=_order)
        asked.append(
            {
                "key": key,
                "question": book.requirements[key].question,
                "counts": book.requirements[key].counts,
                "measures": own,
                "lacking": [[INSTRUMENTS[name] for name in group] for group in lacking],
                "word": word,
                "tone": TONES.get(word, "warn"),
                "can_file": not lacking and all(one.verdict.word != CANNOT_TELL for one in own),
            }
        )
    context = case_context(request, case, tab="adoption") | {
        "title": "Adoption",
        "asked": asked,
        "value": [one for one in shown if one.measure.how.value],
        "marks": marks,
        "some": bool(shown),
        "may_declare": permissions.may_declare(case, request.user),
        "may_read": permissions.may_read(case, request.user),
        "pulse": case.pulses.order_by("-id").first(),
        "ended": Measure.objects.filter(initiative=case, ended_at__isnull=False).order_by("-ended_at"),
    }
    return render(request, "adoption/measures/adoption.html", context)


def _order(word: str) -> int:
    return (NOT_MET, CANNOT_TELL, MET).index(word)


@require_http_methods(["GET", "HEAD", "POST"])
def declare(request: SignedInRequest, ref: str) -> HttpResponse:
    """Declare a measure: first what, then baseline, target and how."""
    case = access.case_for(request.user, ref)
    permissions.may_declare(case, request.user).or_refuse()
    how = INSTRUMENTS.get(request.GET.get("instrument", ""))
    back = reverse("adoption", args=[case.ref])
    if how is None:
        context = case_context(request, case, tab="adoption") | {
            "title": "Declare a measure",
            "form": InstrumentForm(),
            "back_url": back,
        }
        return render(request, "adoption/measures/measure_choose.html", context)
    scope = queries.scopes_now([case.pk]).get(case.pk)
    start = {"intended": scope.user_count, "population": scope.users[:200]} if scope is not None else {}
    form = DeclareForm(how, sent(request), initial=start)
    if row := acted(
        request,
        form,
        lambda: actions.declare_measure(
            case=case, by=request.user, **(form.cleaned_data | {"instrument": how.key})
        ),
    ):
        messages.success(request, "Declared. It waits for its first reading.")
        return redirect("measure", pk=row.pk)
    context = case_context(request, case, tab="adoption") | {
        "form": form,
        "title": how.words,
        "lede": f"{how.asks}.",
        "happens": [],
        "effects": None,
        "verb": "Declare it",
        "back_url": back,
    }
    return render(request, "initiatives/cases/case_form.html", context)


def _measure_for(request: SignedInRequest, pk: int) -> Measure:
    rows = Measure.objects.select_related(
        "initiative__unit", "initiative__contract", "declared_by", "ended_by"
    )
    return access.of_case(rows, request.user, pk)


@require_http_methods(["GET", "HEAD", "POST"])
def measure(request: SignedInRequest, pk: int) -> HttpResponse:
    """One measure: what it comes to, its picture, its goals, its readings, and a form for the next one."""
    row = _measure_for(request, pk)
    case = row.initiative
    may = permissions.may_read(case, request.user)
    subject = queries.subject_of(row)
    form = None
    if row.ended_at is None and not row.how.asked_by and (may or request.method == "POST"):
        may.or_refuse()
        form = ReadingForm(row, subject.teams, sent(request))
        if request.method == "POST" and form.is_valid() and _read(request, case, form):
            return redirect("measure", pk=row.pk)
    one = Shown(row, subject)
    marks = charts.marks_of(case)
    one.draw(marks)
    rows = Reading.objects.filter(measure=row).select_related("by")
    rows = rows.annotate(corrected=Exists(Reading.objects.filter(replaces=OuterRef("pk"))))
    goals = list(row.goals.select_related("by").order_by("-number"))
    for one_goal in goals:
        one_goal.shown = subject.said(one_goal.target)
    context = case_context(request, case, tab="adoption") | {
        "title": row.words,
        "one": one,
        "form": form,
        "marks": marks,
        "goals": goals,
        "page": page_of(request, rows.order_by("-ends_on", "-pk"), PER_PAGE),
        "may_declare": permissions.may_declare(case, request.user),
        "may_read": may,
    }
    return render(request, "adoption/measures/measure.html", context)


def _read(request: SignedInRequest, case: Initiative, form: ReadingForm) -> bool:
    """Keep what was typed; False when it is wrong, which the form then says."""
    said = form.sent()
    if form.of is None and _twin(form.measure, said):
        form.add_error(None, "There is a reading of this period already. Correct that one, below.")
        return False
    (fate,) = reading_actions.record_readings(case=case, sent=[said], came=TYPED, by=request.user)
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
def goal(request: SignedInRequest, pk: int) -> HttpResponse:
    """Move the goal of a measure, in the open."""
    row = _measure_for(request, pk)
    case = row.initiative
    permissions.may_declare(case, request.user).or_refuse()
    last = row.goals.order_by("-number").first()
    form = GoalForm(row.how, last, sent(request))
    back = reverse("measure", args=[row.pk])
    if acted(request, form, lambda: actions.move_goal(measure=row, by=request.user, **form.cleaned_data)):
        messages.success(request, "The goal moved. What stood before stays readable.")
        return redirect(back)
    context = case_context(request, case, tab="adoption") | {
        "form": form,
        "title": "Move the goal",
        "lede": row.words,
        "happens": [
            "The goal that stands now stays readable, with who moved it and why.",
            "A looser target counts only for periods that begin from today on.",
        ],
        "effects": None,
        "verb": "Move it",
        "back_url": back,
    }
    return render(request, "initiatives/cases/case_form.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def end(request: SignedInRequest, pk: int) -> HttpResponse:
    """End a measure."""
    row = _measure_for(request, pk)
    case = row.initiative
    permissions.may_declare(case, request.user).or_refuse()
    form = ReasonForm(sent(request))
    if acted(request, form, lambda: actions.end_measure(measure=row, by=request.user, **form.cleaned_data)):
        messages.success(request, "The measure ended.")
        return redirect("adoption", ref=case.ref)
    context = case_context(request, case, tab="adoption") | {
        "form": form,
        "title": "End the measure",
        "lede": row.words,
        "happens": ["Its readings stay readable.", "What it showed is not shown any more, and gates say so."],
        "effects": None,
        "verb": "End it",
        "danger": True,
        "back_url": reverse("measure", args=[row.pk]),
    }
    return render(request, "initiatives/cases/case_form.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: SignedInRequest, pk: int, reading: int) -> HttpResponse:
    """Correct a reading by a further one, or take it back."""
    row = Reading.objects.filter(measure=_measure_for(request, pk), pk=reading).first()
    if row is None:
        raise Http404("No such reading of this measure.")
    row.measure = _measure_for(request, pk)
    case = row.measure.initiative
    permissions.may_read(case, request.user).or_refuse()
    form = ReadingForm(row.measure, queries.subject_of(row.measure).teams, sent(request), of=row)
    if request.method == "POST" and form.is_valid() and _read(request, case, form):
        return redirect("measure", pk=row.measure_id)
    context = case_context(request, case, tab="adoption") | {
        "form": form,
        "title": "Correct a reading",
        "lede": f"{row.measure.words}: {said_day(row.starts_on)} to {said_day(row.ends_on)}.",
        "happens": ["The wrong one stays readable, struck out; the right one takes its place in the series."],
        "effects": None,
        "verb": "Correct it",
        "back_url": reverse("measure", args=[row.measure_id]),
    }
    return render(request, "initiatives/cases/case_form.html", context)


@require_POST
def file(request: SignedInRequest, ref: str) -> HttpResponse:
    """File what the readings show as evidence."""
    case = access.case_for(request.user, ref)
    try:
        item = evidence_figures.file_figures(
            case=case, requirement=request.POST.get("requirement", ""), by=request.user
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("adoption", ref=case.ref)
    messages.success(request, f"Filed as evidence, observed until {day(item.observed_on)}.")
    return redirect("evidence-item", ref=case.ref, pk=item.pk)


# --- From a table ----------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def bring_in(request: SignedInRequest, ref: str) -> HttpResponse:
    """A table of readings: sent and looked at; they enter once somebody says so."""
    case = access.case_for(request.user, ref)
    permissions.may_read(case, request.user).or_refuse()
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
    context = case_context(request, case, tab="adoption") | {
        "title": "Readings from a table",
        "measures": reading_actions.measures_asked(case).values(),
    }
    return render(request, "adoption/measures/readings_import.html", context | {"form": form} | shown)


def _looked_at(request, case, content: bytes, name: str, encoding: str) -> dict:
    """What would become of each line; `entered` in words once they are in."""
    table = read_table(content, encoding=encoding, expected=EXPECTED)
    rows = read_rows(table, reading_actions.measures_asked(case))
    if len(rows) > reading_actions.MOST_AT_ONCE:
        raise ValidationError(
            {"file": f"At most {reading_actions.MOST_AT_ONCE:,} lines enter at once. Split the file."}
        )
    good = [row.sent for row in rows if row.sent is not None]
    enter = request.POST.get("step") == "enter"
    keep = reading_actions.record_readings if enter else reading_actions.look_at_readings
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
