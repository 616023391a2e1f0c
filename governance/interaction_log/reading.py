"""Read the log: pages of rows, opened interactions, and interactions to hand out.

Rows come from the index alone. Words of people are decrypted in memory, for the opened interactions only.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet

from governance.interaction_log import bodies, keys, loading, shape
from governance.interaction_log.shape import Interaction as Report
from governance.interaction_log.shape import Kind
from governance.models import Interaction, InteractionBodies
from governance.offline.verify import INTERACTION, Peaks, leaf_hash

PAGE = 50
_KEPT = """
SELECT w.row, b.content, b.wrapped
  FROM unnest(%s::bigint[], %s::date[], %s::bigint[], %s::integer[]) AS w (row, day, batch, place)
  JOIN governance_interactionbody b ON b.batch_id = w.batch AND b.place = w.place AND b.day = w.day
"""
COUNTED = (
    Kind.CALL,
    Kind.TOOL,
    Kind.RETRIEVAL,
)  # what a list shows; the others are shown with what they belong to


@dataclass(frozen=True)
class Wanted:
    """Conditions on interactions. Empty or None has no effect. `subject` is as sent."""

    subject: str = ""
    model: str = ""
    decided: str = ""  # "yes" or "no": whether it names a decision
    key: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    actions: tuple[str, ...] | None = None  # names of acts
    answered_by: tuple[str, ...] | None = None  # versions, or models where no version is said
    only: tuple[int, ...] | None = None  # keys of rows
    without: tuple[int, ...] = ()  # likewise
    unread: bool = False  # whose words were not all understood


@dataclass(frozen=True)
class Opened:
    """One interaction in clear, joined with other reports of it.

    `report` is None if its key is destroyed. `wrong` names what does not fit the digest in the audit log, else it is
    "". `expired` is True if its body was kept for its time and then removed.
    """

    row: Interaction
    report: Report | None
    parts: tuple[Interaction, ...]
    wrong: str = ""
    expired: bool = False


def rows(initiative: int, wanted: Wanted) -> QuerySet[Interaction]:
    """Return the wanted rows of an initiative (its number), newest first."""
    found = Interaction.objects.filter(initiative_number=initiative, kind__in=COUNTED)
    if wanted.subject:
        found = found.filter(subject=keys.pseudonym("subject", wanted.subject))
    if wanted.model:
        found = found.filter(Q(model=wanted.model) | Q(version=wanted.model))
    if wanted.decided:
        found = found.filter(decision__isnull=wanted.decided == "no")
    if wanted.key is not None:
        found = found.filter(key_id=wanted.key)
    if wanted.since is not None:
        found = found.filter(at__gte=wanted.since)
    if wanted.until is not None:
        found = found.filter(at__lt=wanted.until)
    if wanted.actions is not None:
        found = found.filter(action__in=wanted.actions)
    if wanted.answered_by is not None:
        names = wanted.answered_by
        found = found.filter(Q(version__in=names) | Q(version="", model__in=names))
    if wanted.only is not None:
        found = found.filter(pk__in=wanted.only)
    if wanted.unread:
        found = found.filter(unread__isnull=False)
    if wanted.without:
        found = found.exclude(pk__in=wanted.without)
    return found.order_by("-at", "-id")


_UNREAD = """
SELECT i.key_id, n.name, count(*), max(i.at)
  FROM governance_interaction i, jsonb_array_elements_text(i.unread) AS n(name)
 WHERE i.initiative_number = %s AND i.at >= %s AND i.unread IS NOT NULL
 GROUP BY 1, 2 ORDER BY 3 DESC, 2 LIMIT %s
"""


class Unread(NamedTuple):
    """An attribute whose words no field took: key, name, reports and last time."""

    key: int | None
    name: str
    reports: int
    last: datetime


def unread(initiative: int, since: datetime, most: int) -> list[Unread]:
    """Return the unread attributes of an initiative (its number), most frequent first."""
    with connection.cursor() as cursor:
        cursor.execute(_UNREAD, [initiative, since, most])
        return [Unread(*row) for row in cursor.fetchall()]


def page(
    initiative: int, wanted: Wanted, before: tuple[datetime, int] | None = None
) -> tuple[list[Interaction], tuple[datetime, int] | None]:
    """Return the next PAGE wanted rows, and where the rows after them begin, or None."""
    found = rows(initiative, wanted)
    if before is not None:
        at, row = before
        found = found.filter(Q(at__lt=at) | Q(at=at, id__lt=row))
    some = list(found[: PAGE + 1])
    more = (some[PAGE - 1].at, some[PAGE - 1].pk) if len(some) > PAGE else None
    return some[:PAGE], more


def opened(row: Interaction) -> Opened:
    """Return one decrypted interaction. Raises NoMaster without its master key's file."""
    return opened_of([row])[0]


