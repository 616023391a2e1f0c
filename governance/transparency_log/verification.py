"""Verify the whole audit log: seals, signatures, and the rows as they are now.

Verification only reads, some rows at a time, in one look at the database (REPEATABLE READ), so that it may run while
people work. Each finding has its place: position and entry, or table, row and field.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.db import connections

from governance.authorization import decision_log
from governance.contributions import contributed
from governance.database import database_roles
from governance.interaction_log import loading
from governance.models import DecisionBatch
from governance.offline import verify as offline_verify
from governance.transparency_log import database_guards, entry_judgement, row_replay
from governance.transparency_log.merkle_tree import Tree
from governance.transparency_log.recomputation import Log, Walk, one_look, stream
from governance.vocabulary.entry_kinds import EntryKind

MOST_FINDINGS = 100
OVERDUE = 60  # seconds after which an entry should have been sealed

UNSEALED = """
SELECT e.id, e.digest, b.body, b.salt, NOT e.simulated AND e.recorded_at < now() - make_interval(secs => %s)
  FROM governance_entry e
  LEFT JOIN governance_entrybody b ON b.entry_id = e.id
 WHERE NOT EXISTS (SELECT FROM governance_leaf l WHERE l.entry_id = e.id) ORDER BY e.id
"""
BODIES_ALONE = """
SELECT b.entry_id FROM governance_entrybody b
 WHERE NOT EXISTS (SELECT FROM governance_entry e WHERE e.id = b.entry_id) ORDER BY b.entry_id
