"""Erasure of a person's data from the audit log, which then still verifies.

The body and its salt of each entry about the person are destroyed. The digest stays, and the tree with it. In rows and
their history a mark replaces the name. Data under retention or a legal hold stays, and the result has the day from
which it can go. The act "erased" names every entry that lost its words, never the person. Data of the person alone
(notifications, sessions, drafts: `remove_private`) is deleted. Files and emails go after the commit
(`erasure_log.remove_later`). `initiatives.lifecycle.initiative.contribution` lists the columns with names of evidence's
givers.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, models

from governance.audit_log import entries, row_capture
from governance.contributions import NamedEvidence, contributed
from governance.database import row_history
from governance.database.row_history import acting
from governance.models import SignatureProof, User
from governance.people.permissions import may_erase
from governance.permission_result import Conflict
from governance.privacy import erasure_log, personal_data
from governance.privacy.personal_data import About, Column, Mention, Words
from governance.privacy.retention import Kept, RetentionRules
from governance.transparency_log import sealing
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase

LOCK_SECONDS = 10
PROOFS = SignatureProof._meta.db_table
# A proof names nobody in words that can be found: a token holds them encoded. It goes with the body of its entry.
PROOF_GONE = {"statement": "", "salt": "", "nonce": "erased", "evidence": {"erased": True}}
NOT_WRITTEN = set(personal_data.RECORD) - {"governance_entry", "governance_entrybody"}


@dataclass(frozen=True)
class Override:
    """A duty that goes before retention, and the auditor who confirms it."""

    duty: str
    auditor: User


@dataclass(frozen=True)
class Own:
    """A row that is about the person altogether, and what its columns say afterwards."""

    table: str
    key: str
    values: dict


@dataclass
class Work:
    """What one erasure takes away, worked out before anything is changed."""

    mark: str
    entries: dict[int, About] = field(default_factory=dict)
    kept: dict[int, Kept] = field(default_factory=dict)
    evidence_kept: list[Kept] = field(default_factory=list)
    changes: dict[tuple[str, str], dict] = field(default_factory=dict)  # by row: the new values
    told: dict[tuple[str, str], dict] = field(default_factory=dict)  # by row: what was done to each column
    files: list[str] = field(default_factory=list)
    refs: set[str] = field(default_factory=set)  # initiatives that lost evidence

    def put(self, table: str, key: str, column: str, value, done=None) -> None:
        """Set a column to `value`. `done` records how for the act, if a replay needs it."""
        self.changes.setdefault((table, key), {})[column] = value
        if done is not None:
            self.told.setdefault((table, key), {})[column] = done


@dataclass(frozen=True)
class Done:
    """The result of an erasure: the act, erased and kept data, and remaining names."""

    act: int
    entries: int
    rows: dict[str, int]
    removed: dict[str, int]
    files: int
    kept: list[dict]
    left: dict[str, int]


def erase(
    *,
    person: User,
    why: str,
    duty: str,
    evidence: Iterable[int] = (),
    also: Iterable[str] = (),
    override: Override | None = None,
    by: User,
) -> Done:
    """Erase what names the person, except what must be kept. All or nothing.

    Runs as the owner of the tables. `evidence` names items of evidence whose content goes too. `also` has further words
    that name the person (a former name, a nickname). Raises Refused, and Conflict if others write for longer than
    seconds.
    """
    words = personal_data.words_of(person, also)
    for name, text in (("why", why), ("duty", duty), ("override", override.duty if override else "")):
        if name != "override" and not text.strip():
            raise ValidationError({name: "Give the reason, and the legal duty."})
        if words.name(text):
            raise ValidationError(
                {name: "This text stays in the audit log permanently. Write it without the person's name."}
            )
    mark = personal_data.mark_of(person)
    with acting(by=by, reason=f"Data of {mark} erased: {duty.strip()}"):
        may_erase(person, override=override, by=by).or_refuse()
        lock_tables()
        removed = remove_private(person)
        work = Work(mark)
        named_evidence = _of_named_evidence(list(evidence), work, overridden=override is not None)
        search = words + [term for named in named_evidence for term in named.terms]
        own = [_of_user(person), *(Own(named.table, named.key, named.values) for named in named_evidence)]
        _plan(work, person, search, own, overridden=override is not None)
        facts = {
            "person_id": person.pk,
            "why": why.strip(),
            "duty": duty.strip(),
            "override": {"duty": override.duty.strip(), "auditor": override.auditor.full_name}
            if override
            else None,
            "removed": removed,
            "kept": _summary(work),
        }
        act = carry_out(work, facts)
        left = _left(search, person)
        erasure_log.remove_later(work.files, words)
    return Done(
        act=act,
        entries=len(work.entries),
        rows=dict(Counter(table for table, _ in work.changes)),
        removed=removed,
        files=len(work.files),
        kept=facts["kept"],
        left=left,
    )


def carry_out(work: Work, facts: dict) -> int:
    """Do the planned erasure in the running act. Returns the id of its entry."""
    who = row_history.current()
    body = entries.canonical(
        {
            "kind": EntryKind.ERASED,
            "at": who.at,
            "actor": {"id": who.person.pk if who.person else None, "name": who.name},
            "initiative": None,
            "reason": who.reason,
            "facts": facts
            | {
                "mark": work.mark,
                "entries": sorted(work.entries),
                "rows": _rows_told(work),
                "files": len(work.files),
            },
        }
    )
    changes = [
        {"table": table, "key": key, "set": values} for (table, key), values in sorted(work.changes.items())
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT plumbline_erase(%s, %s::bigint[], %s::jsonb)",
            [body, sorted(work.entries), json.dumps(changes, ensure_ascii=False)],
        )
        act = cursor.fetchone()[0]
    for told in contributed.after_erasure:
        told(work.refs)
    sealing.soon()
    return act


def lock_tables() -> None:
    """Prevent all writes until the transaction ends, so no new row names the person."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(quote_ident(relname), ', ' ORDER BY relname LIKE 'governance_entry%%', relname)"
            " FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
            " AND NOT relname = ANY (%s)",
            [[*NOT_WRITTEN, *personal_data.OF_DJANGO]],
        )
        listed = cursor.fetchone()[0]
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        try:
            cursor.execute(f"LOCK TABLE {listed} IN SHARE ROW EXCLUSIVE MODE")
        except OperationalError:
            raise Conflict("Other people are saving data at this moment.", "Try again in a minute.") from None


