"""Pages of units: the tree, and the acts of admins on it."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from governance.database.rehearsing import not_rehearsed
from governance.models import Unit, User
from governance.organisation import actions as organisation_actions
from governance.organisation import unit_import
from governance.organisation.forms import LinesForm
from governance.people.permissions import may_read_organisation, may_reorganise
from governance.runtime.signed_in_request import SignedInRequest
from governance.tables.importing import Look, SentTable, Target, bring_in
from governance.vocabulary.phrases import phrase
from governance.web.confirmation_pages import looked_or_done
from initiatives.lifecycle.initiative.initiative_frame import sent
from initiatives.lifecycle.initiative.page_steps import PLAIN_ACTS, ROW_ACTS, Frame, PageStep, RowAct
from initiatives.portfolio.units import actions, plans, tree
from initiatives.portfolio.units.forms import AddUnitForm, MergeForm, MoveForm, RenameForm

TAKES = ["GET", "HEAD", "POST"]
PAGE = 50  # of imported units, which come by the thousand


@require_safe
def units(request: SignedInRequest) -> HttpResponse:
    """Show the tree with the contents of each unit, and imported and merged units."""
    may_read_organisation(request.user).or_refuse()
    context = {
        "nav": "units",
        "rows": tree.own_rows(),
        "imported": Paginator(tree.imported(), PAGE).get_page(request.GET.get("page")),
        "merged": tree.merged(),
        "may": bool(may_reorganise(request.user)),
    }
    return render(request, "initiatives/units/units.html", context)


class UnitsTable(Target):
    """Units from a table: all are added at once, or none."""

    form_class = LinesForm
    columns = unit_import.COLUMNS
    expected = unit_import.COLUMNS["name"]
    headings = ((gettext_lazy("Unit"), ""), (gettext_lazy("Code"), ""), (gettext_lazy("Below"), ""))
    help_template = "governance/organisation/_table_example.html"
    title = gettext_lazy("Units from a table")
    lede = gettext_lazy("A table with one unit on each line. Existing units do not change.")

    def __init__(self, by: User):
        self.by, self.back = by, reverse("units")

    def context(self) -> dict:
        """Return the context of the page: navigation, columns and an example."""
        return {
            "nav": "units",
            "up": _("Units"),
            "help": {
                "columns": list(unit_import.COLUMNS),
                "needs": _(
                    "Only the name is needed. A missing code is made from the name. For a parent, enter "
                    "the code or name of a unit, here or in the table."
                ),
                "example": unit_import.EXAMPLE,
            },
        }

    def look(self, sent: SentTable) -> Look:
        """Return the reading of the table with the result of each line."""
        return unit_import.read(sent.table).look(lambda line: (line.name, line.code, line.place))

    def enter(self, sent: SentTable, look: Look) -> str:
        """Add every unit that is new."""
        count = organisation_actions.add_units(table=sent.table, by=self.by).changes
        words = ngettext("%(count)d unit is added.", "%(count)d units are added.", count)
        return words % {"count": count}


@require_http_methods(TAKES)
def from_table(request: SignedInRequest) -> HttpResponse:
    """Show units of a table line by line to correct, and add all or none."""
    may_reorganise(request.user).or_refuse()
    return bring_in(request, UnitsTable(request.user))


@not_rehearsed
@require_http_methods(TAKES)
def move(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the effects of moving a unit, and move it. An imported one is taken over."""
    may_reorganise(request.user).or_refuse()
    unit = get_object_or_404(Unit.objects.select_related("parent"), pk=pk)
    form = MoveForm(sent(request), initial={} if unit.imported else {"into": unit.parent_id})
    look = looked_or_done(
        request,
        form,
        lambda said: plans.plan_move(unit, said["into"]),
        lambda said, seen: actions.move_unit(unit=unit, **said, seen=seen, by=request.user),
    )
    if look.done:
        messages.success(request, phrase("{} has moved.", unit).in_language())
        return redirect("units")
    title = f"Take over {unit}" if unit.imported else f"Move {unit}"
    return organisation_page(
        request, form, title=title, verb=_("Take over the unit") if unit.imported else _("Move"), look=look
    )


@not_rehearsed
@require_http_methods(TAKES)
def merge(request: SignedInRequest, pk: int) -> HttpResponse:
    """Merge a unit into another, once it was shown what that changes."""
    may_reorganise(request.user).or_refuse()
    unit = get_object_or_404(Unit, pk=pk)
    form = MergeForm(sent(request), unit=unit)
    look = looked_or_done(
        request,
        form,
        lambda said: plans.plan_merge(unit, said["into"], carry=said.get("carry", False)),
        lambda said, seen: actions.merge_units(unit=unit, **said, seen=seen, by=request.user),
    )
    if look.done:
        messages.success(
            request,
            phrase("{} is merged. Pages for earlier days still show its old place.", unit).in_language(),
        )
        return redirect("units")
    return organisation_page(
        request,
        form,
        title=gettext("Merge %(unit)s into another unit") % {"unit": unit},
        verb=_("Merge"),
        look=look,
        danger=True,
    )


def organisation_page(request, form, *, look=None, **more) -> HttpResponse:
    """Show one form of the organisation, with the preview of `look`."""
    context = {
        "nav": "units",
        "form": form,
        "previewed": look is not None,
        "seen": look.shown.digest if look and look.shown else "",
        "changed": look.changed if look else "",
        "happens": look.shown.sentences() if look and look.shown else (),
        "back_url": reverse("units"),
        "back_words": _("Units"),
        "danger": False,
    }
    status = getattr(form, "status", 200)
    return render(request, ORGANISATION_FORM, context | more, status=status)


ORGANISATION_FORM = "initiatives/units/organisation_form.html"
# Everyone finds the rows of the organisation. The permission of an act refuses with its reason.
ON_ORGANISATION = Frame(nav="units", seen=lambda rows, person: rows, template=ORGANISATION_FORM)
ROW_ACTS["units/rename"] = RowAct(
    rows=Unit.objects.all(),
    frame=ON_ORGANISATION,
    may=lambda unit, person: may_reorganise(person),
    act=organisation_actions.rename_unit,
    noun="unit",
    form=RenameForm,
    given=lambda unit, request: {"initial": {"name": unit.name}},
    title=lambda unit: phrase("Rename {}", unit),
    happens=(
        gettext_lazy("Current pages show the new name. Pages for earlier days still show the old name."),
    ),
    back=lambda unit: reverse("units"),
    context=lambda unit, request: {"back_words": _("Units")},
    verb=gettext_lazy("Rename"),
    done=lambda unit: phrase("{} is now called {}.", unit, Unit.objects.get(pk=unit.pk)),
)
PLAIN_ACTS["add-unit"] = PageStep(
    frame=ON_ORGANISATION,
    may=lambda _, person: may_reorganise(person),
    act=organisation_actions.add_unit,
    noun="by",
    form=AddUnitForm,
    given=lambda _, request: {"initial": {"parent": request.GET.get("parent", "")[:20]}},
    title=gettext_lazy("Add a unit"),
    back=lambda _: reverse("units"),
    context=lambda _, request: {"back_words": gettext("Units")},
    then=lambda request, unit: messages.success(
        request, phrase("{} is added. The unit has no people and no initiatives yet.", unit).in_language()
    ),
    verb=gettext_lazy("Add the unit"),
    done="",
)
