"""Units on a page of their own: the tree, and the acts of admins on it."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from governance.models import Unit
from governance.organisation import actions as organisation_actions
from governance.organisation import unit_import
from governance.organisation.forms import UnitsForm
from governance.people.permissions import may_read_organisation, may_reorganise
from governance.runtime.signed_in_request import SignedInRequest
from governance.web.confirmation_pages import looked_or_done
from initiatives.cases.case_frame import acted, sent
from initiatives.units import actions, preview, tree
from initiatives.units.forms import AddUnitForm, MergeForm, MoveForm, RenameForm

TAKES = ["GET", "HEAD", "POST"]
PAGE = 50  # of imported units, which come by the thousand


@require_safe
def units(request: SignedInRequest) -> HttpResponse:
    """The tree with what is in each unit; what imports brought and what was merged away apart."""
    may_read_organisation(request.user).or_refuse()
    context = {
        "nav": "units",
        "rows": tree.own_rows(),
        "imported": Paginator(tree.imported(), PAGE).get_page(request.GET.get("page")),
        "merged": tree.merged(),
        "may": bool(may_reorganise(request.user)),
    }
    return render(request, "initiatives/units/units.html", context)


@require_http_methods(TAKES)
def add(request: SignedInRequest) -> HttpResponse:
    """Add a unit below another, or at the top."""
    may_reorganise(request.user).or_refuse()
    form = AddUnitForm(sent(request), initial={"parent": request.GET.get("parent", "")[:20]})
    unit = acted(request, form, lambda: organisation_actions.add_unit(**form.cleaned_data, by=request.user))
    if unit:
        messages.success(request, f"{unit} is added. Nobody works there yet, and no initiative is in it.")
        return redirect("units")
    return _form(request, form, title=_("Add a unit"), verb=_("Add the unit"))


@require_http_methods(TAKES)
def from_table(request: SignedInRequest) -> HttpResponse:
    """Units from a table: read, shown line by line, mended here, and added all at once or not at all."""
    may_reorganise(request.user).or_refuse()
    form = UnitsForm(sent(request), request.FILES or None)
    table = None
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["source"]
        form.data = form.data.copy()  # what came as a file is kept as text, so that it can be mended here
        form.data["text"] = text
        try:
            table = unit_import.read(text)
            if request.POST.get("step") == "add" and not form.cleaned_data["file"]:
                done = organisation_actions.add_units(text=text, by=request.user)
                words = ngettext("%(count)d unit is added.", "%(count)d units are added.", done.changes)
                messages.success(request, words % {"count": done.changes})
                return redirect("units")
        except ValidationError as wrong:
            form.add_error(None, wrong)
    context = {
        "nav": "units",
        "form": form,
        "table": table,
        "wrong": table.of(unit_import.WRONG) if table else [],
        "columns": list(unit_import.COLUMNS),
        "example": unit_import.EXAMPLE,
    }
    return render(request, "initiatives/units/units_from_table.html", context)


@require_http_methods(TAKES)
def rename(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give a unit another name."""
    may_reorganise(request.user).or_refuse()
    unit = get_object_or_404(Unit, pk=pk)
    form = RenameForm(sent(request), initial={"name": unit.name})
    if acted(
        request,
        form,
        lambda: organisation_actions.rename_unit(unit=unit, **form.cleaned_data, by=request.user),
    ):
        messages.success(request, f"{unit} is called {form.cleaned_data['name']} from now on.")
        return redirect("units")
    happens = ["Every page of today shows the new name. Earlier days still show the old one."]
    return _form(request, form, title=f"Rename {unit}", verb=_("Rename"), happens=happens)


@require_http_methods(TAKES)
def move(request: SignedInRequest, pk: int) -> HttpResponse:
    """Put a unit below another, once it was shown what that changes; an imported one is taken over by that."""
    may_reorganise(request.user).or_refuse()
    unit = get_object_or_404(Unit.objects.select_related("parent"), pk=pk)
    form = MoveForm(sent(request), initial={} if unit.imported else {"into": unit.parent_id})
    look = looked_or_done(
        request,
        form,
        lambda said: preview.plan_move(unit, said["into"]),
        lambda said, seen: actions.move_unit(unit=unit, **said, seen=seen, by=request.user),
    )
    if look.done:
        messages.success(request, f"{unit} has moved.")
        return redirect("units")
    title = f"Take over {unit}" if unit.imported else f"Move {unit}"
    return _form(
        request, form, title=title, verb=_("Take it over") if unit.imported else _("Move"), look=look
    )


@require_http_methods(TAKES)
def merge(request: SignedInRequest, pk: int) -> HttpResponse:
    """Merge a unit into another, once it was shown what that changes."""
    may_reorganise(request.user).or_refuse()
    unit = get_object_or_404(Unit, pk=pk)
    form = MergeForm(sent(request), unit=unit)
    look = looked_or_done(
        request,
        form,
        lambda said: preview.plan_merge(unit, said["into"], carry=said.get("carry", False)),
        lambda said, seen: actions.merge_units(unit=unit, **said, seen=seen, by=request.user),
    )
    if look.done:
        messages.success(request, f"{unit} is merged. Earlier days still show it where it was.")
        return redirect("units")
    return _form(
        request, form, title=f"Merge {unit} into another unit", verb=_("Merge"), look=look, danger=True
    )


def _form(request, form, *, look=None, happens=(), **more) -> HttpResponse:
    context = {
        "nav": "units",
        "form": form,
        "previewed": look is not None,
        "seen": look.shown.digest if look and look.shown else "",
        "changed": look.changed if look else "",
        "happens": look.shown.sentences() if look and look.shown else happens,
        "back_url": reverse("units"),
        "back_words": "Units",
        "danger": False,
        **more,
    }
    return render(request, "initiatives/units/organisation_form.html", context)
