"""Pages of the audit log for people who check it: checkpoint, receipts, verifier."""

import json
from pathlib import Path

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from governance import clock
from governance.database.replica import reads_replica
from governance.models import Entry, User
from governance.offline import verify
from governance.runtime.signed_in_request import SignedInRequest
from governance.transparency_log import sealing, signing_keys, witnesses
from governance.vocabulary.entry_kinds import EntryKind

OFFERED = 10  # of one's own acts
# Acts that people may want to prove later.
LASTING = (
    EntryKind.SIGNED_OFF,
    EntryKind.SIGN_OFF_WITHDRAWN,
    EntryKind.REVIEW_APPROVED,
    EntryKind.REVIEW_APPROVED_WITH_CONDITIONS,
    EntryKind.REVIEW_REFUSED,
    EntryKind.CONTRACT_APPROVED,
    EntryKind.CONTRACT_OBJECTED,
    EntryKind.WAIVER_AGREED,
    EntryKind.RISK_ACCEPTED,
    EntryKind.ROLE_ACCEPTED,
)


@reads_replica
@require_safe
def audit_log_page(request: SignedInRequest) -> HttpResponse:
    """Show the newest checkpoint to copy, the state of sealing, the keys and a guide."""
    own = Entry.objects.acts().filter(actor_id=request.user.pk, kind__in=LASTING).order_by("-pk")
    newest = sealing.newest()
    context = {
        "nav": "audit-log",
        "checkpoint": newest,
        "note": witnesses.cosigned_note(newest) if newest else "",
        "progress": witnesses.progress(),
        "witnesses": witnesses.keys(),
        "backlog": sealing.backlog(),
        "keys": signing_keys.known(),
        "acts": own[:OFFERED],
    }
    return render(request, "governance/audit/audit_log_page.html", context)


@reads_replica
@require_safe
@never_cache
def checkpoint(request: SignedInRequest) -> HttpResponse:
    """Send the newest checkpoint as the file to keep. Raises Http404 before the first."""
    newest = sealing.newest()
    if newest is None:
        raise Http404("The audit log has no checkpoint yet.")
    note, name = witnesses.cosigned_note(newest), f"plumbline-checkpoint-{newest.size}.txt"
    return _file(note.encode(), name, "text/plain; charset=utf-8")


@require_safe
def verifier(request: SignedInRequest) -> HttpResponse:
    """Send the program that checks receipts, checkpoints and exports. It runs anywhere with Python."""
    return _file(Path(verify.__file__).read_bytes(), "verify.py", "text/x-python; charset=utf-8")


@reads_replica
@require_safe
@never_cache
def receipt(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the receipt of one entry. People see their own entries, auditors any. Http404 to others."""
    entry = _entry_for(request.user, pk)
    context = {"nav": "audit-log", "entry": entry}
    try:
        receipt, _, note, signers = verify.check_receipt(sealing.receipt_of(entry), signing_keys.known())
    except sealing.NotSealedYet:
        return render(request, "governance/audit/audit_log_receipt.html", context)
    except verify.Rejected as wrong:  # somebody changed the audit log past the application
        return render(
            request, "governance/audit/audit_log_receipt.html", context | {"wrong": wrong}, status=409
        )
    body = json.loads(receipt["body"]) if receipt["body"] else {}
    context |= {
        "receipt": receipt,
        "statement": (body.get("facts") or {}).get("statement", ""),
        "facts": [
            ("What", f"change of the row {entry.table} {entry.key}" if entry.table else entry.kind),
            ("Initiative", entry.initiative_ref or "none"),
            ("By", body["actor"]["name"] if body else "erased"),
            ("Why", body.get("reason") or "no reason given"),
            ("When", clock.moment_in_words(entry.at)),
            (
                "Recorded",
                clock.moment_in_words(entry.recorded_at) + (" (simulated)" if entry.simulated else ""),
            ),
            ("Position", f"{receipt['position']}, covered by the checkpoint of {note.size} entries"),
            ("Signed by", ", ".join(key.name for key in signers)),
        ],
    }
    return render(request, "governance/audit/audit_log_receipt.html", context)


@reads_replica
@require_safe
@never_cache
def receipt_file(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send the receipt as the file to keep. Raises Http404 for strangers, and until the entry is sealed."""
    entry = _entry_for(request.user, pk)
    try:
        content = sealing.receipt_of(entry)
    except sealing.NotSealedYet as why:
        raise Http404(str(why)) from None
    return _file(content, f"plumbline-receipt-{entry.pk}.json", "application/json")


def _entry_for(person: User, pk: int) -> Entry:
    entries = Entry.objects.all()
    if not person.is_auditor:
        entries = entries.filter(actor_id=person.pk)
    return get_object_or_404(entries, pk=pk)


def _file(content: bytes, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
