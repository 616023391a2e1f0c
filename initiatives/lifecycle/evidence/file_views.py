"""Files of evidence for those who may read them: download and preview; each reading is recorded."""

from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from governance.files import file_previews
from governance.queue.task_base import named
from governance.storage import file_fingerprints
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.evidence.verification.actions import open_item
from initiatives.lifecycle.evidence.views import item_context

# Whatever a browser makes of a file: nothing in it runs, loads or sends, and it shares nothing with our pages.
POLICY = "sandbox; default-src 'none'; frame-ancestors {}; form-action 'none'; base-uri 'none'"


def download(request, ref, pk):
    """The file, as a download only."""
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
    """The page that shows the file: text and tables in words, a picture or PDF in a frame of its own."""
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
    """A picture or PDF as it is, for the frame of that page. Raises Http404 for whatever else a file is."""
    initiative, row = _door(request, ref, pk)
    found = opened_file(row)
    if found.file is None:
        return _missing(request, initiative, row, found)
    body = content_of(found.file)
    content_type = file_previews.sent_as(body)
    if not content_type:
        raise Http404("This file is only handed out as a download.")
    open_item(initiative=initiative, evidence=row, way="look", by=request.user)
    answer = HttpResponse(body, content_type=content_type)
    answer["Content-Disposition"] = "inline"
    answer["X-Frame-Options"] = "SAMEORIGIN"
    return guarded(answer, framed_by="'self'")


def _door(request, ref, pk):
    """The initiative and its item that has a file, when this person may read files of evidence there."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    row = initiative_lookup.evidence_for(request.user, initiative, pk)
    initiative_permissions.may_open_file(initiative, request.user).or_refuse()
    if not row.file:
        raise Http404("This item has no file.")
    return initiative, row


def opened_file(row) -> file_fingerprints.Opened:
    """The file, hashed; only looked at. Where that is news, the worker is asked to look, and writes what it finds."""
    found = file_fingerprints.opened(row.file.name, row.sha256)
    if (found.file is None) == (row.missing_since is None):
        file_fingerprints.ask_worker(named("initiatives.tasks.check_file"), row.pk)
    return found


def content_of(file) -> bytes:
    """All of an opened file, which is closed."""
    with file:
        return file.read()


def _missing(request, initiative, row, found: file_fingerprints.Opened):
    context = item_context(
        request, initiative, initiative_lookup.evidence_for(request.user, initiative, row.pk)
    )
    context["changed"] = found.state == file_fingerprints.CHANGED
    return render(request, "initiatives/evidence/evidence_missing.html", context, status=404)


def guarded(answer, *, framed_by: str):
    """Let nothing in a handed out file run, load or send, whatever a browser makes of it."""
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = POLICY.format(framed_by)
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    answer["Cache-Control"] = "private, no-store"
    return answer
