"""Pages of effort: week by week, typed or from an issue tracker's table."""

from dataclasses import replace
from datetime import date, timedelta

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.template.defaultfilters import floatformat, pluralize
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance import clock
from governance.tables import importing
from governance.tables.importing import Look, SentTable, ShownLine, Target
from governance.templatetags.plumbline import day
from governance.vocabulary import Layer
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import DayField
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative.initiative_frame import (
    fix,
    initiative_context,
    outgrown_banner,
    page_of,
)
from initiatives.lifecycle.initiative.page_steps import ROW_ACTS, STRUCK_OUT, RowAct, recorded
from initiatives.models import Effort, SystemImportMapping
from initiatives.portfolio.efforts import actions, charts, queries
from initiatives.portfolio.efforts.actions import (
    DIFFERS,
    NEW,
    SAME,
    WITHDRAWN,
    WRONG,
    Fate,
    fates,
    unknown_authors,
)
from initiatives.portfolio.efforts.effort_import import (
    How,
    guessed,
    headers_of,
    monday,
    questions,
    read,
    remarks_of,
    remembered,
    words_of,
)
from initiatives.portfolio.efforts.forms import EffortFileForm, EffortForm, EffortMappingForm, WeekForm

PER_PAGE = 20
ASKED = 10  # authors that the page asks about above the lines; each has its field below
SHOWN = 100  # lines of a table, what is wrong with them first
FATES = {
    WRONG: "cannot be read",
    DIFFERS: "differ from the earlier import",
    NEW: "are new",
    SAME: "were imported earlier and stay unchanged",
    WITHDRAWN: "were withdrawn here and stay withdrawn",
}


