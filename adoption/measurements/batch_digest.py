"""The digest of a batch. Measurements are many, so their entry commits to all of them by one digest."""

import hashlib
from collections.abc import Iterable, Iterator

from adoption.models import Measurement
from governance.audit_log.entries import canonical
from governance.models import Entry
from governance.vocabulary.entry_kinds import EntryKind

FIELDS = (
    "id",
    "measure_id",
    "key",
    "starts_on",
    "ends_on",
    "team",
    "about",
    "hits",
    "value",
    "sd",
    "n",
    "others",
    "came",
    "source",
    "by_id",
    "service_key_id",
    "replaces_id",
    "reason",
)


def sealed(rows: Iterable[Measurement]) -> dict:
    """Return an entry's facts about its measurements: first key, last key, digest."""
    rows = sorted(rows, key=lambda row: row.pk)
    return {
        "first": rows[0].pk,
        "last": rows[-1].pk,
        "digest": _digest([getattr(row, name) for name in FIELDS] for row in rows),
    }


def _digest(rows: Iterable[list]) -> str:
    """Return the SHA-256 over the rows in order. Figures are text, because the audit log has no floats."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(canonical([str(one) if isinstance(one, float) else one for one in row]))
        digest.update(b"\n")
    return digest.hexdigest()


def broken(since: int, using: str) -> Iterator[tuple[str, str, str]]:
    """Yield the measurements since this transaction that changed, are missing, or have no entry."""
    table, known = Measurement._meta.db_table, set()
    entries = (
        Entry.objects.using(using)
        .filter(kind=EntryKind.MEASUREMENTS_RECORDED, xact__gte=since)
        .select_related("body")
        .order_by("pk")
    )
    for entry in entries.iterator(chunk_size=200):
        facts = entry.facts["facts"]
        if not facts:
            continue  # an erased entry no longer has facts
        known.add((entry.xact, facts["first"], facts["last"]))
        rows = Measurement.objects.using(using).filter(
            xact=entry.xact, pk__gte=facts["first"], pk__lte=facts["last"]
        )
        if _digest(list(row) for row in rows.order_by("pk").values_list(*FIELDS)) != facts["digest"]:
            yield f"measurements differ from what entry {entry.pk} committed to", table, f"entry {entry.pk}"
    loose = Measurement.objects.using(using).filter(xact__gte=since).order_by("pk").values_list("xact", "pk")
    spans: dict[int, list[tuple[int, int]]] = {}
    for xact, first, last in known:
        spans.setdefault(xact, []).append((first, last))
    for xact, pk in loose.iterator(chunk_size=5000):
        if not any(first <= pk <= last for first, last in spans.get(xact, ())):
            yield f"measurement {pk} came with no entry", table, str(pk)
