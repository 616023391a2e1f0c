"""The pages of the parts of a post-mortem: comments, gaps opened from it, files."""

from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from adoption.models import Attachment, PostMortem, SectionComment
from adoption.postmortems import attachments, permissions, section_comments
from adoption.postmortems.forms import AttachForm, CommentForm, LinkedGapForm
from adoption.postmortems.views import post_mortem_for
from adoption.postmortems.writing import open_linked_gap
from governance.files import file_previews
from governance.queue.task_base import named
from governance.runtime.signed_in_request import SignedInRequest
from governance.storage import file_fingerprints
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.evidence.file_views import guarded
from initiatives.lifecycle.initiative.initiative_frame import initiative_context
from initiatives.lifecycle.initiative.page_steps import ROW_ACTS, RowAct
from initiatives.models import System


@require_POST
def resolve_comment(request: SignedInRequest, pk: int) -> HttpResponse:
    """Resolve a comment."""
    rows = SectionComment.objects.select_related("post_mortem__initiative")
    said = rows.filter(pk=pk).first()
    if said is None:
        raise Http404("This comment does not exist.")
    row = post_mortem_for(request.user, said.post_mortem_id)
    section_comments.resolve_comment(comment=said, by=request.user)
    return redirect("post-mortem", row.pk)


def _systems(row: PostMortem, request: SignedInRequest) -> dict:
    """Return the form of a gap with the systems of the initiative."""
    systems = System.objects.filter(links__initiative=row.initiative).distinct().order_by("name")
    return {"initial": {"downstream": list(systems.values_list("name", flat=True)[:10])}}


def _on_page(row: PostMortem) -> str:
    return reverse("post-mortem", args=[row.pk])


POST_MORTEMS = PostMortem.objects.select_related("initiative__unit", "initiative__contract")
ROW_ACTS["post-mortems/comment"] = RowAct(
    rows=POST_MORTEMS,
    may=permissions.may_comment,
    act=section_comments.comment,
    noun="post_mortem",
    page="lessons",
    form=CommentForm,
    given=lambda row, request: {
        "post_mortem": row,
        "initial": {"section": request.GET.get("section", "")},
    },
    back=_on_page,
    title=gettext_lazy("Comment on the post-mortem"),
    lede=gettext_lazy(
        "The person who submitted the post-mortem is notified. The text changes only if the adoption seat sends "
        "the post-mortem back."
    ),
    verb=gettext_lazy("Comment"),
    done=gettext_lazy("The comment is shown beside the section."),
)
ROW_ACTS["post-mortems/open-gap"] = RowAct(
    rows=POST_MORTEMS,
    may=permissions.may_write,
    act=open_linked_gap,
    noun="post_mortem",
    page="lessons",
    form=LinkedGapForm,
    given=_systems,
    back=_on_page,
    title=gettext_lazy("Record an open point as a gap"),
    lede=gettext_lazy(
        "The gap stays open after the initiative has ended. Evidence closes the gap, or its owner accepts it. "
        "Plumbline reminds the owner of the day."
    ),
    verb=gettext_lazy("Record the gap"),
    done=gettext_lazy("The gap is recorded, and named in the post-mortem."),
)
ROW_ACTS["post-mortems/attach"] = RowAct(
    rows=POST_MORTEMS,
    may=permissions.may_write,
    act=attachments.attach,
    noun="post_mortem",
    page="lessons",
    form=AttachForm,
    with_files=True,
    back=_on_page,
    title=gettext_lazy("Attach a file"),
    lede=gettext_lazy(
        "People who may read the evidence of the initiative may open the file. Each reading is recorded."
    ),
    verb=gettext_lazy("Attach the file"),
    done=gettext_lazy("The file is kept with the post-mortem."),
)
ROW_ACTS["attachments/take-out"] = RowAct(
    rows=Attachment.objects.current().select_related("post_mortem__initiative__unit"),
    of="post_mortem",
    may=lambda row, person: permissions.may_write(row.post_mortem, person),
    act=attachments.take_out,
    noun="attachment",
    page="lessons",
    back=lambda row: reverse("post-mortem", args=[row.post_mortem_id]),
    title=gettext_lazy("Remove a file"),
    lede=lambda row: row.title,
    happens=(
        gettext_lazy(
            "The file is no longer shown. The audit log keeps the file name, the hash of the file "
            "and your reason."
        ),
    ),
    verb=gettext_lazy("Remove"),
    done=gettext_lazy("The file is removed."),
)


