"""Pages of evidence files: recorded download and preview, and files gone."""

from collections import Counter

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from governance.files import file_previews
from governance.people.permissions import may_keep_accounts
from governance.queue.task_base import named
from governance.runtime.signed_in_request import SignedInRequest
from governance.storage import file_fingerprints
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import ReasonForm
from initiatives.lifecycle.access import initiative_lookup, visibility
from initiatives.lifecycle.evidence import file_checks
from initiatives.lifecycle.evidence.file_checks import doubted_files, mark_of
from initiatives.lifecycle.evidence.verification.actions import open_item
from initiatives.lifecycle.evidence.views import item_context
from initiatives.lifecycle.initiative.initiative_frame import sent
from initiatives.models import Evidence

# Whatever a browser makes of a file: nothing in it runs, loads or sends, and it shares nothing with our pages.
POLICY = "sandbox; default-src 'none'; frame-ancestors {}; form-action 'none'; base-uri 'none'"


def download(request, ref, pk):
    """Send the file as a download."""
    initiative, row = _door(request, ref, pk)
    found = opened_file(row)
    if found.file is None:
        return _missing(request, initiative, row, found)
    open_item(initiative=initiative, evidence=row, way="download", by=request.user)
    answer = FileResponse(
        found.file,
        as_attachment=True,
        filename=row.file_name or f"evidence-{row.pk}",
        content_type=row.content_type,
    )
    return guarded(answer, framed_by="'none'")


@require_safe
def look(request, ref, pk):
    """Show the file: text and tables in words, a picture or PDF in a frame."""
    initiative, row = _door(request, ref, pk)
    found = opened_file(row)
    if found.file is None:
        return _missing(request, initiative, row, found)
    content = content_of(found.file)
    told = file_previews.told(content, row.content_type, captured=bool(row.captured_at))
    if told is not None:
        open_item(initiative=initiative, evidence=row, way="look", by=request.user)
    context = item_context(request, initiative, row) | {
        "told": told,
        "table": isinstance(told, file_previews.Table),
        "sent_as": "" if told is not None else file_previews.sent_as(content),
    }
    answer = render(request, "initiatives/evidence/evidence_look.html", context)
    answer["Cache-Control"] = "private, no-store"
    return answer


@require_safe
def content(request, ref, pk):
    """Send a picture or PDF unchanged, for the frame of that page. Raises Http404 for other files."""
    initiative, row = _door(request, ref, pk)
    found = opened_file(row)
    if found.file is None:
        return _missing(request, initiative, row, found)
    body = content_of(found.file)
    content_type = file_previews.sent_as(body)
    if not content_type:
        raise Http404("This file can only be downloaded.")
    open_item(initiative=initiative, evidence=row, way="look", by=request.user)
    answer = HttpResponse(body, content_type=content_type)
    answer["Content-Disposition"] = "inline"
    answer["X-Frame-Options"] = "SAMEORIGIN"
    return guarded(answer, framed_by="'self'")


def _door(request, ref, pk):
    """Return the initiative and its item with a file, if readable there."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    row = initiative_lookup.evidence_for(request.user, initiative, pk)
    visibility.may_open_file(initiative, request.user).or_refuse()
    if not row.file:
        raise Http404("This item has no file. Open the link of the item instead.")
    return initiative, row


def opened_file(row) -> file_fingerprints.Opened:
    """Return the hashed file without recording a finding. If the hash differs, the worker checks the file."""
    found = file_fingerprints.opened(row.file.name, row.sha256)
    if (found.file is None) == (row.missing_since is None):
        file_fingerprints.ask_worker(named("initiatives.tasks.check_file"), row.pk)
    return found


def content_of(file) -> bytes:
    """Return the content of an opened file, and close it."""
    with file:
        return file.read()


def _missing(request, initiative, row, found: file_fingerprints.Opened):
    context = item_context(
        request, initiative, initiative_lookup.evidence_for(request.user, initiative, row.pk)
    )
    context["changed"] = found.state == file_fingerprints.CHANGED
    return render(request, "initiatives/evidence/evidence_missing.html", context, status=404)


def guarded(answer, *, framed_by: str):
    """Set headers so that a browser runs, loads and sends nothing from the file."""
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = POLICY.format(framed_by)
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    answer["Cache-Control"] = "private, no-store"
    return answer


@never_cache
def files_gone(request: SignedInRequest) -> HttpResponse:
    """Show the number of gone files by initiative.

    An admin may not read titles. A POST confirms the shown files.
    """
    may_keep_accounts(request.user).or_refuse()
    form, keys = ReasonForm(sent(request)), doubted_files()
    if request.method == "POST" and form.is_valid():
        try:
            gone = file_checks.confirm_gone(
                seen=request.POST.get("seen", ""), reason=form.cleaned_data["reason"], by=request.user
            )
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(
                request,
                phrase(
                    "Recorded: {} of {} files are gone and do not count.", len(gone), len(keys)
                ).in_language(),
            )
            return redirect("status")
    rows = (
        Evidence.objects.filter(pk__in=keys).select_related("initiative").order_by("initiative__number", "pk")
    )
    return render(
        request,
        "initiatives/evidence/files_gone.html",
        {
            "nav": "status",
            "form": form,
            "count": len(keys),
            "seen": mark_of(keys),
            "initiatives": sorted(Counter(row.initiative.ref for row in rows).items()),
        },
    )
