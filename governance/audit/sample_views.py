"""Samples: drawn, looked at entry by entry, concluded, finished, drawn again to compare, exported with their proofs."""

import json

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.audit import audit_samples, search
from governance.audit.forms import ConcludeForm, DrawForm
from governance.audit.views import about
from governance.audit_log import csv_export
from governance.database.replica import reads_replica
from governance.models import Sample, SampledEntry, User
from governance.people.permissions import may_audit
from governance.permission_result import no
from governance.runtime.signed_in_request import SignedInRequest
from governance.transparency_log import sealing
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import phrase

PAGE = 25
FIELDS = [
    "place",
    "entry",
    "position",
    "gate",
    "seat",
    "kind",
    "at",
    "who",
    "what",
    "initiative",
    "reason",
    "notes",
    "conclusion",
    "words",
    "concluded_by",
    "concluded_at",
    "digest",
    "leaf",
    "receipt",
]


@reads_replica
@require_safe
def listing(request: SignedInRequest) -> HttpResponse:
    """Show every sample, newest first, with the progress of its conclusions."""
    may_audit(request.user).or_refuse()
    rows = Sample.objects.select_related("drawn_by", "finished_by").annotate(
        entries=Count("drawn"),
        concluded=Count("drawn", filter=~Q(drawn__conclusion="")),
        exceptions=Count("drawn", filter=Q(drawn__conclusion=SampledEntry.EXCEPTION)),
    )
    page = Paginator(rows.order_by("-pk"), PAGE).get_page(request.GET.get("page"))
    return render(
        request, "governance/audit/audit_samples.html", {"nav": "audit", "tab": "samples", "page": page}
    )


@require_http_methods(["GET", "HEAD", "POST"])
def draw(request: SignedInRequest) -> HttpResponse:
    """Draw a sample from the result of a search. The address can contain the search."""
    may_audit(request.user).or_refuse()
    if request.method == "POST":
        form = DrawForm(request.POST)
        if form.is_valid():
            asked = {name: form.cleaned_data[name] for name in form.SAMPLE}
            try:
                sample = audit_samples.draw_sample(search=form.search, **asked, by=request.user)
            except ValidationError as wrong:
                put_errors(form, wrong)
            else:
                messages.success(request, _("The sample is drawn."))
                return redirect(sample)
    else:
        form = DrawForm(initial={"what": "decisions", **request.GET.dict()})
    context = {
        "nav": "audit",
        "tab": "samples",
        "form": form,
        "head": sealing.newest(),
        "method": search.METHOD,
    }
    return render(request, "governance/audit/audit_draw.html", context)


