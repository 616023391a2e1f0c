"""Erasures done again on a database from an older backup, before it opens.

A line of the log (`governance.privacy.erasure_log`) names entries by key and digest. It names rows that never change by
key, with the places of the mark in their text. Rows that change take their words from their newest history, which is
one of those. Data outside the audit log is searched again, by the names that the restored account still has.
"""

import json
from collections.abc import Iterable

from django.db import connection

from governance.audit_log import row_capture
from governance.database.row_history import acting
from governance.models import Entry, User
from governance.privacy import erasure_log, personal_data
from governance.privacy.erasure import Work, carry_out, files_of, lock_tables, mask, remove_private
from governance.privacy.personal_data import Column, Mention, Words
from governance.vocabulary.entry_kinds import EntryKind

SYSTEM = "restore"


def replay(lines: Iterable[str]) -> int:
    """Do again every erasure of the log that this database does not know. Returns how many.

    Runs as the owner of the tables, in the transaction of the restore or in a separate one.
    """
    done = 0
    with acting(system=SYSTEM, reason="Erased again after a restore"):
        lock_tables()
        last = Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        for line in lines:
            if line.strip():
                done += _again(json.loads(line), after=last)
    return done


def _again(line: dict, *, after: int) -> bool:
    """One line of the log. Entries after that key come from this replay: rows entered again, maybe with her name."""
    if Entry.objects.filter(pk=line["act"], digest=bytes.fromhex(line["digest"])).exists():
        return False
    work = Work(line["mark"])
    digests = dict(line["entries"])
    for key, entry in erasure_log.entries_by_id(list(digests)).items():
        if digests[key] == entry.digest:
            work.entries[key] = entry
    if digests and not work.entries:
        return False  # none of these entries is here: the key of the person is somebody else's
    person = User.objects.filter(pk=line["person"]).first()
    words = personal_data.words_of(person) if person else None
    removed = remove_private(person) if person else {}
    if words is not None:
        anew = [about for about in personal_data.entries_about(words, person) if about.id > after]
        work.entries |= {about.id: about for about in anew if about.kind != EntryKind.ERASED}
    columns = personal_data.tables()
    for told in line["rows"]:
        if told["table"] in columns:
            _rows(work, told, columns[told["table"]])
    if words is not None:
        _search(work, words, columns)
    _follow_history(work)
    if not (work.entries or work.changes or removed):
        return False
    carry_out(
        work,
        {
            "person_id": line["person"],
            "why": "The database was restored from a backup that is older than this erasure",
            "duty": f"as erased on {line['at'][:10]}",
            "again": {"act": line["act"], "digest": line["digest"]},
            "removed": removed,
        },
    )
    erasure_log.remove_later(work.files, words)
    return True


def _rows(work: Work, told: dict, columns: list[Column]) -> None:
    """The rows that a line names, as far as they are the same here: those whose entry is erased with them."""
    table, past = told["table"], erasure_log.governed_by_history()
    entries = (
        erasure_log.entries_of_history(past[table], [int(key) for key in told["keys"]])
        if table in past
        else erasure_log.newest_entries(table, told["keys"])
    )
    captured = {model._meta.db_table: model for model in row_capture.captured_models()}
    known = {column.name: column for column in columns}
    names = [name for name, done in told["set"].items() if isinstance(done, list)]
    texts = _texts(table, told["keys"], names)
    for key in told["keys"]:
        if key not in texts or (
            (table in past or table in captured) and entries.get(key) not in work.entries
        ):
            continue
        for name, done in told["set"].items():
            if isinstance(done, list):
                column = known[name]
                mask(work, Mention(table, key, texts[key]), column, done, lasting=True)
            else:
                work.put(table, key, name, done["to"], done)
        if table in captured:
            work.files += [
                name for name in files_of(captured[table], key, told["set"]) if name not in work.files
            ]


def _texts(table: str, keys: list[str], names: list[str]) -> dict[str, dict[str, str]]:
    """Return the texts of these columns by key, for the rows that exist."""
    quoted = connection.ops.quote_name
    key = quoted(personal_data.keys()[table])
    listed = "".join(f", {quoted(name)}::text" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key}::text{listed} FROM {quoted(table)} WHERE {key}::text = ANY (%s)", [keys]
        )
        return {row[0]: dict(zip(names, row[1:], strict=True)) for row in cursor.fetchall()}


def _follow_history(work: Work) -> None:
    """Copy the changed columns of a row's newest history into the row."""
    for table, model in erasure_log.governed_by_history().items():
        touched = {int(key): values for (place, key), values in work.changes.items() if place == table}
        if not touched:
            continue
        kept = set(row_capture.columns_of(model))
        newest = (
            model.history.order_by("id", "-history_id")
            .distinct("id")
            .values_list("history_id", "id", "history_type")
        )
        for history_id, row, sign in newest:
            if history_id in touched and sign != "-":
                for column, value in touched[history_id].items():
                    if column in kept:
                        work.put(model._meta.db_table, str(row), column, value)


def _search(work: Work, words: Words, columns: dict[str, list[Column]]) -> None:
    """Mask the name in rows outside the audit log, and in rows whose entry is erased."""
    captured = {model._meta.db_table for model in row_capture.captured_models()}
    past = erasure_log.governed_by_history()
    found: dict[str, list[Mention]] = {}
    for row in personal_data.mentions(words, columns):
        found.setdefault(row.table, []).append(row)
    for table, rows in found.items():
        entries: dict[str, int] = {}
        if table in past:
            entries = erasure_log.entries_of_history(past[table], [int(row.key) for row in rows])
        elif table in captured:
            entries = erasure_log.newest_entries(table, [row.key for row in rows])
        for row in rows:
            if (table in past or table in captured) and entries.get(row.key) not in work.entries:
                continue
            told = work.changes.get((table, row.key), {})
            for column in columns[table]:
                if column.name in row.texts and column.name not in told:
                    spans = words.spans(row.texts[column.name], column.name)
                    mask(work, row, column, spans, lasting=table in past)
