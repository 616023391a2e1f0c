"""The pages of measurements: typed, corrected, imported, filed as evidence."""

from collections import Counter

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from adoption.measurements import actions, evidence_figures
from adoption.measurements.forms import FiguresForm, MeasurementForm, MeasurementsFileForm
from adoption.measurements.measurement_validation import CORRECTED, DIFFERS, KNOWN, NEW, WRONG, Fate, Sent
from adoption.measurements.table_import import EXPECTED, HEADERS, Row, read_rows
from adoption.measures import charts as measure_charts
from adoption.measures import permissions as measure_permissions
from adoption.measures import queries as measure_queries
from adoption.measures.evaluation import said_day
from adoption.measures.views import PER_PAGE, SHOWN, Shown, measure_for
from adoption.models import Measure, Measurement
from adoption.models.measures import IMPORTED, TYPED
from governance.models import User
from governance.runtime.signed_in_request import SignedInRequest
from governance.tables import importing
from governance.tables.importing import Look, SentTable, ShownLine, Target
from governance.templatetags.plumbline import day
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative.initiative_frame import acted, initiative_context, page_of, sent
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, ROW_ACTS, PageStep, RowAct
from initiatives.models import Initiative

FATES = {
    WRONG: "cannot be saved",
    DIFFERS: "have different values from the measurement with the same key",
    NEW: "are new",
    CORRECTED: "correct an earlier measurement",
    KNOWN: "exist already",
}


