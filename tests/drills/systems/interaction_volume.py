"""What the interaction log weighs, and how fast it is found.

python -m tests.drills.systems.interaction_volume [SPANS ...] [--batch N] [--backup]

So many spans (each size beside what is there already) are laid down as intake and loading would have left them: bodies
compressed, encrypted and wrapped by the same code; bodies and rows by COPY; batches with their roots. They are 50,000 a
day, of twenty initiatives. Then are measured: bytes a span, by where they lie; pages of the list, one interaction
opened and handed out, all of one person; the verification of the log; and with `--backup` a backup and its restore. Ten
million, beside one: `interaction_volume 1000000 10000000` (twelve GB, hours on a busy machine).

A change in governance/interaction_log or initiatives/interactions asks for it.
"""

import argparse
import json
import multiprocessing
import random
import resource
import shutil
import statistics
import sys
import tempfile
import time
from base64 import b64decode
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from unittest import mock

from tests.drills.company import place
from tests.drills.systems import interaction_spans

A_DAY, INITIATIVES = 50_000, 20
PERSONS = A_DAY * 30 // INITIATIVES // interaction_spans.A_PERSON  # of an initiative
TEXTS = 2_000  # of a day, that differ
FREQUENT = "customer of every day"  # one in FREQUENTLY spans is of this person, in all initiatives
FREQUENTLY = 5_000
MOST_BYTES, EXPORT, FOUND = 1_200, 60, 300  # a span; seconds; milliseconds: what is asked
COLUMNS = (
    *("at", "received_at", "initiative_number", "key_id", "kind", "action", "has_input", "has_output"),
    *("model", "version"),
    *("tokens_in", "tokens_out", "size", "stored", "odd_clock", "sampled", "holder_key", "place"),
    *("call", "mark", "conversation", "subject", "decision", "digest"),
)  # fmt: skip
BYTES = {"call", "mark", "conversation", "subject", "decision", "digest"}
BODIES = (
    "COPY governance_interactionbody (day, initiative_number, batch_id, place, content, wrapped) FROM STDIN"
)
SIZES = """
SELECT coalesce(sum(pg_table_size(c.oid)), 0)::bigint, coalesce(sum(pg_indexes_size(c.oid)), 0)::bigint
  FROM pg_class c WHERE c.relkind = 'r' AND c.relname ~ %s
"""
INDEXES = r"""
SELECT regexp_replace(i.relname, '^governance_interaction_\d+_\d+_|\d*$', '', 'g') AS name, sum(pg_relation_size(i.oid))
  FROM pg_class c JOIN pg_index x ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid
 WHERE c.relkind = 'r' AND c.relname ~ '^governance_interaction_\d{4}_\d{2}$' GROUP BY name ORDER BY 2 DESC
"""


def main(sizes: list[int], batch: int, backup: bool) -> None:
    """Lay down, measure, for each size; exit code 1 when a bound is missed."""
    missed: list[str] = []
    with place.database(), tempfile.TemporaryDirectory(prefix="plumbline-volume-") as folder:
        from django.conf import settings

        try:
            done, first = 0, datetime.now(UTC).date() - timedelta(days=729)
            before = weighed()
            for size in sizes:
                began = time.monotonic()
                done += lay_down(
                    first + timedelta(days=done // A_DAY), (size - done) // A_DAY, batch, Path(folder)
                )
                print(
                    f"{done:,} spans laid down in {time.monotonic() - began:.0f} s, {batch} in a batch",
                    flush=True,
                )
                missed += [f"{words} at {done:,}" for words in measured(done, before, Path(folder), backup)]
        finally:
            shutil.rmtree(settings.INTERACTIONS_DIR, ignore_errors=True)
            shutil.rmtree(settings.INTERACTION_KEYS_DIR, ignore_errors=True)
    print(f"missed: {', '.join(missed) or 'nothing'}")
    sys.exit(bool(missed))


# --- Laid down --------------------------------------------------------------------------------------------------------

Keys = dict[tuple[int, bytes], tuple[int, bytes]]
_keys: Keys = {}  # of the month that is laid down: what processes of ours inherit


@dataclass
class Day:
    """One day of all initiatives: its number tells trace ids, `batches` are the keys that its batches have."""

    number: int
    day: date
    batches: list[int]
    batch: int
    folder: Path


def lay_down(first: date, days: int, batch: int, folder: Path) -> int:
    """Lay down so many days; how many spans."""
    from django.db import connection, connections

    from governance.interaction_log import keys

    by_month: dict[str, list[date]] = defaultdict(list)
    for number in range(days):
        day = first + timedelta(days=number)
        by_month[f"{day:%Y-%m}"].append(day)
    for month, some in by_month.items():
        _keys.clear()
        holders = [keys.pseudonym("subject", name) for name in (FREQUENT, *map(person, range(PERSONS)))]
        for initiative in range(1, INITIATIVES + 1):
            for at in range(0, len(holders), 500):
                found = keys.for_writing(initiative, [(holder, month) for holder in holders[at : at + 500]])
                _keys.update({(initiative, holder): kept for (holder, _), kept in found.items()})
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE governance_interactionkey")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT plumbline_interactions_of(%s)", [datetime.combine(some[0], clock_time(), UTC)]
            )
            cursor.execute("SELECT plumbline_bodies_of(%s)", [some[0]])
            count = -(-A_DAY // batch)
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence('governance_interactionbatch', 'id'))"
                " FROM generate_series(1, %s)",
                [count * len(some)],
            )
            ids = [key for (key,) in cursor.fetchall()]
        work = [
            Day(day.toordinal(), day, ids[number * count : (number + 1) * count], batch, folder)
            for number, day in enumerate(some)
        ]
        connections.close_all()
        with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=20) as pool:
            for day, made in zip(work, pool.imap(one_day, work), strict=True):
                written(day, made)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return days * A_DAY