# --- What goes -------------------------------------------------------------------------------------------------------


def _of_user(person: User) -> Own:
    """The account: a mark for a name, and nothing to sign in or write to."""
    values = {
        "full_name": personal_data.mark_of(person),
        "login": personal_data.mark_of(person).replace(" ", "-"),
        "email": "",
        "password": make_password(None),
    }
    return Own(User._meta.db_table, str(person.pk), values)


def _of_named_evidence(keys: list[int], work: Work, *, overridden: bool) -> list[NamedEvidence]:
    """Return the named items of evidence, or none if one is signed on or under a hold."""
    named = [item for find in contributed.evidence_named for item in find(keys)] if keys else []
    missing = {str(key) for key in keys} - {item.key for item in named}
    if missing:
        raise ValidationError({"evidence": phrase("Item {} does not exist.", ", ".join(sorted(missing)))})
    rules = RetentionRules.of({item.initiative_ref for item in named}, overridden=overridden)
    reasons = [rules.of_initiative(item.initiative_ref, decision=item.cited) for item in named]
    work.evidence_kept = [kept for kept in reasons if kept is not None]
    if work.evidence_kept:
        return []
    work.refs |= {item.initiative_ref for item in named}
    return named


def remove_private(person: User) -> dict[str, int]:
    """Delete the person's own notifications, emails on their way, drafts, sessions. Returns counts by table."""
    gone: Counter = Counter()
    for model in private_models():
        for link in _links(model):
            for table, count in model._base_manager.filter(**{link.name: person}).delete()[1].items():
                gone[table] += count
    return {table: count for table, count in sorted(gone.items()) if count}


def private_models() -> list[type[models.Model]]:
    """Models whose rows end with the person they belong to: no part of any decision."""
    captured = set(row_capture.captured_models())
    return [
        model
        for model in apps.get_models()
        if model not in captured and not hasattr(model, "instance_type") and _links(model)
    ]


def _links(model) -> list[models.Field]:
    return [
        field
        for field in model._meta.concrete_fields
        if field.related_model is User and field.remote_field.on_delete is models.CASCADE
    ]


def _plan(work: Work, person: User, words: Words, own: list[Own], *, overridden: bool) -> None:
    """Find everything that names the person and part it into what goes and what is kept."""
    hits = personal_data.entries_about(words, person, [(row.table, row.key) for row in own])
    rules = RetentionRules.of(
        {hit.initiative_ref for hit in hits if hit.initiative_ref}, overridden=overridden
    )
    for hit in hits:
        kept = rules.of_entry(hit)
        if kept is None:
            work.entries[hit.id] = hit
        else:
            work.kept[hit.id] = kept
    columns = personal_data.tables()
    _rows(work, personal_data.mentions(words, columns), words, columns)
    for row in own:
        _own_row(work, row, columns)
    for entry in work.entries.values():
        if entry.table == PROOFS:
            for name, value in PROOF_GONE.items():
                work.put(PROOFS, entry.key, name, value, {"to": value})


