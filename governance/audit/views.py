"""The auditor's inbox: the audit log searched, one entry read to the byte, and who took or read what."""

import json
from dataclasses import dataclass
from itertools import islice

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from governance import clock
from governance.audit import search as audit_search
from governance.audit.forms import SearchForm
from governance.audit_log import csv_export, entries
from governance.contributions import contributed
from governance.database.replica import reads_replica
from governance.models import Checkpoint, Entry
from governance.people.permissions import may_audit
from governance.runtime.signed_in_request import SignedInRequest

PAGE = 25
# An act and the rows it changed are written within a moment: their numbers lie close together.
NEAR, MOST_NEAR = 1000, 50
CHUNK = 1000
HEADING = [
    "Entry",
    "Kind",
    "Who",
    "Account",
    "What",
    "Reason",
    "Initiative",
    "Title of the initiative",
    "At",
    "Recorded at",
    "Simulated",
    "Facts",
    "Digest",
    "Position",
]


@dataclass(frozen=True)
class Listing:
    """A page of entries of some or all kinds: its words, and the text if it is empty."""

    name: str
    title: str
    lede: str
    none: tuple[str, str]
    kinds: tuple[str, ...] = ()


def _listing(name: str) -> Listing:
    if name == "readings":
        return Listing(
            name,
            "Opened evidence and downloaded exports",
            "Everyone who opened evidence or downloaded a list or an export, including auditors.",
            ("No evidence opened", "No opened evidence and no export match this search. Remove a filter."),
            (*contributed.readings, *audit_search.READINGS),
        )
    if name == "sign-ins":
        return Listing(
            name,
            "Failed sign-ins",
            "Each wrong password or second factor, at sign-in and at signing, with its account and address.",
            ("No failed sign-in", "No failed sign-in matches this search. Remove a filter."),
            audit_search.TURNED_AWAY,
        )
    return Listing(
        name,
        "Search the audit log",
        "Find acts on initiatives and changes of rows, as recorded.",
        ("No entries found", "No entry of the audit log matches these filters. Remove a filter."),
    )


@reads_replica
@require_safe
def entry_list(request: SignedInRequest, name: str = "entries") -> HttpResponse:
    """Show the entries that the address asks for, newest first, or all of them as CSV.

    Pages go by key, so the last page costs the same as the first. The CSV file is written while the rows are read.
    """
    may_audit(request.user).or_refuse()
    listing = _listing(name)
    form, search = _asked(request, listing)
    found = search.entries().select_related("body")
    if csv_export.asked(request):
        rows = _lines(found.select_related("leaf").defer("leaf__data").order_by("-pk"))
        of = json.dumps(search.stored(), ensure_ascii=False)
        return csv_export.stream(f"audit-log-{name}", HEADING, rows, of=of, by=request.user)
    window = audit_search.window(found, PAGE, before=_key(request, "before"), after=_key(request, "after"))
    context = {
        "nav": "audit",
        "tab": name,
        "listing": listing,
        "form": form,
        "filtered": any(request.GET.get(field) for field in form.fields),
        "window": window,
        "rows": audit_search.tell(window.rows),
        "bounded": search.bounded.since if search.text and search.since is None else None,
    }
    return render(request, "governance/audit/audit_entries.html", context)


def _lines(found):
    rows = found.iterator(chunk_size=CHUNK)
    while some := list(islice(rows, CHUNK)):
        for row in audit_search.tell(some):
            entry = row.entry
            yield [
                entry.pk,
                entry.kind if not entry.table else f"{entry.table} {entry.operation}",
                row.who,
                entry.actor_id,
                row.what,
                row.reason,
                entry.initiative_ref,
                row.title,
                entry.at,
                entry.recorded_at,
                entry.simulated,
                json.dumps(row.facts or [list(change) for change in row.changes], ensure_ascii=False),
                bytes(entry.digest).hex(),
                entry.leaf.position if hasattr(entry, "leaf") else None,
            ]


@reads_replica
@require_safe
def entry(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one entry: its content, exact bytes and place in the tree. Raises Http404 if it does not exist."""
    may_audit(request.user).or_refuse()
    row = get_object_or_404(Entry.objects.select_related("body", "leaf"), pk=pk)
    return render(
        request, "governance/audit/audit_entry.html", {"nav": "audit", "tab": "entries"} | about(row)
    )


def about(row: Entry) -> dict:
    """Return the context of one entry's page. `near` are entries of its transaction, `matches` compares digests."""
    leaf = getattr(row, "leaf", None)
    near = Entry.objects.filter(xact=row.xact, pk__range=(row.pk - NEAR, row.pk + NEAR)).exclude(pk=row.pk)
    told, *others = audit_search.tell([row, *near.select_related("body").order_by("pk")[:MOST_NEAR]])
    digest, salt = bytes(row.digest), bytes(row.body.salt)
    return {
        "entry": row,
        "told": told,
        "facts": [
            (name.replace("_", " "), _shown(value), _long(value)) for name, value in told.facts.items()
        ],
        "changes": [(name, _shown(old), _shown(new)) for name, old, new in told.changes],
        "near": others,
        "leaf": leaf,
        "leaf_hash": bytes(leaf.hash).hex() if leaf else "",
        "checkpoint": leaf
        and Checkpoint.objects.filter(size__gt=leaf.position).order_by("size", "pk").first(),
        "digest": digest.hex(),
        "salt": salt.hex(),
        "matches": not told.erased and entries.commitment(salt, told.body.encode()) == digest,
        "day_over": clock.local_day(row.at) < clock.today(),
    }


def _asked(request: SignedInRequest, listing: Listing) -> tuple[SearchForm, audit_search.Search]:
    form = SearchForm(request.GET, kinds=listing.kinds)
    form.is_valid()  # what was not understood is said on the page and left out
    return form, form.search


def _key(request: SignedInRequest, name: str) -> int | None:
    typed = request.GET.get(name, "")
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 19 else None


def _shown(value) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, indent=1) if value else ""
    return str(value)


def _long(value) -> bool:
    """Return True if a value is shown as it is written, line by line."""
    return isinstance(value, (dict, list)) or "\n" in str(value)
