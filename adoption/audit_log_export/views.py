"""The pages by which auditors and chairs export the audit log: asked for, waited for, taken."""

from datetime import timedelta

from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from adoption.audit_log_export import actions, permissions
from adoption.audit_log_export.forms import DaysForm, ExportForm
from adoption.models import AuditLogExport
from governance import clock
from governance.runtime.signed_in_request import SignedInRequest
from governance.transparency_log import as_of
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contributions import Contribution, Part
from initiatives.lifecycle.evidence.file_views import guarded
from initiatives.lifecycle.initiative.initiative_frame import acted, page_of, sent
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PageStep

PAGE = 25
ASKED = "The export is being prepared. You get a notification when it is ready."


INITIATIVE_ACTS["export-audit-log"] = PageStep(
    may=permissions.may_ask,
    act=actions.ask_export,
    after=lambda initiative, made, person: made.get_absolute_url(),
    form=ExportForm,
    page="initiative-activity",
    title=gettext_lazy("Export the audit log of this initiative"),
    lede=gettext_lazy(
        "You get a zip file that anyone can verify without Plumbline. The file has every entry, the place "
        "of each entry in the audit log, and a program that checks them."
    ),
    happens=(
        gettext_lazy(
            "The export has every entry about this initiative, also refusals and acts of other people."
        ),
        (
            "Plumbline writes the file in the background. Only you can download the file. The file is erased "
            f"{actions.KEPT.days} days later."
        ),
        gettext_lazy("The audit log records your request and each download."),
        actions.BOUND,
    ),
    verb=gettext_lazy("Export the audit log"),
    done=ASKED,
)


@require_http_methods(["GET", "HEAD", "POST"])
def exports(request: SignedInRequest) -> HttpResponse:
    """Show the person's exports. Auditors also get the form for exporting some days."""
    may = permissions.may_ask_days(request.user)
    if request.method == "POST":
        may.or_refuse()
    today = clock.today()
    form = DaysForm(sent(request), initial={"first": today - timedelta(days=30), "last": today})
    made = acted(
        request,
        form,
        lambda: actions.ask_export(
            period=(form.cleaned_data["first"], form.cleaned_data["last"]),
            with_files=form.cleaned_data["with_files"],
            by=request.user,
        ),
    )
    if made:
        messages.success(request, ASKED)
        return redirect(made)
    rows = AuditLogExport.objects.filter(by=request.user).select_related("initiative")
    context = {
        "nav": "audit" if may else "",
        "tab": "exports",
        "may": bool(may),
        "form": form,
        "page": page_of(request, rows, PAGE),
        "kept": actions.KEPT.days,
        "bound": actions.BOUND,
    }
    return render(request, "adoption/audit_log_export/audit_log_exports.html", context)


def _own(request: SignedInRequest, pk: int) -> AuditLogExport:
    """Return the person's export with this key. Raises Http404 if it belongs to someone else or does not exist."""
    return get_object_or_404(
        AuditLogExport.objects.select_related("initiative__unit"), pk=pk, by=request.user
    )


def _shown(request: SignedInRequest, row: AuditLogExport) -> dict:
    return {
        "nav": "audit" if request.user.is_auditor else "",
        "row": row,
        "may": permissions.may_have(row, request.user),
        "url": reverse("audit-log-export-progress", args=[row.pk]),
        "kept": actions.KEPT.days,
    }


@require_safe
def export(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one export: its progress, and its file once it is ready."""
    row = _own(request, pk)
    return render(request, "adoption/audit_log_export/audit_log_export.html", _shown(request, row))


@require_safe
def progress(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the progress of an export. The part of its page is reloaded while the export is under way."""
    row = _own(request, pk)
    return render(request, "adoption/audit_log_export/_export_progress.html", _shown(request, row))


@require_POST
def download(request: SignedInRequest, pk: int) -> FileResponse:
    """Send the file of an export."""
    row = _own(request, pk)
    file = actions.take_export(export=row, by=request.user)
    answer = FileResponse(file, as_attachment=True, filename=row.file_name, content_type="application/zip")
    return guarded(answer, framed_by="'none'")


def beside_activity(person, initiative) -> Part | None:
    """Return the link to the export for the Activity page, if the person may export."""
    if as_of.current() is not None or not permissions.asks(initiative, person):
        return None
    return Part("adoption/audit_log_export/_beside_activity.html", {"initiative": initiative})


CONTRIBUTION = Contribution(
    beside_activity=[beside_activity],
    readings={EntryKind.AUDIT_LOG_EXPORT_TAKEN},
    notification_verbs={"audit log export": "Open the export"},
)