def effort(request, ref):
    """Show effort, money and waiting by layer and week, with the forms for both."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    form = week_form = None
    if request.method == "POST":
        initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
        whole_week = "whole_week" in request.POST
        sent_form = WeekForm(request.POST) if whole_week else EffortForm(request.POST)
        if sent_form.is_valid() and (answer := _noted(request, initiative, sent_form)):
            return answer
        form, week_form = (None, sent_form) if whole_week else (sent_form, None)
    week, this = _week_asked(request), monday(clock.today())
    context = initiative_context(request, initiative, "integration")
    told = queries.of_initiative(initiative)
    rows = initiative.efforts.select_related(
        "by", "withdrawn_by", "waits_for", "waits_for_system", "worked_by"
    )
    page = page_of(request, rows.order_by("-at", "-pk"), PER_PAGE)
    for row in page:
        row.said = _said(row)
        row.may_withdraw_note = bool(initiative_permissions.may_withdraw_note(initiative, row, request.user))
    may_note = context["may"].collaborate
    if form is None and may_note:
        last = page.paginator.count and rows.order_by("-at", "-pk").first()
        form = EffortForm(initial={"week": week, "layer": last.layer if last else "integration"})
    context |= {
        "title": _("Effort"),
        "told": told,
        "picture": charts.effort(told.weeks),
        "page": page,
        "form": form if may_note else None,
        "week_form": (week_form or WeekForm(initial={"week": week})) if may_note else None,
        "week_before": week - timedelta(weeks=1),
        "week_now": this if week != this else None,
        "may_note": may_note,
        "known": _known(initiative) if may_note else [],
        "banners": [*context["banners"], *outgrown_banner(initiative)],
    }
    return render(request, "initiatives/efforts/effort.html", context)


def _noted(request, initiative, form: WeekForm | EffortForm):
    """Save what was typed and return a redirect to its week, or None if it is invalid."""
    fields = form.noted()
    try:
        if isinstance(form, WeekForm):
            rows = actions.note_week(initiative=initiative, by=request.user, **fields)
        else:
            rows = [actions.note_effort(initiative=initiative, by=request.user, **fields)]
    except ValidationError as error:
        fix(form, error)
        return None
    week, layers = monday(fields["week"]), ", ".join(row.get_layer_display().lower() for row in rows)
    messages.success(request, phrase("Recorded for the week of {}: {}.", day(week), layers).in_language())
    field = form["hours" if "hours" in form.fields else rows[0].layer]
    return redirect(
        f"{reverse('integration-effort', args=[initiative.ref])}?week={week}#{field.id_for_label}"
    )


def _said(row: Effort) -> str:
    """Return a line in words: what was spent, what was waited for, and its subject."""
    spent = [f"{floatformat(row.hours, -2)} h"] if row.hours else []
    if row.money:
        spent.append(f"{row.currency} {floatformat(row.money, '-2g')}")
    if row.waited_days:
        days = f"{floatformat(row.waited_days, -2)} day{pluralize(row.waited_days)} waited"
        spent.append(f"{days} for {row.awaited}" if row.awaited else days)
    if row.worked_by_id:
        spent[0] += f" of {row.worked_by}"
    return f"{', '.join(spent)}: {row.words}" if row.words else ", ".join(spent)


def _week_asked(request) -> date:
    """Return the Monday of the week in the address, or else of this week."""
    try:
        return monday(DayField().clean(request.GET.get("week")))
    except ValidationError:
        return monday(clock.today())


def _people(initiative) -> list[str]:
    """Return the names of the people on the initiative."""
    return sorted(
        {row.person.full_name for row in initiative_rows.roles(initiative) if row.in_force}, key=str.casefold
    )


def _known(initiative) -> list[str]:
    """Return the names that the field offers: people and systems of the initiative."""
    systems = initiative.links.current().values_list("system__name", flat=True)
    return sorted({*_people(initiative), *systems}, key=str.casefold)


ROW_ACTS["efforts/withdraw"] = RowAct(
    rows=Effort.objects.select_related("initiative__unit", "by"),
    may=lambda row, person: initiative_permissions.may_withdraw_note(row.initiative, row, person),
    act=actions.withdraw_effort,
    noun="effort",
    page="integration",
    back="integration-effort",
    title=gettext_lazy("Withdraw effort"),
    lede=recorded,
    happens=(STRUCK_OUT, gettext_lazy("The line no longer counts.")),
    verb=gettext_lazy("Withdraw the effort"),
    done=gettext_lazy("The effort is withdrawn."),
)


# --- From an issue tracker ---------------------------------------------------------------------------------------


class EffortTable(Target):
    """A table of an issue tracker. Each line enters once, however often its file is sent."""

    form_class = EffortFileForm
    headings = (
        (gettext_lazy("Day"), "nowrap"),
        (gettext_lazy("Author"), ""),
        (gettext_lazy("Layer"), ""),
        (gettext_lazy("Hours"), "num"),
        (gettext_lazy("Money"), ""),
        (gettext_lazy("Waited"), ""),
        (gettext_lazy("What"), ""),
    )
    frame = "initiatives/contracts/initiative_base.html"
    title = gettext_lazy("Effort from an issue tracker")
    lede = gettext_lazy(
        "Import a table from any issue tracker, with one line for each piece of work. Preview the "
        "lines before you import them. Uploading a file twice adds no duplicates."
    )

    def __init__(self, request, initiative):
        self.request, self.initiative = request, initiative
        self.back = reverse("integration-effort", args=[initiative.ref])

    def context(self) -> dict:
        """Return the context of the initiative around the page."""
        return initiative_context(self.request, self.initiative, "integration")

    def look(self, sent: SentTable) -> Look:
        """Return how the table is read, the open questions, and the result for each line."""
        table = sent.table
        known = SystemImportMapping.objects.filter(kind="efforts", headers=headers_of(table)).first()
        how = remembered(table, known.columns) if known else guessed(table)
        mapping, how = self._mapping(sent, how)
        met = fates(self.initiative, read(table, how, clock.today()))
        new = [fate.worked for fate in met if fate.state in (NEW, DIFFERS)]
        unknown = set(unknown_authors(new, how.people))
        tally = {words: count for state, words in FATES.items() if (count := _count(met, state))}
        if unsure := sum(worked.guessed for worked in new):
            tally[_("without a work log (week guessed from the day of the last change)")] = unsure
        order = list(FATES)
        met.sort(key=lambda fate: (order.index(fate.state), fate.worked.line))
        return Look(
            [_shown(fate, unknown) for fate in met[:SHOWN]],
            len(met),
            tally,
            entering=_count(met, NEW),
            takes=True,
            remarks=remarks_of(table, how),
            asked=[
                *questions(table, how).values(),
                *map(actions.author_asked, sorted(unknown)[:ASKED]),
            ],
            mapping=mapping,
            mapped=f"{known.by} chose this mapping for a table with the same headers on {day(known.at)}."
            if known
            else _("Plumbline guessed this mapping from the headers and words of the file."),
            names=_people(self.initiative) if mapping.authors else [],
        )

    def _mapping(self, sent: SentTable, how: How) -> tuple[EffortMappingForm, How]:
        """Return the mapping form, and how the table is read with its answers."""
        table, posted = sent.table, sent.posted if sent.posted.get("step") else None
        if posted is not None:
            chosen = {role: posted.get(f"column_{role}", "") for role in ("layer", "author")}
            chosen = {role: column if column in table.columns else "" for role, column in chosen.items()}
            how = replace(how, columns={**how.columns, **chosen})
        words = words_of(table, how.columns.get("layer", ""))
        authors = unknown_authors(read(table, how, clock.today()), {})
        mapping = EffortMappingForm(table, how, words, authors, posted)
        return mapping, mapping.how() if posted is not None and mapping.is_valid() else how

    def enter(self, sent: SentTable, look: Look) -> str:
        """Import the lines as the mapping describes."""
        mapping = look.mapping
        if not mapping.is_valid():
            return ""
        try:
            counts = actions.import_efforts(
                initiative=self.initiative,
                table=sent.table,
                how=mapping.how(),
                file_name=sent.name,
                replace=mapping.cleaned_data["replace"],
                by=self.request.user,
            )
        except ValidationError as wrong:
            _put_on(mapping, wrong)
            return ""
        more = "".join(
            f" {counts[state]} {words}."
            for state, words in FATES.items()
            if state != NEW and counts.get(state)
        )
        replaced = f" {counts['replaced']} replaced earlier lines." if counts["replaced"] else ""
        lines = "line" if counts["entered"] == 1 else "lines"
        return f"{counts['entered']} {lines} imported.{replaced or more}"


def _count(met: list[Fate], state: str) -> int:
    return sum(fate.state == state for fate in met)


def _shown(fate: Fate, unknown: set[str]) -> ShownLine:
    """Return a line as it is understood, with its result."""
    worked = fate.worked
    author = worked.author[:60] + (_(" (unknown)") if worked.author in unknown else "")
    waited = f"{floatformat(worked.waited, -2)} d" if worked.waited else ""
    cells = (
        day(worked.day) if worked.day else _("none"),
        author,
        Layer.word(worked.layer),
        floatformat(worked.hours, -2),
        f"{worked.currency} {floatformat(worked.money, '-2g')}" if worked.money else "",
        ", ".join(part for part in (waited, worked.waits_for) if part),
        worked.words[:90],
    )
    words, tone = {
        NEW: (_("new"), "ok"),
        WRONG: (_("not imported"), "bad"),
        DIFFERS: (_("differs"), "warn"),
        SAME: (_("imported earlier"), ""),
        WITHDRAWN: (_("withdrawn here"), ""),
    }[fate.state]
    said = [" ".join(worked.problems)] if worked.problems else []
    if fate.state == DIFFERS and fate.known is not None:
        said.append(f"imported with {_amounts(fate.known)} in {fate.known.get_layer_display().lower()}")
    return ShownLine(worked.line, cells, words, tone, (*said, *worked.remarks))


def _amounts(row: Effort) -> str:
    """Return the amounts of an effort as text."""
    found = (
        (row.hours, f"{floatformat(row.hours, -2)} h"),
        (row.money, f"{row.currency} {floatformat(row.money, '-2g')}"),
        (row.waited_days, f"{floatformat(row.waited_days, -2)} d waited"),
    )
    return ", ".join(words for amount, words in found if amount)


def bring_in(request, ref):
    """Show how a tracker's table is read, and import its lines when confirmed."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
    return importing.bring_in(request, EffortTable(request, initiative))


def _put_on(mapping: EffortMappingForm, wrong: ValidationError) -> None:
    for name, problems in wrong.error_dict.items():
        field = f"column_{name}" if f"column_{name}" in mapping.fields else name
        mapping.add_error(field if field in mapping.fields else None, problems)
