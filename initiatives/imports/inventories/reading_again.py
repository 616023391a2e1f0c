"""A live file read again with another mapping: what is still as it was imported changes, the rest is proposed or left.

The second reading is a batch of its own over the same lines; the first keeps its rows, and nothing of it is decided
any more.
"""

from collections.abc import Iterator
from itertools import islice

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import QuerySet

from governance import clock
from governance.ledger import record
from governance.models import Unit, User
from governance.permission_result import Conflict, Refused
from governance.vocabulary import Role, Stage
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.cases.act import settle_standing
from initiatives.imports.assertions.actions import correct_claim
from initiatives.imports.assertions.asserted_moves import OTHER, SAME
from initiatives.imports.assertions.permissions import may_take
from initiatives.imports.inventories import batch_rows
from initiatives.imports.inventories.claims import NOT_REPORTED, unit_stays, units_of
from initiatives.imports.inventories.import_batch import PAIR_PROBLEMS, Known, family_of, say_move
from initiatives.imports.inventories.inventory_columns import problem
from initiatives.imports.inventories.inventory_sources import FIELDS, newcomer, source_for
from initiatives.models import ImportBatch, ImportRow, Initiative, RoleAssignment
from initiatives.registration import actions as registration_actions

# What an import writes of an initiative, by the field of its row.
WRITTEN = ("title", "problem", "organisation", "bureau", "key", "stage")
DESCRIBED = ("title", "problem")  # what its owner says, once it has one
MOST_CHANGED = 2_000  # initiatives whose fields one confirmation changes, one by one
SHOWN = 120  # letters of a value in a sentence


def second_reading(first: ImportBatch, by: User) -> ImportBatch:
    """A batch over the lines of this live one, saved without rows. Raises Conflict where it cannot be read again."""
    refuse_older(first)
    return ImportBatch.objects.create(
        **{
            name: getattr(first, name)
            for name in (
                "source",
                "own",
                "file_name",
                "sha256",
                "size",
                "encoding",
                "columns",
                "published_on",
            )
        },
        uploaded_by=by,
        uploaded_at=clock.now(),
        reading=first.reading
        | {"again": first.pk, "readings": [*first.reading.get("readings", ()), first.pk]},
    )


def refuse_older(first: ImportBatch) -> None:
    """Raises Conflict for a file behind a newer list: reading it again would overrule what that one asserts."""
    if first.reading.get("backfill"):
        raise Conflict("This file only fills in history: no claim rests on it.", "Upload it again instead.")
    family = family_of(source_for(first.source) or newcomer(first.source))
    newer = (
        ImportBatch.objects.standing()
        .filter(source__in=family, confirmed_at__gt=first.confirmed_at or first.uploaded_at)
        .exclude(pk=first.pk)
        .exclude(reading__backfill=True)
        .order_by("-pk")
        .first()
    )
    if newer is not None:
        raise Conflict(
            f"A newer list, {newer.file_name}, was imported since: what it asserts stands.",
            "Read that one again.",
            newer.get_absolute_url(),
        )


def check(batch: ImportBatch, waiting: QuerySet) -> None:
    """Raise Conflict or ValidationError where this second reading cannot be confirmed now."""
    refuse_older(ImportBatch.objects.get(pk=batch.reading["again"]))
    changed = waiting.filter(decision="change").count()
    if changed > MOST_CHANGED:
        text = f"{changed:,} initiatives would change; choose organisations with at most {MOST_CHANGED:,} at once."
        raise ValidationError({"organisations": text})


def compared(rows: Iterator[ImportRow], batch: ImportBatch) -> Iterator[ImportRow]:
    """The rows of a second reading, each with what it says otherwise than the first did."""
    first = ImportBatch.objects.get(pk=batch.reading["again"])
    while some := list(islice(rows, batch_rows.AT_A_TIME)):
        lines = [row.line for row in some]
        before = {
            row.line: row
            for row in first.rows.filter(line__in=lines).defer("raw").select_related("initiative")
        }
        for row in some:
            _compare(row, before[row.line])
            yield row


