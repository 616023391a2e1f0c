"""The page to import a file of interactions, for systems that cannot report."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from governance.database.rehearsing import not_rehearsed
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.interactions import actions
from initiatives.interactions.forms import InteractionFileForm
from initiatives.interactions.permissions import may_import_interactions
from initiatives.lifecycle.access.initiative_lookup import initiative_for
from initiatives.lifecycle.initiative.initiative_frame import acted, initiative_context, sent

SHOWN = 100  # lines that did not fit


@not_rehearsed
@require_http_methods(["GET", "HEAD", "POST"])
def import_file(request: SignedInRequest, ref: str) -> HttpResponse:
    """Import the lines that fit, and show each other line with its error and its fix."""
    initiative = initiative_for(request.user, ref)
    may_import_interactions(initiative, request.user).or_refuse()
    form = InteractionFileForm(sent(request), request.FILES or None)
    done = acted(
        request,
        form,
        lambda: actions.import_file(
            initiative=initiative,
            name=form.cleaned_data["file"].name,
            content=form.cleaned_data["file"].read(),
            by=request.user,
        ),
    )
    wrong = []
    if done:
        kept, wrong = done
        words = ngettext("%(kept)s interaction is kept.", "%(kept)s interactions are kept.", kept)
        messages.success(request, words % {"kept": kept})
        if not wrong:
            return redirect("interactions", initiative.ref)
        form = InteractionFileForm()
    context = initiative_context(request, initiative, "api-access")
    context |= {
        "title": _("Interactions from a file"),
        "form": form,
        "wrong": wrong[:SHOWN],
        "wrong_count": sum(one.count for one in wrong),
    }
    return render(request, "initiatives/interactions/import.html", context)
