"""Pages of dependants: record, state, decline and end a dependence."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.database import row_history
from governance.permission_result import no
from governance.templatetags.plumbline import stage_word
from governance.vocabulary.form_errors import put_errors
from governance.web.form_fields import ReasonForm
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.holds import dependants
from initiatives.lifecycle.holds.dependants import statement_words
from initiatives.lifecycle.holds.forms import DependantForm
from initiatives.lifecycle.initiative.initiative_frame import sent
from initiatives.lifecycle.initiative.page_steps import (
    INITIATIVE_ACTS,
    ROW_ACTS,
    PageStep,
    RowAct,
    on_initiative,
)
from initiatives.models import Dependant

INITIATIVE_ACTS["record-dependant"] = PageStep(
    may=initiative_permissions.may_manage,
    act=dependants.add_dependant,
    form=DependantForm,
    page="deployments",
    title=gettext_lazy("Record a dependant"),
    lede=gettext_lazy("A dependant is a team or a system that stops working without this system."),
    happens=(gettext_lazy("The executive that you name gets a task to confirm this in person."),),
    verb=gettext_lazy("Record the dependant"),
    done=gettext_lazy("The dependant is recorded. The executive is asked to confirm it."),
)


ROW_ACTS["dependants/close"] = RowAct(
    rows=Dependant.objects.select_related("initiative__unit"),
    may=on_initiative(initiative_permissions.may_manage),
    act=dependants.close_dependant,
    noun="dependant",
    page="deployments",
    title=gettext_lazy("Close a dependence"),
    happens=(
        lambda row: f"{row.who} is no longer listed as depending on {row.initiative.ref}.",
        lambda row: row.confirmed_at and _("The statement of the executive no longer counts as evidence."),
    ),
    verb=gettext_lazy("Close the dependence"),
    done=lambda row: f"{row.who} no longer depends on the initiative.",
)


def _asked(request, pk: int) -> Dependant:
    """Return the dependence for its executive or for readers of the initiative. Others get Http404.

    The executive sees this page only, because being named does not open the initiative.
    """
    rows = Dependant.objects.select_related("initiative__unit", "executive", "stated_by")
    row = rows.filter(pk=pk, executive=request.user).first()
    if row is None:
        row = initiative_lookup.of_initiative(rows, request.user, pk)
    if not request.user.is_active:
        raise Http404("This page does not exist, or you cannot see it.")
    row_history.concerns(row)
    return row


def state(request, pk):
    """Show the dependence to be stated, with the initiative and the two answers."""
    row = _asked(request, pk)
    initiative = row.initiative
    if request.method == "POST":
        dependants.state_dependence(dependant=row, by=request.user)
        messages.success(
            request, _("You stated the dependence. The owner of the initiative sees your statement.")
        )
        return redirect("inbox")
    may = initiative_permissions.may_state(row, request.user)
    if may and not row.waiting:
        may = no(
            "This dependence was already answered, or it has ended.", "Ask the owner to record it again."
        )
    return _page(
        request,
        row,
        may=may,
        words=statement_words(row),
        visible=initiative_permissions.may_see(initiative, request.user),
    )


def decline(request, pk):
    """Decline the dependence, with what is wrong with it."""
    row = _asked(request, pk)
    initiative_permissions.may_state(row, request.user).or_refuse()
    form = ReasonForm(sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            dependants.decline_dependence(dependant=row, reason=form.cleaned_data["reason"], by=request.user)
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(request, _("You declined. The owner of the initiative sees your reason."))
            return redirect("inbox")
    return _page(request, row, form=form, words=statement_words(row))


def _page(request, row: Dependant, **more):
    """Show the page of a dependence, with approved and supported stage."""
    initiative, support = row.initiative, supported_stage.judged(row.initiative).support
    context = {
        "nav": "inbox",
        "row": row,
        "initiative": initiative,
        "approved": stage_word(initiative.stage),
        "supported": stage_word(support.supported),
        "support": support,
    }
    return render(request, "initiatives/holds/dependant.html", context | more)