def _kept(request: SignedInRequest, pk: int) -> tuple[Attachment, PostMortem]:
    """Return a current attachment and its post-mortem, if the person may see them. Raises Http404."""
    kept = Attachment.objects.current().filter(pk=pk).first()
    if kept is None:
        raise Http404("This file does not exist.")
    return kept, post_mortem_for(request.user, kept.post_mortem_id)


def _opened(request: SignedInRequest, pk: int):
    """Return the attachment, its post-mortem and its hashed file, if the person may.

    Raises Http404. If storage does not have the file that was recorded, the worker checks it.
    """
    kept, row = _kept(request, pk)
    visibility.may_open_file(row.initiative, request.user).or_refuse()
    found = file_fingerprints.opened(kept.file.name, kept.sha256)
    if found.file is None:
        file_fingerprints.ask_worker(named("adoption.tasks.check_attachment"), kept.pk)
    return kept, row, found


def _missing(
    request: SignedInRequest, kept: Attachment, row: PostMortem, found: file_fingerprints.Opened
) -> HttpResponse:
    context = initiative_context(request, row.initiative, page="lessons") | {
        "title": kept.title,
        "item": kept,
        "post_mortem": row,
        "why": file_fingerprints.WORDS[found.state],
    }
    return render(request, "adoption/postmortems/attachment_missing.html", context, status=404)


@require_safe
def download(request: SignedInRequest, pk: int) -> FileResponse:
    """Send the file, as a download only."""
    kept, row, found = _opened(request, pk)
    if found.file is None:
        return _missing(request, kept, row, found)
    attachments.record_reading(attachment=kept, initiative=row.initiative, way="download", by=request.user)
    answer = FileResponse(
        found.file, as_attachment=True, filename=kept.file_name, content_type=kept.content_type
    )
    return guarded(answer, framed_by="'none'")


@require_safe
def look(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the file: text and tables in words, a picture or PDF in a separate frame."""
    kept, row, found = _opened(request, pk)
    if found.file is None:
        return _missing(request, kept, row, found)
    content = found.file.read()
    told = file_previews.told(content, kept.content_type)
    if told is not None:
        attachments.record_reading(attachment=kept, initiative=row.initiative, way="look", by=request.user)
    context = initiative_context(request, row.initiative, page="lessons") | {
        "title": kept.title,
        "item": kept,
        "post_mortem": row,
        "told": told,
        "table": isinstance(told, file_previews.Table),
        "sent_as": "" if told is not None else file_previews.sent_as(content),
    }
    answer = render(request, "adoption/postmortems/attachment_look.html", context)
    answer["Cache-Control"] = "private, no-store"
    return answer


@require_safe
def content(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send a picture or PDF as it is, for the frame of that page. Raises Http404 for other files."""
    kept, row, found = _opened(request, pk)
    if found.file is None:
        return _missing(request, kept, row, found)
    body = found.file.read()
    content_type = file_previews.sent_as(body)
    if not content_type:
        raise Http404("This file can only be downloaded.")
    attachments.record_reading(attachment=kept, initiative=row.initiative, way="look", by=request.user)
    answer = HttpResponse(body, content_type=content_type)
    answer["Content-Disposition"] = "inline"
    answer["X-Frame-Options"] = "SAMEORIGIN"
    return guarded(answer, framed_by="'self'")