def _compare(row: ImportRow, was: ImportRow) -> None:
    if was.decision == "reject" and was.mapped.get("by_hand"):
        row.decision, row.mapped["by_hand"] = "reject", was.mapped["by_hand"]
    if row.decision == "merge" or was.decision == "merge" or was.initiative is None:
        return
    row.problems = [each for each in row.problems if each["kind"] not in PAIR_PROBLEMS]
    row.mapped.pop("candidates", None)
    row.initiative = was.initiative
    if by_hand := was.mapped.get("by_hand"):
        row.mapped |= {"by_hand": by_hand, "stage": was.mapped["stage"]}
    brought = was.paired_by in ("", OTHER)
    if not brought:  # an older list did: what this one asserts otherwise is a move
        row.paired_by = was.paired_by
        say_move(row, Known(was.initiative.pk, was.initiative.ref, was.stage_before), False)
        told = was.decision != "triage" and row.mapped["stage"] == was.mapped["stage"]
        row.decision = "unchanged" if told or row.move == SAME else "triage"
        return
    row.paired_by, row.move, row.stage_before = was.paired_by, "", ""
    row.mapped["changes"] = [
        {"field": name, "before": was.mapped[name], "after": row.mapped[name]}
        for name in WRITTEN
        if row.mapped[name] and row.mapped[name] != was.mapped[name]
    ]
    row.decision = "change" if row.mapped["changes"] else "unchanged"
    row.problems += [problem("again", f"{_said(each)}.") for each in row.mapped["changes"]]


def _said(change: dict) -> str:
    before, after = change["before"], change["after"]
    if change["field"] == "stage":
        before, after = Stage.word(before), Stage.word(after)
    before, after = before[:SHOWN] or "nothing", after[:SHOWN]
    return f"{FIELDS[change['field']]}: \u201c{after}\u201d in place of \u201c{before}\u201d"


def change_what_is_as_imported(batch: ImportBatch, rows: list[ImportRow], by: User | None) -> None:
    """Change the initiatives of these rows where they are still as the first reading left them.

    What their owner describes, and what a person wrote since, is proposed on the page of the initiative; a stage, a
    unit or an id that was decided here since is left. Runs inside an act, before the outcomes of the rows are written.
    """
    waiting = {row.pk: row for row in rows if row.decision == "change"}
    if not waiting:
        return
    if by is None:
        raise Refused("A person confirms what a second reading changes.", "Confirm it on its page.")
    Initiative.objects.all_locked([row.initiative_id for row in waiting.values()])
    owned = RoleAssignment.objects.in_force().filter(role=Role.OWNER)
    owned_ones = set(owned.filter(initiative__import_rows__in=waiting).values_list("initiative", flat=True))
    units = units_of(list(waiting.values()), own=batch.own)
    whole = ImportRow.objects.filter(pk__in=waiting).select_related("initiative__unit").order_by("line")
    for row in whole:
        _Change(batch, row, row.initiative_id in owned_ones, units, by).do()
        waiting[row.pk].decision = row.decision
    ImportRow.objects.bulk_update(whole, ["mapped", "problems", "decision"], batch_size=500)


