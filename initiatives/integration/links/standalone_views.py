"""Pages of the declaration that an initiative stands alone."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from governance.web.form_fields import ReasonForm
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import ask, fix, sent
from initiatives.lifecycle.requirements import standalone

UNTIL = "It ends with the first link that is recorded, and with the first key for a system."


def declare(request, ref):
    """The owner declares that the initiative is linked to nothing."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_manage(initiative, request.user).or_refuse()
    back = reverse("integration", args=[initiative.ref])
    form = ReasonForm(sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            standalone.declare(initiative=initiative, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            fix(form, error)
        else:
            messages.success(request, _("Declared. It counts once a seat has accepted it."))
            return redirect(back)
    return ask(
        request,
        initiative,
        "integration",
        form,
        title=_("Declare that it stands alone"),
        lede=_("It reads from no system, writes to none and falls back on none."),
        happens=[_("A seat that signs for the inventory of systems accepts it, or says why not."), UNTIL],
        verb=_("Declare it"),
        back_url=back,
    )


def accept(request, ref):
    """A seat accepts that the initiative stands alone."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    row = standalone.current_declaration(initiative)
    if row is None:
        raise Http404("Nothing of the kind is declared.")
    standalone.may_accept(initiative, row, request.user).or_refuse()
    back = reverse("integration", args=[initiative.ref])
    if request.method == "POST":
        standalone.accept(declaration=row, by=request.user)
        messages.success(request, _("Accepted."))
        return redirect(back)
    return ask(
        request,
        initiative,
        "integration",
        None,
        title=_("Accept that it stands alone"),
        lede=row.reason,
        happens=[
            f"Declared by {row.declared_by}. You answer for it that the empty register is right.",
            UNTIL,
        ],
        verb=_("Accept it"),
        back_url=back,
    )
