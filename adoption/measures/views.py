"""The tab "Adoption": measures, verdicts, typed and imported measurements, goals."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from adoption.measures import actions, charts, permissions, queries
from adoption.measures.evaluation import CANNOT_TELL, MET, NOT_MET, Verdict, judge
from adoption.measures.forms import DeclareForm, GoalForm, InstrumentForm
from adoption.models import Measure
from adoption.models.instruments import ASKED, INSTRUMENTS
from governance import clock
from governance.models import Rulebook
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative.initiative_frame import acted, initiative_context, sent
from initiatives.lifecycle.initiative.page_steps import ROW_ACTS, RowAct, on_initiative

TONES = {MET: "ok", NOT_MET: "bad", CANNOT_TELL: "warn"}
PER_PAGE, SHOWN = 25, 100


class Shown:
    """A measure as its page and the API show it.

    `rows` are its weeks, the newest first, and `silent` of them have no data.
    """

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
        self.weeks = charts.weeks_of(subject)
        self.rows = [self._row(week) for week in reversed(self.weeks)]
        self.silent = sum(week.figure is None for week in self.weeks)

    def draw(self, marks) -> None:
        """Add its chart."""
        self.picture = charts.measurements(self.subject, self.weeks, marks)

    def _row(self, week: charts.Week) -> dict:
        """Return a week with its figure in words, which are None if the week has no data."""
        figure, said = week.figure, self.subject.said
        return {
            "week": week.first,
            "point": said(figure.point) if figure else None,
            "low": said(figure.low) if figure else None,
            "high": said(figure.high) if figure else None,
            "n": figure.n if figure else None,
        }


@require_safe
def adoption(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the verdicts on use and trust by requirement, the value, and next steps."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    found = queries.subjects([initiative.pk])[initiative.pk]
    rulebook, marks = Rulebook.objects.current().parsed, charts.marks_of(initiative)
    shown = [Shown(measure, subject) for measure, subject in found]
    for one in shown:
        one.draw(marks)
    asked = []
    for key in ASKED:
        if key not in rulebook.requirements:
            continue
        own = [one for one in shown if one.measure.requirement == key]
        lacking = queries.lacking(key, [one.measure for one in own])
        word = "not measured" if lacking else min((one.verdict.word for one in own), key=_order)
        asked.append(
            {
                "key": key,
                "question": rulebook.requirements[key].question,
                "counts": rulebook.requirements[key].counts,
                "measures": own,
                "lacking": [[INSTRUMENTS[name] for name in group] for group in lacking],
                "word": word,
                "tone": TONES.get(word, "warn"),
                "can_file": not lacking and all(one.verdict.word != CANNOT_TELL for one in own),
            }
        )
    context = initiative_context(request, initiative, page="adoption") | {
        "title": _("Adoption"),
        "asked": asked,
        "value": [one for one in shown if one.measure.how.value],
        "marks": marks,
        "some": bool(shown),
        "may_declare": permissions.may_declare(initiative, request.user),
        "may_read": permissions.may_read(initiative, request.user),
        "survey": initiative.surveys.order_by("-id").first(),
        "ended": Measure.objects.filter(initiative=initiative, ended_at__isnull=False).order_by("-ended_at"),
    }
    return render(request, "adoption/measures/adoption.html", context)


def _order(word: str) -> int:
    return (NOT_MET, CANNOT_TELL, MET).index(word)


@require_http_methods(["GET", "HEAD", "POST"])
def declare(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the form that declares a measure. The instrument comes before baseline, target and method."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    permissions.may_declare(initiative, request.user).or_refuse()
    how = INSTRUMENTS.get(request.GET.get("instrument", ""))
    back = reverse("adoption", args=[initiative.ref])
    if how is None:
        context = initiative_context(request, initiative, page="adoption") | {
            "title": _("Declare a measure"),
            "form": InstrumentForm(),
            "back_url": back,
        }
        return render(request, "adoption/measures/measure_choose.html", context)
    scope = queries.scopes_now([initiative.pk]).get(initiative.pk)
    start = {"intended": scope.user_count, "population": scope.users[:200]} if scope is not None else {}
    form = DeclareForm(how, sent(request), initial=start)
    if row := acted(
        request,
        form,
        lambda: actions.declare_measure(
            initiative=initiative, by=request.user, **(form.cleaned_data | {"instrument": how.key})
        ),
    ):
        messages.success(request, _("The measure is declared. Add its first measurement."))
        return redirect("measure", pk=row.pk)
    context = initiative_context(request, initiative, page="adoption") | {
        "form": form,
        "title": how.words,
        "lede": f"{how.asks}.",
        "happens": [],
        "effects": None,
        "danger": False,
        "verb": _("Declare measure"),
        "back_url": back,
    }
    return render(request, "initiatives/initiative/initiative_form.html", context)


def measure_for(request: SignedInRequest, pk: int) -> Measure:
    """Return the measure if the person sees its initiative. Raises Http404."""
    rows = Measure.objects.select_related(
        "initiative__unit", "initiative__contract", "declared_by", "ended_by"
    )
    return initiative_lookup.of_initiative(rows, request.user, pk)


ROW_ACTS["measures/move-goal"] = RowAct(
    rows=Measure.objects.select_related("initiative__unit", "initiative__contract"),
    may=on_initiative(permissions.may_declare),
    act=actions.move_goal,
    noun="measure",
    page="adoption",
    form=GoalForm,
    given=lambda row, request: {"how": row.how, "goal": row.goals.order_by("-number").first()},
    back=lambda row: reverse("measure", args=[row.pk]),
    title=gettext_lazy("Change the target"),
    lede=lambda row: row.words,
    happens=(
        gettext_lazy("The current goal stays visible, with the person who changed it and the reason."),
        gettext_lazy("A less strict target applies only to periods that begin today or later."),
    ),
    verb=gettext_lazy("Change target"),
    done=gettext_lazy("The goal is changed. The earlier goal stays visible."),
)
ROW_ACTS["measures/close"] = RowAct(
    rows=Measure.objects.select_related("initiative__unit", "initiative__contract"),
    may=on_initiative(permissions.may_declare),
    act=actions.close_measure,
    noun="measure",
    page="adoption",
    back=lambda row: reverse("measure", args=[row.pk]),
    title=gettext_lazy("Close the measure"),
    lede=lambda row: row.words,
    happens=(
        gettext_lazy("The measurements stay visible."),
        gettext_lazy("Gates then list this measure as missing."),
    ),
    verb=gettext_lazy("Close the measure"),
    danger=True,
    done=gettext_lazy("The measure is closed."),
)