"""
# Emptied bodies that no act of erasure names.
EMPTIED = """
WITH named AS (
  SELECT jsonb_array_elements_text(convert_from(b.body, 'UTF8')::jsonb #> '{facts,entries}')::bigint AS id
    FROM governance_entry e JOIN governance_entrybody b ON b.entry_id = e.id
   WHERE e.kind = %s AND length(b.body) > 0
)
SELECT b.entry_id FROM governance_entrybody b
 WHERE length(b.body) = 0 AND length(b.salt) = 0 AND NOT EXISTS (SELECT FROM named WHERE named.id = b.entry_id)
 ORDER BY b.entry_id
"""
# A transaction is known from the first checkpoint that covers a part of it. No transaction is under two checkpoints, so
# the look back begins at one. If all transactions of a checkpoint are known from a moment other than its own, the
# moment of the checkpoint was changed.
SEALINGS = """
WITH begin AS (
  SELECT coalesce(max(size), 0) AS at FROM governance_checkpoint WHERE size <= %(since)s
), heads AS (
  SELECT id, size, at, lag(size, 1, 0::bigint) OVER line AS before, lag(at) OVER line AS last_at
    FROM governance_checkpoint WINDOW line AS (ORDER BY id)
), sealed AS (
  SELECT e.xact, s.checkpoint_id, s.known_at, h.size, h.before, min(l.position) AS first,
         CASE WHEN bool_or(e.simulated AND l.position < h.size)
              THEN max(e.recorded_at) FILTER (WHERE l.position < h.size) ELSE h.at END AS right_at
    FROM governance_leaf l
    JOIN governance_entry e ON e.id = l.entry_id
    LEFT JOIN governance_sealing s ON s.xact = e.xact
    LEFT JOIN heads h ON h.id = s.checkpoint_id
   WHERE l.position >= (SELECT at FROM begin) AND (h.size IS NULL OR h.size > (SELECT at FROM begin))
   GROUP BY e.xact, s.checkpoint_id, s.known_at, h.size, h.before, h.at
), known AS (
  SELECT *, bool_and(known_at <> right_at) OVER (PARTITION BY checkpoint_id) AS all_differ FROM sealed
)
SELECT 'sealing', xact, CASE WHEN first < before OR first >= size THEN 'checkpoint_id' ELSE 'known_at' END FROM known
 WHERE known_at IS NULL OR first < before OR first >= size OR (known_at <> right_at AND NOT all_differ)
UNION ALL
SELECT DISTINCT 'checkpoint', checkpoint_id, 'at' FROM known WHERE known_at <> right_at AND all_differ
UNION ALL
SELECT 'sealing', s.xact, 'xact' FROM governance_sealing s WHERE NOT EXISTS (
  SELECT FROM governance_entry e JOIN governance_leaf l ON l.entry_id = e.id WHERE e.xact = s.xact)
UNION ALL
SELECT 'checkpoint', id, 'at' FROM heads WHERE at <= last_at AND size >= %(since)s
ORDER BY 1, 2
"""

COSIGNATURES = """
SELECT g.id, g.witness, g.line, c.note, c.size FROM governance_cosignature g
  JOIN governance_checkpoint c ON c.id = g.checkpoint_id WHERE c.size >= %s ORDER BY c.size, g.id
"""

# Decisions that no batch commits to.
UNBATCHED = """
SELECT d.id FROM governance_policydecision d
 WHERE NOT EXISTS (SELECT FROM governance_decisionbatch b WHERE b.id = d.batch_id) ORDER BY d.id
"""


@dataclass(frozen=True)
class Finding:
    """One fault, in words, with its place. Parts that do not apply are None or empty."""

    words: str
    # leaf, entry, body, node, checkpoint, cosignature, held, sealing, row, decision, judged, derived, guard
    place: str
    position: int | None = None
    entry: int | None = None
    table: str = ""
    key: str = ""
    field: str = ""

    def __str__(self) -> str:
        """Return the words, followed by the place."""
        where = {
            "position": self.position,
            "entry": self.entry,
            "table": self.table,
            "row": self.key,
            "field": self.field,
        }
        said = ", ".join(f"{name} {value}" for name, value in where.items() if value not in (None, ""))
        return f"{self.words} ({said})" if said else self.words


@dataclass
class Report:
    """The counts of a verification, and the first hundred findings in their order."""

    since: int = 0
    leaves: int = 0
    unsealed: int = 0
    overdue: int = 0
    erased: int = 0
    checkpoints: int = 0
    newest_size: int | None = None
    # By public key of a witness of the settings: how many checkpoints it cosigned, and the size of the last.
    cosigned: dict[str, tuple[int, int]] = field(default_factory=dict)
    # Likewise by other keys, which prove nothing by themselves.
    cosigned_by_unknown: dict[str, tuple[int, int]] = field(default_factory=dict)
    held: int = 0
    batches: int = 0
    replayed: bool = False
    judged: int = 0
    unjudged: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Return True if nothing is wrong."""
        return not self.findings

    @property
    def full(self) -> bool:
        """Return True if more findings would add nothing."""
        return len(self.findings) >= MOST_FINDINGS

    def add(self, words: str, place: str, **where: Any) -> None:
        """Note a finding, as long as there is room."""
        if not self.full:
            self.findings.append(Finding(words, place, **where))

    def as_dict(self) -> dict[str, Any]:
        """Return the report for --json."""
        return {"ok": self.ok} | asdict(self)


def verify(
    *,
    since: int = 0,
    held: Iterable[bytes] = (),
    trusted: Iterable[str] = (),
    names: database_roles.Names | None = None,
    using: str = "default",
) -> Report:
    """Recompute everything from position `since` on, and compare `held` checkpoints.

    `trusted` has keys that may sign beside those of the settings, for a copy that is verified without them. `names`
    has the three logins here, whose grants are compared. Raises offline.Rejected if a held text is not a checkpoint
    that one of the keys signed, or if `since` is beyond the log.
    """
    with one_look(using):
        size = Tree(using).size()
        if since > size:
            raise offline_verify.Rejected(
                f"The audit log has {size} sealed entries, so position {since} does not exist."
            )
        log = Log.read(using, trusted)
        notes = sorted((log.check(text) for text in held), key=attrgetter("size"))
        report = Report(since=min([since, *(note.size for note in notes)]), held=len(notes))
        Walk(report, since=report.since, held=notes, log=log, using=using).go()
        _cosignatures(report, using)
        _unsealed(report, using)
        _bodies(report, using)
        _sealings(report, using)
        if not any(found.place in ("leaf", "entry", "body") for found in report.findings):
            _rows(report, using)
            _judged(report, using)
            _derived(report, using)
        _decisions(report, using)
        for words in database_guards.differences(connections[using], names):
            report.add(words, "guard")
    return report


def _cosignatures(report: Report, using: str) -> None:
    """Check the line of each witness under its checkpoint, and count the checkpoints that each cosigned."""
    known = {str(key) for _, key in settings.WITNESSES}
    for pk, witness, line, note, size in stream(using, COSIGNATURES, [report.since]):
        try:
            key = offline_verify.parse_key(witness, (offline_verify.COSIGNATURE,))
            body, _ = offline_verify.split_note(note)
            _, lines = offline_verify.split_note(f"{body.decode()}\n{line}")
            _, others = offline_verify.cosignatures_of(body, lines, [key])
            if others or len(lines) != 1:
                raise offline_verify.Rejected(f"There is not exactly one line of {key.name}.")
        except offline_verify.Rejected as why:
            report.add(
                f"the cosignature of the checkpoint of size {size} is not valid: {why}",
                "cosignature",
                position=size,
                table="governance_cosignature",
                key=str(pk),
                field="line",
            )
            continue
        counts = report.cosigned if witness in known else report.cosigned_by_unknown
        counts[witness] = (counts.get(witness, (0, 0))[0] + 1, size)


def _unsealed(report: Report, using: str) -> None:
    """Check the unsealed entries, and count those that wait too long."""
    for entry, digest, body, salt, late in stream(using, UNSEALED, [OVERDUE]):
        report.unsealed += 1
        report.overdue += late
        if body is None:
            _wrong_body(report, entry, f"the body of entry {entry} is gone")
        elif (body or salt) and offline_verify.commitment(salt, body) != digest:
            _wrong_body(report, entry, f"the body of entry {entry} does not have its recorded digest")


def _wrong_body(report: Report, entry: int, words: str) -> None:
    report.add(words, "body", entry=entry, table="governance_entrybody", key=str(entry), field="body")


def _bodies(report: Report, using: str) -> None:
    """Report bodies without an entry, and missing bodies that no act erased."""
    for (entry,) in stream(using, BODIES_ALONE, []):
        _wrong_body(report, entry, f"a body belongs to entry {entry}, which is missing")
    if report.erased and not any(found.place == "body" for found in report.findings):
        for (entry,) in stream(using, EMPTIED, [EntryKind.ERASED]):
            _wrong_body(
                report, entry, f"the body of entry {entry} was emptied, but no erasure names the entry"
            )


def _sealings(report: Report, using: str) -> None:
    """Check the moment from which each transaction is known."""
    for place, key, column in stream(using, SEALINGS, {"since": report.since}):
        words = (
            "the time from which a transaction is known differs from the time of its checkpoint"
            if place == "sealing"
            else "the time of a checkpoint does not fit its entries"
        )
        report.add(words, place, table=f"governance_{place}", key=str(key), field=column)


def _first_transaction(report: Report, using: str) -> int | None:
    """Return the first transaction to verify, or None if nothing was written since."""
    if not report.since:
        return 0
    query = (
        "SELECT coalesce(min(e.xact), 0) FROM governance_entry e"
        " LEFT JOIN governance_leaf l ON l.entry_id = e.id WHERE l.position >= %s OR l.position IS NULL"
    )
    ((since,),) = stream(using, query, [report.since])
    return since or None


def _decisions(report: Report, using: str) -> None:
    """Compare the decisions given to systems with the batches that commit to them."""
    since = _first_transaction(report, using)
    if since is None:
        return
    batches = DecisionBatch.objects.using(using).filter(xact__gte=since).order_by("pk")
    for batch in batches.iterator(chunk_size=500):
        report.batches += 1
        if why := decision_log.broken(batch):
            report.add(why, "decision", table="governance_policydecision", key=f"batch {batch.pk}")
        if report.full:
            return
    for check in contributed.sealed_batches:
        for words, table, key in check(since, using):
            report.add(words, "batch", table=table, key=key)
    for (key,) in stream(using, UNBATCHED, []):
        report.add(
            f"decision {key} belongs to no batch", "decision", table="governance_policydecision", key=str(key)
        )
    for words, table, key in loading.unsealed(since, using):
        report.add(words, "interaction", table=table, key=key)


def _judged(report: Report, using: str) -> None:
    """Report recorded changes that the rules of their time did not allow."""
    since = _first_transaction(report, using)
    if since is None:
        return
    judge = entry_judgement.judge(using)
    for found in entry_judgement.breaches(judge, since):
        report.add(
            found.words, "judged", entry=found.entry, table=found.table, key=found.key, field=found.field
        )
    report.judged, report.unjudged = judge.judged, judge.unjudged


def _derived(report: Report, using: str) -> None:
    """Compare derived rows with their sources."""
    for differing in contributed.derived:
        for words, table, key, column in differing(using):
            report.add(words, "derived", table=table, key=key, field=column)
            if report.full:
                return


def _rows(report: Report, using: str) -> None:
    """Compare the rows of governed tables with the audit log, and their history."""
    since = _first_transaction(report, using)
    if since is None:
        return
    report.replayed = True
    for found in row_replay.differences(since=since, using=using):
        if report.full:
            return
        place = {"entry": found.entry, "table": found.table, "key": found.key, "field": found.field}
        report.add(found.words, "row", **place)
