"""Pages of effort: week by week, typed or from a table."""

from datetime import date, timedelta

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import floatformat, pluralize
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from governance import clock
from governance.models import User
from governance.organisation.forms import LinesForm
from governance.tables import importing
from governance.tables.importing import Look, SentTable, Target
from governance.templatetags.plumbline import day
from governance.vocabulary import Layer
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import DayField
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import (
    acted,
    initiative_context,
    outgrown_banner,
    page_of,
)
from initiatives.lifecycle.initiative.page_steps import ROW_ACTS, STRUCK_OUT, RowAct, recorded
from initiatives.models import Effort, Initiative
from initiatives.portfolio.efforts import actions, charts, queries
from initiatives.portfolio.efforts import permissions as effort_permissions
from initiatives.portfolio.efforts.effort_cells import monday
from initiatives.portfolio.efforts.effort_table import COLUMNS, EXAMPLE, NEEDED, read
from initiatives.portfolio.efforts.forms import EffortForm, WeekForm

PER_PAGE = 20


def effort(request, ref):
    """Show effort, money and waiting by layer and week, with the forms for both."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    form = week_form = None
    if request.method == "POST":
        initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
        whole_week = "whole_week" in request.POST
        sent_form = WeekForm(request.POST) if whole_week else EffortForm(request.POST)
        if rows := acted(request, sent_form, lambda: _noted(initiative, sent_form, request.user)):
            return _at_week(request, initiative, sent_form, rows)
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
        row.may_withdraw_note = bool(effort_permissions.may_withdraw_note(initiative, row, request.user))
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


def _noted(initiative: Initiative, form: WeekForm | EffortForm, by: User) -> list[Effort]:
    """Save what was typed."""
    if isinstance(form, WeekForm):
        return actions.note_week(initiative=initiative, by=by, **form.noted())
    return [actions.note_effort(initiative=initiative, by=by, **form.noted())]


def _at_week(
    request, initiative: Initiative, typed: WeekForm | EffortForm, rows: list[Effort]
) -> HttpResponse:
    """Say what was saved, and return a redirect to its week."""
    week, layers = monday(rows[0].week), ", ".join(row.get_layer_display().lower() for row in rows)
    messages.success(request, phrase("Recorded for the week of {}: {}.", day(week), layers).in_language())
    field = typed["hours" if "hours" in typed.fields else rows[0].layer]
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
    may=lambda row, person: effort_permissions.may_withdraw_note(row.initiative, row, person),
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


class EffortTable(Target):
    """Effort from a table. All new lines are imported at once, or none."""

    form_class = LinesForm
    columns = COLUMNS
    expected = NEEDED
    headings = (
        (gettext_lazy("Day"), "nowrap"),
        (gettext_lazy("Hours"), "num"),
        (gettext_lazy("Layer"), ""),
        (gettext_lazy("Person"), ""),
        (gettext_lazy("What"), ""),
    )
    frame = "initiatives/contracts/initiative_base.html"
    help_template = "governance/organisation/_table_example.html"
    title = gettext_lazy("Effort from a table")
    lede = gettext_lazy("A table with the work of one day on each line. Existing lines do not change.")

    def __init__(self, request, initiative):
        self.request, self.initiative = request, initiative
        self.back = reverse("integration-effort", args=[initiative.ref])

    def context(self) -> dict:
        """Return the initiative around the page, columns and an example."""
        return initiative_context(self.request, self.initiative, "integration") | {
            "help": {
                "columns": [names[0] for names in COLUMNS.values()],
                "needs": _(
                    "Day, hours and layer are required. The person is a user name, an email address or a full name."
                ),
                "example": EXAMPLE,
            }
        }

    def look(self, sent: SentTable) -> Look:
        """Return the result of each line."""
        return read(sent.table, self.initiative).look(
            lambda line: (
                day(line.day) if line.day else line.cells["day"],
                floatformat(line.hours, -2) if line.hours else line.cells["hours"],
                Layer.word(line.layer) if line.layer else line.cells["layer"],
                line.cells["person"],
                line.cells["words"][:90],
            )
        )

    def enter(self, sent: SentTable, look: Look) -> str:
        """Import every new line."""
        lines = actions.import_efforts(
            initiative=self.initiative, table=sent.table, file_name=sent.name, by=self.request.user
        )
        words = ngettext("%(count)d line is imported.", "%(count)d lines are imported.", lines.changes)
        return words % {"count": lines.changes}


def bring_in(request, ref):
    """Show the lines of a table of effort, and import them when confirmed."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
    return importing.bring_in(request, EffortTable(request, initiative))