def _rows(work: Work, found: Iterable[Mention], words: Words, columns: dict[str, list[Column]]) -> None:
    """Put the mark into every row that names the person, but those that belong to an entry which is kept."""
    by_table: dict[str, list[Mention]] = {}
    for mention in found:
        by_table.setdefault(mention.table, []).append(mention)
    past = erasure_log.governed_by_history()
    captured = {model._meta.db_table for model in row_capture.captured_models()}
    lasting = past.keys() | {model._meta.db_table for model in row_capture.written_once_models()}
    for table, these in by_table.items():
        if table in past:
            entries = erasure_log.entries_of_history(past[table], [int(row.key) for row in these])
        else:
            entries = (
                erasure_log.newest_entries(table, [row.key for row in these]) if table in captured else {}
            )
        known = {column.name: column for column in columns[table]}
        for row in these:
            entry = entries.get(row.key)
            if entry in work.kept:
                continue
            if entry is not None and entry not in work.entries:
                work.entries |= erasure_log.entries_by_id([entry])
            for name, text in row.texts.items():
                mask(work, row, known[name], words.spans(text, name), lasting=table in lasting)


def mask(work: Work, row: Mention, column: Column, spans: list, *, lasting: bool) -> None:
    """Put the mark into one column. Rows that never change (`lasting`) are recorded, for a replay."""
    if (row.table, column.name) in contributed.erased_whole:
        work.put(row.table, row.key, column.name, "")
        return
    text = row.texts[column.name]
    value = personal_data.masked(text, spans, work.mark, column.longest)
    whole = spans == [[0, len(text)]]
    done = ({"to": value} if whole else spans) if lasting else None
    work.put(row.table, row.key, column.name, json.loads(value) if column.holds_json else value, done)
    hashed = contributed.hashes_of_text.get((row.table, column.name))
    if hashed:
        work.put(row.table, row.key, hashed, "", {"to": ""} if lasting else None)


def _own_row(work: Work, own: Own, columns: dict[str, list[Column]]) -> None:
    """A row that is about the person altogether: fixed words, in all of its history too."""
    model = next(model for model in row_capture.governed_models() if model._meta.db_table == own.table)
    work.files += [name for name in files_of(model, own.key, own.values) if name not in work.files]
    for column, value in own.values.items():
        secret = column in row_capture.secret_columns(model)
        work.put(own.table, own.key, column, value, None if secret else {"to": value})
    past = row_capture.history_table(model)
    kept = {column.name for column in columns[past]} & own.values.keys()
    for row in (
        row_capture.history_of(model)
        .objects.filter(**{model._meta.pk.attname: own.key})
        .values("history_id", *kept)
    ):
        for column in kept:
            if row[column]:
                work.put(past, str(row["history_id"]), column, own.values[column], {"to": own.values[column]})


def files_of(model, key: str, values: dict) -> list[str]:
    """Return the files of a row whose columns lose their names to `values`."""
    fields = [field for field in model._meta.concrete_fields if isinstance(field, models.FileField)]
    lost = [field.name for field in fields if field.column in values]
    row = model._base_manager.filter(pk=key).values(*lost).first() if lost else None
    return [name for name in (row or {}).values() if name]


# --- What is told ----------------------------------------------------------------------------------------------------


def _rows_told(work: Work) -> list[dict]:
    """Rows and what was done to each, those alike together: what a replay after a restore goes by."""
    alike: dict[tuple[str, str], list[str]] = {}
    for (table, key), done in sorted(work.told.items()):
        alike.setdefault((table, json.dumps(done, sort_keys=True)), []).append(key)
    return [{"table": table, "keys": keys, "set": json.loads(done)} for (table, done), keys in alike.items()]


def _summary(work: Work) -> list[dict]:
    """Return the kept data: the reason, its last day, the number of entries."""
    counted = Counter([*work.kept.values(), *work.evidence_kept])
    return [
        {"why": kept.why, "from": kept.since.isoformat() if kept.since else None, "count": count}
        for kept, count in sorted(counted.items(), key=lambda pair: (pair[0].since or date.max, pair[0].why))
    ]


def _left(words: Words, person: User) -> dict[str, int]:
    """Return how many rows still name the person, by table. Only kept data is left."""
    left = Counter(mention.table for mention in personal_data.mentions(words, personal_data.tables()))
    entries = len(personal_data.entries_about(words, person))
    return dict(sorted(left.items())) | ({"governance_entry": entries} if entries else {})
