"""Pages that throw a file away or undo its import, for admins."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from governance.people.permissions import may_import
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import ReasonForm
from initiatives.lifecycle.initiative.initiative_frame import acted, sent
from initiatives.models import ImportBatch
from initiatives.portfolio.imports.removal import actions as removal_actions
from initiatives.portfolio.imports.step_page import ask_step


@require_http_methods(["GET", "HEAD", "POST"])
def discard(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the page that discards a file without live rows, and discard it."""
    batch = _batch(request, pk)
    removal_actions.may_discard(batch, request.user).or_refuse()
    if request.method == "POST":
        removal_actions.discard_batch(batch=batch, by=request.user)
        messages.success(request, _("The file is discarded. No row of the file was imported."))
        return redirect("imports")
    happens = [
        _("The rows of the file are deleted. The audit log keeps the upload and the name of the person."),
        _("The same file can be uploaded again."),
    ]
    return ask_step(
        request, batch, title=_("Discard the file?"), verb=_("Discard the file"), happens=happens, danger=True
    )


@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: SignedInRequest, pk: int) -> HttpResponse:
    """Undo an import that no one works on."""
    batch = _batch(request, pk)
    removal_actions.may_undo(batch, request.user).or_refuse()
    form = ReasonForm(sent(request))
    act: Callable[[], int] = lambda: removal_actions.undo_batch(  # noqa: E731
        batch=batch, reason=form.cleaned_data["reason"], by=request.user
    )
    if count := acted(request, form, act):
        count = 0 if count is True else count
        messages.success(
            request, phrase("The import is undone: {} initiatives are withdrawn.", count).in_language()
        )
        return redirect("imports")
    initiatives = removal_actions.brought_by(batch).count()
    happens = [
        f"{initiatives} initiatives are withdrawn. Withdrawn initiatives do not appear on pages, in "
        "menus, counts and reminders.",
        "Reported stages are withdrawn. Roles that no one has accepted end.",
        "References, rows of the file and the audit log stay. The same file can be imported again.",
    ]
    return ask_step(
        request,
        batch,
        title=_("Undo the import?"),
        verb=_("Undo the import"),
        happens=happens,
        form=form,
        danger=True,
    )


def _batch(request: SignedInRequest, pk: int) -> ImportBatch:
    may_import(request.user).or_refuse()
    return get_object_or_404(ImportBatch, pk=pk)