@reads_replica
@require_safe
def sample(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one sample: its draw, entries and conclusions. `?again` draws it once more and compares.

    `format=csv` and `format=json` send it as a file.
    """
    found = _sample(request, pk)
    if request.GET.get("format") in ("csv", "json"):
        return _file(request, found)
    rows = _rows(found)
    left = sum(1 for drawn, _ in rows if not drawn.conclusion)
    counts = [
        (key, words, sum(1 for drawn, _ in rows if drawn.conclusion == key))
        for key, words in SampledEntry.CONCLUSIONS.items()
    ]
    context = {
        "nav": "audit",
        "tab": "samples",
        "sample": found,
        "rows": rows,
        "left": left,
        "first_open": next((drawn for drawn, _ in rows if not drawn.conclusion), None),
        "counts": counts,
        "search": search_words(found.search),
        "method": search.METHOD,
        "again": audit_samples.drawn_again(found) if "again" in request.GET else None,
    }
    return render(request, "governance/audit/audit_sample.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def drawn(request: SignedInRequest, pk: int, place: int) -> HttpResponse:
    """Show one entry of a sample with all its content, notes and a conclusion."""
    found = _sample(request, pk)
    row = get_object_or_404(
        SampledEntry.objects.select_related("sample", "entry__body", "entry__leaf", "concluded_by"),
        sample=found,
        place=place,
    )
    form = ConcludeForm(
        request.POST if request.method == "POST" else None,
        row=row,
        initial={"notes": row.notes, "conclusion": row.conclusion, "words": row.words},
    )
    if form.unchanged:
        return redirect(_next_open(found, place) or found)
    if request.method == "POST" and form.is_valid():
        try:
            audit_samples.conclude(drawn=row, **form.cleaned_data, by=request.user)
        except ValidationError as wrong:
            put_errors(form, wrong)
        else:
            messages.success(request, phrase("Place {} is saved.", place).in_language())
            return redirect(_next_open(found, place) or found)
    context = {
        "nav": "audit",
        "tab": "samples",
        "sample": found,
        "drawn": row,
        "form": form,
        "places": found.drawn.count(),
    }
    status = form.status
    return render(request, "governance/audit/audit_drawn.html", context | about(row.entry), status=status)


@require_POST
def finish(request: SignedInRequest, pk: int) -> HttpResponse:
    """Make the conclusions final."""
    found = _sample(request, pk)
    audit_samples.finish(sample=found, by=request.user)
    messages.success(request, _("The sample is finished. You can export it now."))
    return redirect(found)


def _file(request: SignedInRequest, found: Sample) -> HttpResponse:
    """A sample as CSV or JSON, with where the proof of each entry is found. Refused before it is finished."""
    if not found.finished:
        no(
            "This sample is not finished.",
            "Conclude every entry, then finish the sample.",
            found.get_absolute_url(),
        ).or_refuse()
    name, of = f"sample-{found.pk}", found.name
    lines = _exported(found)
    if csv_export.asked(request):
        rows = ([line[field] for field in FIELDS] for line in lines)
        return csv_export.stream(name, FIELDS, rows, of=of, by=request.user)
    csv_export.taken(f"{name}.json", of=of, by=request.user)
    told = {"sample": _about(found), "method": search.METHOD, "entries": lines}
    response = HttpResponse(
        json.dumps(told, ensure_ascii=False, indent=1), content_type="application/json; charset=utf-8"
    )
    response["Content-Disposition"] = csv_export.file_name(name, "json")
    return response


def _about(found: Sample) -> dict:
    return {
        "name": found.name,
        "purpose": found.purpose,
        "search": found.search,
        "seed": found.seed,
        "size": found.size,
        "bound": found.bound,
        "root": found.root,
        "found": found.found,
        "strata": found.strata,
        "drawn_by": found.drawn_by.full_name,
        "drawn_at": found.drawn_at.isoformat(),
        "finished_by": found.finished_by.full_name,
        "finished_at": found.finished_at.isoformat(),
    }


def _exported(found: Sample) -> list[dict]:
    """Every entry of the sample as plain values, with its bytes and salt: its digest can be worked out again."""
    return [
        {
            "place": drawn.place,
            "entry": drawn.entry_id,
            "position": drawn.position,
            "gate": drawn.gate,
            "seat": drawn.seat,
            "kind": told.entry.kind,
            "at": told.entry.at.isoformat(),
            "who": told.who,
            "what": told.what,
            "initiative": told.entry.initiative_ref,
            "reason": told.reason,
            "notes": drawn.notes,
            "conclusion": drawn.conclusion,
            "words": drawn.words,
            "concluded_by": drawn.concluded_by.full_name,
            "concluded_at": drawn.concluded_at.isoformat(),
            "digest": bytes(told.entry.digest).hex(),
            "leaf": bytes(told.entry.leaf.hash).hex(),
            "receipt": reverse("audit-log-receipt", args=[drawn.entry_id]),
            "body": told.body,
            "salt": bytes(told.entry.body.salt).hex(),
        }
        for drawn, told in _rows(found)
    ]


def _rows(found: Sample) -> list[tuple[SampledEntry, search.Told]]:
    rows = list(found.drawn.select_related("entry__body", "entry__leaf", "concluded_by"))
    return list(zip(rows, search.tell([drawn.entry for drawn in rows]), strict=True))


def _sample(request: SignedInRequest, pk: int) -> Sample:
    may_audit(request.user).or_refuse()
    found = Sample.objects.select_related("drawn_by", "finished_by").filter(pk=pk).first()
    if found is None:
        raise Http404("This sample does not exist.")
    return found


def _next_open(found: Sample, place: int) -> SampledEntry | None:
    """The next entry without a conclusion, after this place or else from the start."""
    rows = list(found.drawn.filter(conclusion=""))
    return next((row for row in rows if row.place > place), rows[0] if rows else None)


def search_words(stored: dict) -> str:
    """Return a stored search in words, such as "in the table X; from 1 May 2026"."""
    asked = search.Search.of_stored(stored)
    words = [] if asked.kind else [", ".join(asked.kinds) or search.WHAT[asked.what]]
    if asked.who:
        person = (
            User.objects.filter(pk=int(asked.who)).first() if asked.who != "system" else "Plumbline itself"
        )
        words.append(f"by {person}")
    named = {"kind": "of the kind", "table": "in the table", "initiative": "of initiative"}
    words += [f"{word} {getattr(asked, name)}" for name, word in named.items() if getattr(asked, name)]
    for word, day in (("from", asked.since), ("to", asked.until)):
        if day is not None:
            words.append(f"{word} {day.day} {day:%B %Y}")
    if asked.text:
        words.append(f"with the text “{asked.text}”")
    return "; ".join(words)