def person(number: int) -> str:
    """The name of a person."""
    return f"customer {number:08d}"


@dataclass
class Made:
    """What came of a day: rows and bodies for COPY, and for each batch how many it has, first and last moment, root."""

    rows: Path
    bodies: Path
    batches: list[tuple[int, datetime, datetime, str]]


def one_day(day: Day) -> Made:
    """The bodies and the rows of a day, each in a file."""
    from governance.interaction_log import intake, loading, otlp, shape
    from governance.interaction_log.conventions import spans
    from governance.interaction_log.shape import Message

    draw = random.Random(day.number)
    base = spans.read(
        otlp.read_traces(interaction_spans.encoded(200, 1), otlp.PROTOBUF)
    )  # with the attributes that senders have
    texts = [interaction_spans.said(draw, "") for _ in range(TEXTS)]
    start = datetime.combine(day.day, clock_time(), UTC)
    made = Made(day.folder / f"{day.day}.rows", day.folder / f"{day.day}.bodies", [])
    with open(made.rows, "w") as file, open(made.bodies, "w") as bodies:
        for number, batch in enumerate(day.batches):
            digests, moments = [], []
            for at in range(min(day.batch, A_DAY - number * day.batch)):
                span = number * day.batch + at
                initiative = draw.randrange(INITIATIVES) + 1
                name = person(draw.randrange(PERSONS)) if draw.randrange(FREQUENTLY) else FREQUENT
                told = draw.choice(texts)
                started = start + timedelta(microseconds=span * 86_400_000_000 // A_DAY)
                report = replace(
                    base[span % len(base)],
                    model=told.model,
                    version=told.version,
                    input=(Message("user", told.prompt),),
                    output=(Message("assistant", told.answer, finish="stop"),),
                    tokens_in=told.tokens_in,
                    tokens_out=told.tokens_out,
                    subject=name,
                    conversation=f"{name} on day {day.number}",
                    trace_id=interaction_spans.trace_of(day.number << 24 | span).hex(),
                    span_id=f"{draw.getrandbits(64) or 1:016x}",
                    started=started,
                    ended=started + timedelta(seconds=3),
                )
                report, said = shape.storable(report)
                row, holder = intake._placed(report, said, initiative, started + timedelta(seconds=8))
                line = json.loads(
                    intake._line(report, said, row, initiative, initiative, None, *_keys[initiative, holder])
                )
                body = b64decode(line["body"]).hex()
                bodies.write(f"{day.day}\t{initiative}\t{batch}\t{at}\t\\\\x{body}\t\\\\x{line['wrapped']}\n")
                line["place"] = at
                file.write("\t".join(as_copied(name, line[name]) for name in COLUMNS) + f"\t{batch}\n")
                digests.append(bytes.fromhex(line["digest"]))
                moments.append(started)
            made.batches.append((len(digests), moments[0], moments[-1], loading.root_of(digests)))
    return made


def as_copied(name: str, value: object) -> str:
    """A value as COPY reads it."""
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    return f"\\\\x{value}" if name in BYTES else str(value)


def written(day: Day, made: Made) -> None:
    """Batches, rows and bodies of a day, in one transaction as the worker has it."""
    from django.db import connection

    from governance.database import row_history
    from governance.interaction_log import loading
    from governance.models import InteractionBatch

    with row_history.acting(system=loading.SYSTEM), connection.cursor() as cursor:
        for key, (count, first, last, root) in zip(day.batches, made.batches, strict=True):
            InteractionBatch(
                pk=key,
                spool=f"{day.number:x}{key:024x}",
                count=count,
                first_at=first,
                last_at=last,
                day=day.day,
                root=root,
            ).save(force_insert=True)
        rows = f"COPY governance_interaction ({', '.join(COLUMNS)}, batch_id) FROM STDIN"
        for path, statement in ((made.rows, rows), (made.bodies, BODIES)):
            with open(path, "rb") as file, cursor.copy(statement) as into:
                while block := file.read(1 << 20):
                    into.write(block)
            path.unlink()


# --- Measured ---------------------------------------------------------------------------------------------------------

ROWS, OTHERS = (
    r"^governance_interaction_\d{4}_\d{2}$",
    {
        "bodies": r"^governance_interactionbody_\d{4}_\d{2}$",
        "keys": "^governance_interactionkey$",
        "batches and their entries": "^governance_(interactionbatch|entry|entrybody|leaf|node|sealing|checkpoint)$",
    },
)


def weighed() -> dict[str, tuple[int, int]]:
    """Bytes of tables and of their indexes."""
    from django.db import connection

    found = {}
    with connection.cursor() as cursor:
        for name, tables in {"rows": ROWS, **OTHERS}.items():
            cursor.execute(SIZES, [tables])
            found[name] = cursor.fetchone()
    return found


def measured(spans: int, before: dict, folder: Path, backup: bool) -> list[str]:
    """Weigh, find, verify; what was missed."""
    from governance.transparency_log import sealing

    sealing.seal()
    missed = weights(spans, before)
    missed += finding()
    missed += persons()
    verified()
    if backup:
        backed_up(folder)
    print(f"  {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB at most", flush=True)
    return missed


def weights(spans: int, before: dict) -> list[str]:
    """Bytes a span, by where they lie."""
    from django.db import connection
    from django.db.models import Avg

    from governance.models import Interaction, InteractionBatch

    average = Interaction.objects.aggregate(Avg("stored"), Avg("size"))
    now = weighed()
    each = {name: tuple((now[name][n] - before[name][n]) / spans for n in (0, 1)) for name in now}
    total = sum(sum(pair) for pair in each.values())
    stored, size = average["stored__avg"], average["size__avg"]
    others = sum(each["batches and their entries"])
    print(
        f"  bytes a span: {total:.0f} together\n"
        f"    bodies {each['bodies'][0]:.0f}: {stored:.0f} of {size:.0f} each; their indexes {each['bodies'][1]:.0f}\n"
        f"    row {each['rows'][0]:.0f}, its indexes {each['rows'][1]:.0f}; keys of persons {sum(each['keys']):.0f}\n"
        f"    batches with their entries {others:.0f} ({others * spans / InteractionBatch.objects.count():.0f} a batch)"
    )
    with connection.cursor() as cursor:
        cursor.execute(INDEXES)
        print(
            "  of the indexes:",
            ", ".join(f"{name} {float(size) / spans:.0f}" for name, size in cursor.fetchall()),
        )
    return [f"{total:.0f} bytes a span"] if total > MOST_BYTES else []


def timed(work: Callable[[], object]) -> float:
    """Milliseconds that it takes."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def finding() -> list[str]:
    """Pages of the list, one interaction opened, one handed out with its paths: each forty times, of drawn ones."""
    from governance.interaction_log import reading
    from governance.models import Interaction

    draw, missed = random.Random(5), []
    first, last = Interaction.objects.order_by("id")[0].pk, Interaction.objects.order_by("-id")[0].pk
    drawn = [
        Interaction.objects.select_related("batch").filter(pk=draw.randint(first, last)).get()
        for _ in range(40)
    ]

    def asked(**wanted: object) -> Callable[[Interaction], object]:
        return lambda row: reading.page(row.initiative_number, reading.Wanted(**wanted))

    ways: dict[str, Callable[[Interaction], object]] = {
        "the newest of an initiative": asked(),
        "of a model": asked(model="m-4-mini"),
        "of one person": lambda row: reading.page(
            row.initiative_number, reading.Wanted(subject=person(draw.randrange(PERSONS)))
        ),
        "of a day": lambda row: reading.page(
            row.initiative_number, reading.Wanted(since=row.at, until=row.at + timedelta(days=1))
        ),
        "that name a decision": asked(decided="yes"),
        "by its number": lambda row: Interaction.objects.get(
            initiative_number=row.initiative_number, pk=row.pk, at=row.at
        ),
        "by its span": lambda row: list(Interaction.objects.filter(call=row.call)),
        "opened": reading.opened,
        "handed out": reading.handed_out,
    }
    for name, way in ways.items():
        times = [timed(lambda way=way, row=row: way(row)) for row in drawn]
        print(f"  {name:<22} p50 {statistics.median(times):6.1f}, at most {max(times):6.1f} ms")
        if statistics.quantiles(times, n=20)[18] > FOUND:
            missed.append(f"found within {FOUND} ms: {name}")
    return missed


def persons() -> list[str]:
    """Everything of one person, from all initiatives, decrypted and checked: of one like others, and of the most
    frequent.
    """
    from governance.interaction_log import keys, reading
    from governance.models import Interaction

    missed = []
    for name in (person(7), FREQUENT):
        began, count, size = time.monotonic(), 0, 0
        rows = Interaction.objects.filter(subject=keys.pseudonym("subject", name)).select_related("batch")
        some: list[Interaction] = []
        ordered = list(rows.order_by("initiative_number", "batch__day", "batch_id", "place"))
        for first in range(0, len(ordered), 500):
            some = ordered[first : first + 500]
            found, wrong = reading.bodies_of(some)
            assert not wrong, wrong
            count, size = count + len(found), size + sum(map(len, found.values()))
        took = time.monotonic() - began
        print(f"  all of one person: {count} interactions, {size >> 10} KiB in {took:.1f} s")
        if took > EXPORT or count != len(ordered):
            missed.append(f"one person's export in {EXPORT} s")
    return missed


def verified() -> None:
    """The log against its batches; and with it the whole audit log."""
    from governance.interaction_log import loading
    from governance.models import InteractionBatch
    from governance.transparency_log import verification

    found: list = []
    took = timed(lambda: found.extend(loading.unsealed(0, "default"))) / 1000
    whole = timed(lambda: found.extend(verification.verify().findings)) / 1000
    print(
        f"  {InteractionBatch.objects.count()} batches verified against their rows in {took:.1f} s, the whole audit "
        "log "
        f"in {whole:.1f} s: {len(found)} findings"
    )
    for one in found[:3]:
        print("   ", one)


def backed_up(folder: Path) -> None:
    """A backup, and it put back into another database and folder: how long both take, and the size."""
    from governance.interaction_log import reading
    from governance.models import Interaction
    from governance.storage import backup, restore
    from tests.support import plugin
    from tests.support.database.restored_copies import another, installed_in

    copy, restored = folder / "copy", folder / "restored"
    took = timed(lambda: backup.take(copy)) / 1000
    size = sum(path.stat().st_size for path in copy.rglob("*") if path.is_file())
    bodies = sum(path.stat().st_size for path in (copy / "tables").glob("governance_interactionbody*"))
    print(f"  backup: {took:.0f} s, {size / 1e6:.0f} MB, of these bodies {bodies / 1e6:.0f} MB", flush=True)
    with (
        another(plugin.make_template()) as name,
        installed_in(name, restored / "uploads"),
        mock.patch.object(restore, "migrate_to", return_value=False),  # they are there already
    ):
        took = timed(lambda: restore.restore(copy)) / 1000
        some = list(Interaction.objects.select_related("batch").order_by("digest")[:500])
        read, _ = reading.bodies_of(some)
        print(
            f"  restore: {took:.0f} s; {len(read)} of {len(some)} drawn bodies read and as they were sealed"
        )
    shutil.rmtree(copy)
    shutil.rmtree(restored)


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("sizes", type=int, nargs="*", default=[1_000_000])
    asked.add_argument("--batch", type=int, default=1_000, help="spans in a batch")
    asked.add_argument("--backup", action="store_true", help="a backup at each size, too")
    given = asked.parse_args()
    main(given.sizes, given.batch, given.backup)