def opened_of(rows: list[Interaction]) -> list[Opened]:
    """Return the decrypted interactions of one initiative, in order. Raises NoMaster."""
    if not rows:
        return []
    calls: dict[bytes, list[Interaction]] = {bytes(row.call): [] for row in rows}
    known = Interaction.objects.filter(initiative_number=rows[0].initiative_number, call__in=list(calls))
    for part in known.select_related("batch"):
        calls[bytes(part.call)].append(part)
    found, gone = [], _gone_through(rows)
    said, wrongs = _opened_bodies([part for parts in calls.values() for part in parts])
    for row in rows:
        parts = calls[bytes(row.call)]
        reports = [report for part in parts if (report := _report(part, said, wrongs)) is not None]
        wrong = next((wrongs[part.pk] for part in parts if part.pk in wrongs), "")
        report = next(iter(shape.joined(reports)), None)
        expired = report is None and not wrong and _expired(row, gone)
        found.append(Opened(row, report, tuple(parts), wrong, expired))
    return found


def bodies_of(parts: list[Interaction]) -> tuple[dict[int, bytes], str]:
    """Return the readable bodies that fit their digests, by row, and the first fault."""
    found, wrong = _opened_bodies(parts)
    return found, next(iter(wrong.values()), "")


def _opened_bodies(parts: list[Interaction]) -> tuple[dict[int, bytes], dict[int, str]]:
    """Return the readable bodies that fit their digests, and the faults, each by row."""
    kept = kept_of(parts)
    held = keys.for_reading(part.holder_key for part in parts)
    gone = _gone_through(parts) if len(kept) < len({part.pk for part in parts}) else {}
    found: dict[int, bytes] = {}
    wrong: dict[int, str] = {}
    for part in parts:
        under, body = held.get(part.holder_key), kept.get(part.pk)
        if under is None:
            continue  # destroyed on purpose
        if body is None:
            if not _expired(part, gone):
                wrong[part.pk] = f"the body of interaction {part.pk} is missing"
            continue
        try:
            key = bodies.unwrapped(body.wrapped, under)
            said = bodies.opened(body.content, key)
        except bodies.Unreadable as trouble:
            wrong[part.pk] = f"interaction {part.pk}: {trouble}"
            continue
        if bodies.digest(said, key) != bytes(part.digest):
            wrong[part.pk] = f"interaction {part.pk} was changed after it was sealed"
            continue
        found[part.pk] = said
    return found, wrong


def handed_out(row: Interaction) -> dict[str, Any] | None:
    """Return a row with body, salt and path to its batch's root, or None without key.

    Anyone can check it with the receipt of the entry that captured the batch (`governance.offline.verify`).
    """
    body, held = kept_of([row]).get(row.pk), keys.for_reading([row.holder_key])
    if row.holder_key not in held or body is None:
        return None
    key = bodies.unwrapped(body.wrapped, held[row.holder_key])
    leaves = [leaf_hash(digest) for digest in loading.digests_of(row.batch)]
    return {
        "body": bodies.opened(body.content, key).decode(),
        "salt": bodies.salt(key).hex(),
        "digest": bytes(row.digest).hex(),
        "batch": {"id": row.batch_id, "count": row.batch.count, "root": row.batch.root},
        "place": row.place,
        "path": [hash.hex() for hash in path_of(leaves, row.place)],
    }


def path_of(leaves: list[bytes], place: int) -> list[bytes]:
    """Return the proof, from the leaf up, that a leaf is in the tree (RFC 6962)."""
    if len(leaves) == 1:
        return []
    middle = 1 << ((len(leaves) - 1).bit_length() - 1)
    if place < middle:
        return [*path_of(leaves[:middle], place), _root(leaves[middle:])]
    return [*path_of(leaves[middle:], place - middle), _root(leaves[:middle])]


def _root(leaves: list[bytes]) -> bytes:
    peaks = Peaks()
    for leaf in leaves:
        peaks.push(leaf)
    return peaks.root()


class Kept(NamedTuple):
    """A body as stored: encrypted, and its key wrapped."""

    content: bytes
    wrapped: bytes


def kept_of(rows: Iterable[Interaction]) -> dict[int, Kept]:
    """Return the stored bodies by row. The batch of each row is read."""
    wanted = [(row.pk, row.batch.day, row.batch_id, row.place) for row in rows]
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, [list(values) for values in zip(*wanted, strict=True)])
        return {row: Kept(bytes(content), bytes(wrapped)) for row, content, wrapped in cursor.fetchall()}


def _gone_through(rows: list[Interaction]) -> dict[int, date]:
    """Return the day up to which bodies have expired, by initiative."""
    known = InteractionBodies.objects.filter(initiative_number__in={row.initiative_number for row in rows})
    return dict(known.values_list("initiative_number", "gone_through"))


def _expired(row: Interaction, gone: dict[int, date]) -> bool:
    return row.batch.day <= gone.get(row.initiative_number, date.min)


def _report(part: Interaction, said: dict[int, bytes], wrongs: dict[int, str]) -> Report | None:
    """Return a row's report, or None. `wrongs` gets the fault of an unreadable form."""
    if (body := said.get(part.pk)) is None:
        return None
    try:
        return shape.read(json.loads(body)["report"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        wrongs[part.pk] = f"the body of interaction {part.pk} has a format that this version cannot read"
        return None


def file_of(out: dict[str, Any], receipt: bytes) -> bytes:
    """Return the file of `handed_out`, with the receipt of the batch's entry."""
    whole = {"format": INTERACTION, "interaction": out, "receipt": receipt.decode()}
    return (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode()
