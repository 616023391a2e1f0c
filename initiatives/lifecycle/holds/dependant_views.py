"""Pages of dependants: recorded by the owner, stated or declined by the executive named, ended."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.database import row_history
from governance.permission_result import no
from governance.templatetags.plumbline import stage_word
from governance.web.form_fields import ReasonForm
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.holds import dependants
from initiatives.lifecycle.holds.dependants import statement_words
from initiatives.lifecycle.holds.forms import DependantForm
from initiatives.lifecycle.initiative.initiative_frame import fix, one_act, sent
from initiatives.lifecycle.initiative.row_acts import ROW_ACTS, RowAct, on_initiative
from initiatives.models import Dependant


def add(request, ref):
    """Record who depends on the initiative, and ask the executive who answers there."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_manage(initiative, request.user).or_refuse()
    form = DependantForm(sent(request))
    return one_act(
        request,
        initiative,
        form,
        lambda fields: dependants.add_dependant(initiative=initiative, by=request.user, **form.act()),
        _("It is recorded; the executive is asked to state it."),
        page="deployments",
        title=_("Record a dependant"),
        lede=_("A team or system that stops working without it. A prototype has none."),
        happens=[_("Whoever you name is asked in their inbox to state it in person; until then it says so.")],
        verb=_("Record it"),
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
        lambda row: row.confirmed_at and _("What the executive stated no longer counts as evidence."),
    ),
    verb=gettext_lazy("Close it"),
    done=lambda row: f"{row.who} no longer depends on it.",
)


def _asked(request, pk: int) -> Dependant:
    """The dependence, for the executive it names, and for whoever may see the initiative. Raises Http404 to all others.

    The executive sees this page and what it says, not the initiative: nobody gains an initiative by being named on it.
    """
    rows = Dependant.objects.select_related("initiative__unit", "executive", "stated_by")
    row = rows.filter(pk=pk, executive=request.user).first()
    if row is None:
        row = initiative_lookup.of_initiative(rows, request.user, pk)
    if not request.user.is_active:
        raise Http404("Not yours to see.")
    row_history.concerns(row)
    return row


def state(request, pk):
    """What is to be stated, the initiative beside it, and the two answers."""
    row = _asked(request, pk)
    initiative = row.initiative
    if request.method == "POST":
        dependants.state_dependence(dependant=row, by=request.user)
        messages.success(request, _("You stated it; the owner of the initiative sees it."))
        return redirect("inbox")
    may = initiative_permissions.may_state(row, request.user)
    if may and not row.waiting:
        may = no("It was answered, or has ended, already.", "The owner can ask again.")
    return _page(
        request,
        row,
        may=may,
        words=statement_words(row),
        visible=initiative_permissions.may_see(initiative, request.user),
    )


def decline(request, pk):
    """Say what is wrong with it instead."""
    row = _asked(request, pk)
    initiative_permissions.may_state(row, request.user).or_refuse()
    form = ReasonForm(sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            dependants.decline_dependence(dependant=row, reason=form.cleaned_data["reason"], by=request.user)
        except ValidationError as error:
            fix(form, error)
        else:
            messages.success(request, _("You declined; the owner of the initiative sees why."))
            return redirect("inbox")
    return _page(request, row, form=form, words=statement_words(row))


def _page(request, row: Dependant, **more):
    """The page of a dependence, with its approved stage and what its evidence supports today."""
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
