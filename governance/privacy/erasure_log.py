"""Finished erasures: words for pages, a log outside the database, entries of rows."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, transaction

from governance import clock
from governance.audit_log import row_capture
from governance.models import Entry
from governance.privacy import personal_data
from governance.privacy.personal_data import About, Words
from governance.vocabulary.entry_kinds import EntryKind

LOG = "erasures.jsonl"


def acts() -> list[Entry]:
    """Return every act of erasure, oldest first."""
    return list(Entry.objects.filter(kind=EntryKind.ERASED).select_related("body").order_by("id"))


def without_words(entries: Iterable[Entry]) -> Iterator[int]:
    """Return the keys of those of these entries whose body is gone."""
    return (entry.pk for entry in entries if not bytes(entry.body.body))


def words_for(erased: Iterable[int]) -> dict[int, str]:
    """Return when, why and by which actor each of these entries was erased, by key."""
    asked = set(erased)
    if not asked:
        return {}
    found = dict.fromkeys(asked, "The content was erased later.")
    for act in acts():
        told = act.facts
        facts = told["facts"]
        why = facts.get("why") or told["reason"]
        sentence = f"Erased on {_day(act.at)} by {told['actor']['name']}: {why} ({facts['duty']})."
        found |= dict.fromkeys(asked.intersection(facts["entries"]), sentence)
    return found


def _day(moment) -> str:
    day = clock.local_day(moment)
    return f"{day.day} {day:%B %Y}"


# --- Rows and their entries ------------------------------------------------------------------------------------------


def entries_of_history(model, keys: list[int]) -> dict[str, int]:
    """Return the entry of the nth history of a row in a transaction, by history_id."""
    past, pk = row_capture.history_table(model), model._meta.pk.column
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT h.history_id::text, c.id FROM (
              SELECT history_id, {pk}::text AS key, history_xact AS xact,
                     row_number() OVER (PARTITION BY {pk}, history_xact ORDER BY history_id) AS nth
                FROM {past}
               WHERE ({pk}, history_xact) IN (SELECT {pk}, history_xact FROM {past} WHERE history_id = ANY (%(keys)s))
            ) h JOIN (
              SELECT id, key, xact, row_number() OVER (PARTITION BY key, xact ORDER BY id) AS nth
                FROM governance_entry WHERE "table" = %(table)s
                 AND xact IN (SELECT history_xact FROM {past} WHERE history_id = ANY (%(keys)s))
            ) c USING (key, xact, nth) WHERE h.history_id = ANY (%(keys)s)
            """,
            {"keys": keys, "table": model._meta.db_table},
        )
        return dict(cursor.fetchall())


def newest_entries(table: str, keys: list[str]) -> dict[str, int]:
    """Return the newest entry of each of these rows, by key."""
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT key, max(id) FROM governance_entry WHERE "table" = %s AND key = ANY (%s) GROUP BY key',
            [table, keys],
        )
        return dict(cursor.fetchall())


def entries_by_id(keys: list[int]) -> dict[int, About]:
    """Entries as erasure knows them."""
    return {
        row.pk: About(
            row.pk,
            row.kind,
            row.initiative_ref,
            row.table,
            row.key,
            row.xact,
            row.at,
            bytes(row.digest).hex(),
        )
        for row in Entry.objects.filter(pk__in=keys)
    }


# --- After the transaction -------------------------------------------------------------------------------------------


def remove_later(files: list[str], words: Words | None) -> None:
    """Remove data outside the database and write the erasure log, after the commit."""

    def remove() -> None:
        write_log()
        for name in files:
            default_storage.delete(name)
        if words is not None:
            personal_data.remove_mails(words)

    transaction.on_commit(remove)


def give_space_back(tables: Iterable[str]) -> None:
    """Have the database free the old versions of rows. Call it outside any transaction."""
    with connection.cursor() as cursor:
        for table in sorted({"governance_entrybody", *tables}):
            cursor.execute(f"VACUUM {connection.ops.quote_name(table)}")


def log_path() -> Path:
    """Return the path of the log, outside the database. Keep the log with the backups, apart from each of them."""
    return settings.DATA_DIR / LOG


def write_log(path: Path | None = None) -> int:
    """Append every erasure that the log lacks. Returns how many. The log has numbers, not names."""
    path = path or log_path()
    known = {json.loads(line)["digest"] for line in path.read_text().splitlines()} if path.exists() else set()
    added = 0
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as log:
        for line in lines():
            if line["digest"] not in known:
                log.write(json.dumps(line, sort_keys=True) + "\n")
                added += 1
        log.flush()
        os.fsync(log.fileno())
    return added


def lines() -> Iterator[dict]:
    """Yield each erasure as a line of the log: keys, digests, places of the mark."""
    for act in acts():
        facts = act.facts["facts"]
        digests = Entry.objects.filter(pk__in=facts["entries"]).order_by("pk").values_list("pk", "digest")
        yield {
            "act": act.pk,
            "digest": bytes(act.digest).hex(),
            "at": act.at.isoformat(),
            "person": facts["person_id"],
            "mark": facts["mark"],
            "entries": [[key, bytes(digest).hex()] for key, digest in digests],
            "rows": facts["rows"],
        }


def governed_by_history() -> dict[str, type]:
    """Governed models by the name of their table of history."""
    return {row_capture.history_table(model): model for model in row_capture.governed_models()}