@require_http_methods(["GET", "HEAD", "POST"])
def measure(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one measure: verdict, chart, goals, measurements, form for the next one."""
    row = measure_for(request, pk)
    initiative = row.initiative
    may = measure_permissions.may_read(initiative, request.user)
    subject = measure_queries.subject_of(row)
    form = None
    if row.ended_at is None and not row.how.asked_by and (may or request.method == "POST"):
        may.or_refuse()
        form = MeasurementForm(sent(request), measure=row, teams=subject.teams)
        if said := acted(
            request, form, lambda: _record(measurement=None, sent=form.sent(), measure=row, by=request.user)
        ):
            _say_saved(request, said)
            return redirect("measure", pk=row.pk)
    one = Shown(row, subject)
    marks = measure_charts.marks_of(initiative)
    one.draw(marks)
    rows = Measurement.objects.filter(measure=row).select_related("by")
    rows = rows.annotate(corrected=Exists(Measurement.objects.filter(replaces=OuterRef("pk"))))
    goals = list(row.goals.select_related("by").order_by("-number"))
    for one_goal in goals:
        one_goal.shown = subject.said(one_goal.target)
    context = initiative_context(request, initiative, page="adoption") | {
        "title": row.words,
        "one": one,
        "form": form,
        "marks": marks,
        "goals": goals,
        "page": page_of(request, rows.order_by("-ends_on", "-pk"), PER_PAGE),
        "may_declare": measure_permissions.may_declare(initiative, request.user),
        "may_read": may,
    }
    return render(request, "adoption/measures/measure.html", context)


def _record(*, measurement: Measurement | None, sent: Sent, measure: Measure, by: User) -> Sent:
    """Keep the typed measurement, which corrects `measurement` if given. Raises ValidationError if it is wrong."""
    (fate,) = actions.record_measurements(initiative=measure.initiative, sent=[sent], came=TYPED, by=by)
    if not fate.good:
        raise ValidationError(f"{fate.words} {fate.fix}".strip())
    return sent


def _say_saved(request: SignedInRequest, said: Sent) -> None:
    messages.success(
        request, phrase("Saved: {} to {}.", said_day(said.starts_on), said_day(said.ends_on)).in_language()
    )


INITIATIVE_ACTS["file-figures"] = PageStep(
    may=measure_permissions.may_read,
    act=evidence_figures.file_figures,
    after=lambda initiative, made, person: reverse("evidence-item", args=[initiative.ref, made.pk]),
    form=FiguresForm,
    given=lambda initiative, request: {"initial": {"requirement": request.GET.get("requirement", "")}},
    page="adoption",
    title=gettext_lazy("File measurements as evidence"),
    happens=(
        gettext_lazy(
            "The current measurements become an item of evidence. Later measurements do not change this item."
        ),
    ),
    verb=gettext_lazy("File as evidence"),
    done=gettext_lazy("The measurements are filed as evidence."),
)


class MeasurementsTable(Target):
    """A table of measurements. Each line enters once, or corrects the one that it names."""

    form_class = MeasurementsFileForm
    columns = HEADERS
    expected = EXPECTED
    headings = (
        (gettext_lazy("Period"), "nowrap"),
        (gettext_lazy("Team"), ""),
        (gettext_lazy("Figure"), "num"),
        (gettext_lazy("n"), "num"),
    )
    frame = "initiatives/contracts/initiative_base.html"
    help_template = "adoption/measures/_measurements_table.html"
    title = gettext_lazy("Measurements from a table")
    lede = gettext_lazy(
        "Preview the lines before you import them. Uploading a file twice adds no duplicates. If a line "
        "corrects an earlier measurement, enter the key of that measurement in the column “replaces”."
    )

    def __init__(self, request: SignedInRequest, initiative: Initiative):
        self.request, self.initiative = request, initiative
        self.back = reverse("adoption", args=[initiative.ref])

    def context(self) -> dict:
        """Return the initiative around the page, and its measures."""
        measures = [one for one in actions.measures_asked(self.initiative).values() if not one.ended]
        return initiative_context(self.request, self.initiative, page="adoption") | {
            "help": {"measures": measures, "back": self.back}
        }

    def look(self, sent: SentTable) -> Look:
        """Return the result that each line would have."""
        rows = self._rows(sent)
        met = self._met(rows, actions.look_at_measurements, sent)
        order = list(FATES)
        met.sort(key=lambda one: (order.index(one[1].state), one[0].line))
        return Look(
            [_shown(row, fate) for row, fate in met[:SHOWN]],
            len(met),
            _tally(met),
            entering=sum(fate.state in (NEW, CORRECTED) for _row, fate in met),
        )

    def enter(self, sent: SentTable, look: Look) -> str:
        """Keep the measurements. Returns the summary."""
        met = self._met(self._rows(sent), actions.record_measurements, sent)
        said = [f"{count} {words}" for words, count in _tally(met).items()]
        return f"{len(met)} lines: {', '.join(said)}."

    def _rows(self, sent: SentTable) -> list[Row]:
        rows = read_rows(sent.table, actions.measures_asked(self.initiative))
        if len(rows) > actions.MOST_AT_ONCE:
            raise ValidationError(
                {
                    "file": phrase(
                        "The file has {} lines. Import at most {} at once. Split the file.",
                        f"{len(rows):,}",
                        f"{actions.MOST_AT_ONCE:,}",
                    )
                }
            )
        return rows

    def _met(self, rows: list[Row], act, sent: SentTable) -> list[tuple[Row, Fate]]:
        """Return each line with its result, by an act that previews or keeps measurements."""
        good = [row.sent for row in rows if row.sent is not None]
        fates = iter(
            act(initiative=self.initiative, sent=good, came=IMPORTED, source=sent.name, by=self.request.user)
        )
        return [(row, row.fate or next(fates)) for row in rows]


def _tally(met: list[tuple[Row, Fate]]) -> dict[str, int]:
    found = Counter(fate.state for _row, fate in met)
    return {words: found[state] for state, words in FATES.items() if found[state]}


def _shown(row: Row, fate: Fate) -> ShownLine:
    """Return a line as it is understood, with its result."""
    words, tone = {
        NEW: (_("new"), "ok"),
        CORRECTED: (_("correction"), "ok"),
        KNOWN: (_("exists already"), ""),
    }.get(fate.state, (_("not imported"), "bad"))
    sent = row.sent
    cells = ("", "", "", "")
    if sent is not None:
        figure = sent.value if sent.hits is None else sent.hits
        period = _("%(first)s to %(last)s") % {"first": day(sent.starts_on), "last": day(sent.ends_on)}
        cells = (period, sent.team[:60], "" if figure is None else str(figure), str(sent.n))
    why = f"{fate.words} {fate.fix}".strip() if fate.state != KNOWN else ""
    return ShownLine(row.line, cells, words, tone, (why,) if why else ())


@require_http_methods(["GET", "HEAD", "POST"])
def bring_in(request: SignedInRequest, ref: str) -> HttpResponse:
    """Import a table of measurements: upload, preview, then enter on confirmation."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    measure_permissions.may_read(initiative, request.user).or_refuse()
    return importing.bring_in(request, MeasurementsTable(request, initiative))


ROW_ACTS["measurements/correct"] = RowAct(
    rows=Measurement.objects.select_related("measure__initiative__unit", "measure__initiative__contract"),
    of="measure",
    may=lambda row, person: measure_permissions.may_read(row.measure.initiative, person),
    act=_record,
    noun="measurement",
    page="adoption",
    form=MeasurementForm,
    given=lambda row, request: {
        "measure": row.measure,
        "teams": measure_queries.subject_of(row.measure).teams,
        "of": row,
    },
    fields=lambda form: {"sent": form.sent(), "measure": form.measure},
    back=lambda row: reverse("measure", args=[row.measure_id]),
    title=gettext_lazy("Correct a measurement"),
    lede=lambda row: phrase(
        "{}: {} to {}.", row.measure.words, said_day(row.starts_on), said_day(row.ends_on)
    ),
    happens=(
        gettext_lazy(
            "The wrong measurement stays visible, struck out. The correction replaces it in the series."
        ),
    ),
    then=_say_saved,
    verb=gettext_lazy("Correct measurement"),
    done="",
)