class _Change:
    """What one row changes of its initiative."""

    def __init__(self, batch, row: ImportRow, owned: bool, units: dict[tuple[str, str], Unit], by: User):
        self.batch, self.row, self.owned, self.units, self.by = batch, row, owned, units, by
        self.case = row.initiative
        self.why = f"Read again with another mapping: {batch.file_name}, line {row.line}"

    def do(self) -> None:
        """Change what may be, propose or leave the rest, and say so in the row and in the record."""
        row, taken, proposed, left = self.row, [], [], []
        for change in row.mapped["changes"]:
            name = change["field"]
            if getattr(self, f"_{name}")(change["before"], change["after"]):
                taken.append(name)
            elif name in DESCRIBED and not self.case.closed:
                proposed.append(change | {"before": getattr(self.case, name)})
            else:
                left.append(change)
        row.problems += [
            problem("again", f"{_said(one)}: left as it is, it was decided here since.") for one in left
        ]
        row.decision = "change" if proposed else "taken" if taken else "left"
        row.mapped |= {
            "changes": proposed or row.mapped["changes"],
            "taken": taken,
            "proposed": bool(proposed),
        }
        record.record(
            EntryKind.IMPORTED_ROW_DECIDED,
            case=self.case,
            batch=self.batch.pk,
            line=row.line,
            stage=row.mapped["stage"] if "stage" in taken else None,
            decision=row.decision,
            taken=taken,
        )

    def _title(self, before: str, after: str) -> bool:
        if self.owned or self.case.title != before or self.case.closed:
            return False
        self.case = registration_actions.rename(case=self.case, title=after, reason=self.why, by=self.by)
        return True

    def _problem(self, before: str, after: str) -> bool:
        if self.owned or self.case.problem != (before or NOT_REPORTED) or self.case.closed:
            return False
        self.case = registration_actions.change_details(
            case=self.case,
            problem=after,
            platform=self.case.platform,
            confidential=self.case.confidential,
            reason=self.why,
            by=self.by,
        )
        return True

    def _key(self, before: str, after: str) -> bool:
        return self._put("source_key", before, after)

    def _organisation(self, before: str, after: str) -> bool:
        return self._move() and self._put("source_organisation", before, after)

    def _put(self, name: str, before: str, after: str) -> bool:
        if getattr(self.case, name) != before:
            return False
        setattr(self.case, name, after)
        self.case.save()
        return True

    def _bureau(self, before: str, after: str) -> bool:
        return self._move()

    def _move(self) -> bool:
        """Into the unit that the row names now, where it is in the one that the import put it in."""
        unit = self.units[self.row.mapped["organisation"], self.row.mapped["bureau"]]
        was = self.case.unit
        if unit == was:
            return True
        changed = {each["field"]: each["before"] for each in self.row.mapped["changes"]}
        named = {changed.get(name) or self.row.mapped[name] for name in ("organisation", "bureau")}
        if was.name.casefold() not in {name[:120].casefold() for name in named} or unit_stays([self.case.pk]):
            return False
        self.case.unit = unit
        self.case.save()
        record.record(EntryKind.UNIT_SET, case=self.case, before=was.name, after=unit.name)
        settle_standing(self.case)
        return True

    def _stage(self, before: str, after: str) -> bool:
        if self.case.stage != before or not may_take(self.case, self.row):
            return False
        correct_claim(self.case, self.row, after, self.why, self.by)
        return True


def close_first(batch: ImportBatch, now) -> None:
    """Rows of the first reading that still wait belong to the second: nothing of them is to be decided twice."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE initiatives_importrow o SET decision = 'unchanged', done_at = COALESCE(o.done_at, %s),"
            " mapped = o.mapped || jsonb_build_object('closed', jsonb_build_object('decision', o.decision,"
            " 'initiative', o.initiative_id, 'done_at', o.done_at)),"
            " initiative_id = CASE WHEN o.paired_by = 'name' THEN NULL ELSE n.initiative_id END"
            " FROM initiatives_importrow n WHERE n.batch_id = %s AND o.batch_id = %s AND n.line = o.line"
            " AND n.done_at IS NOT NULL AND (o.done_at IS NULL OR o.decision = 'triage')",
            [now, batch.pk, batch.reading["again"]],
        )
    batch_rows.count_again(batch.reading["again"])


def reopen_first(batch: ImportBatch) -> None:
    """What waited in the first reading waits there again, once the second is undone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE initiatives_importrow SET decision = mapped -> 'closed' ->> 'decision',"
            " initiative_id = (mapped -> 'closed' ->> 'initiative')::bigint,"
            " done_at = (mapped -> 'closed' ->> 'done_at')::timestamptz, mapped = mapped - 'closed'"
            " WHERE batch_id = %s AND mapped ? 'closed'",
            [batch.reading["again"]],
        )
    batch_rows.count_again(batch.reading["again"])
