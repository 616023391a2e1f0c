"""The pages by which auditors and chairs export the audit log: asked for, waited for, taken."""

from datetime import timedelta

from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from adoption.audit_log_export import actions, permissions
from adoption.audit_log_export.forms import DaysForm, ExportForm
from adoption.models import AuditLogExport
from governance import clock
from governance.runtime.signed_in_request import SignedInRequest
from governance.transparency_log import as_of
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contributions import Contribution, Part
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.evidence.file_views import guarded
from initiatives.lifecycle.initiative.initiative_frame import acted, ask, page_of, sent

PAGE = 25
ASKED = "It is being prepared. You are told when it is ready."


@require_http_methods(["GET", "HEAD", "POST"])
def of_initiative(request: SignedInRequest, ref: str) -> HttpResponse:
    """Ask for the audit log of one initiative."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    permissions.may_ask(initiative, request.user).or_refuse()
    form = ExportForm(sent(request))
    made = acted(
        request, form, lambda: actions.ask_export(initiative=initiative, by=request.user, **form.cleaned_data)
    )
    if made:
        messages.success(request, ASKED)
        return redirect(made)
    return ask(
        request,
        initiative,
        "initiative-activity",
        form,
        title=_("Export the audit log of this initiative"),
        lede=_(
            "A zip that anybody can verify without Plumbline: every entry with its place in the sealed audit log, and "
            "the program that checks it."
        ),
        happens=[
            _(
                "It holds every entry about this initiative, refusals and the acts of other people among them."
            ),
            f"It is written in the background, is yours alone, and is erased {actions.KEPT.days} days later.",
            _("That you asked for it, and each time that you take it, is recorded."),
            actions.BOUND,
        ],
        back_url=reverse("initiative-activity", args=[initiative.ref]),
        verb=_("Export it"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def exports(request: SignedInRequest) -> HttpResponse:
    """What the person exported; for auditors with the form for the audit log of some days."""
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
    """The export with this key, of this person. Raises Http404 for those of others as for what is not there."""
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
    """One export: how far it is, and its file once it is ready."""
    row = _own(request, pk)
    return render(request, "adoption/audit_log_export/audit_log_export.html", _shown(request, row))


@require_safe
def progress(request: SignedInRequest, pk: int) -> HttpResponse:
    """How far it is: a part of its page, looked at again while it is under way."""
    row = _own(request, pk)
    return render(request, "adoption/audit_log_export/_export_progress.html", _shown(request, row))


@require_POST
def download(request: SignedInRequest, pk: int) -> FileResponse:
    """The file."""
    row = _own(request, pk)
    place = actions.take_export(export=row, by=request.user)
    answer = FileResponse(
        place.open("rb"), as_attachment=True, filename=place.name, content_type="application/zip"
    )
    return guarded(answer, framed_by="'none'")


def beside_activity(person, initiative) -> Part | None:
    """Beside the Activity of an initiative: where its entries are exported, for whoever may."""
    if as_of.current() is not None or not permissions.asks(initiative, person):
        return None
    return Part("adoption/audit_log_export/_beside_activity.html", {"initiative": initiative})


CONTRIBUTION = Contribution(
    beside_activity=[beside_activity],
    readings={EntryKind.AUDIT_LOG_EXPORT_TAKEN},
    notification_verbs={"audit log export": "Open the export"},
)
