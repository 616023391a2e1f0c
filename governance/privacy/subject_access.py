"""Subject access: everything held about one person, as JSON and as a page to read.

It repeats what others wrote beside her name. Whoever hands it over looks first whether that touches the rights of
others.
"""

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path

from django.apps import apps
from django.db import models
from django.template.loader import render_to_string

from governance import clock
from governance.audit_log import entries, row_capture
from governance.database.row_history import acting
from governance.models import Entry, LegalHold, User
from governance.people.permissions import may_take
from governance.privacy import personal_data
from governance.vocabulary.entry_kinds import EntryKind

AT_ONCE = 500


def take(*, person: User, also: Iterable[str] = (), to: Path, by: User) -> dict[str, int]:
    """Write everything that names the person, or is theirs, to a zip at `to`. Returns counts.

    The export is an entry. Raises FileExistsError if the file exists, Refused for people who may not.
    """
    with acting(by=by, reason="Data about a person, exported"):
        may_take(by=by).or_refuse()
        words = personal_data.words_of(person, also)
        tables = _tables(person, words)
        found = list(_entries(person, words))
        mails = [mail for _, mail in personal_data.mails_about(words)]
        counts = {table: len(rows) for table, rows in tables.items()}
        counts |= {"entries": len(found), "mails": len(mails)}
        told = {
            "person": person.pk,
            "made_at": clock.now().isoformat(),
            "searched_for": [*words.terms, *words.names, *words.logins],
            "legal_holds": LegalHold.objects.open().filter(person=person).count(),
            "tables": tables,
            "entries": found,
            "mails": mails,
        }
        page = render_to_string(
            "governance/privacy/subject_access.html", told | {"name": person.full_name, "counts": counts}
        )
        with zipfile.ZipFile(to, "x", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("data.json", json.dumps(told, ensure_ascii=False, indent=1))
            archive.writestr("index.html", page)
        entries.record(EntryKind.SUBJECT_ACCESS_REPORT_TAKEN, person_id=person.pk, counts=counts)
    return counts


def _tables(person: User, words: personal_data.Words) -> dict[str, list[dict]]:
    """Return every row that names the person or points to them, by table, as text. The account comes first."""
    found: dict[str, dict[str, dict]] = {User._meta.db_table: {}}
    named: dict[str, list[str]] = {}
    for mention in personal_data.mentions(words, personal_data.tables()):
        named.setdefault(mention.table, []).append(mention.key)
    for model in apps.get_models(include_auto_created=True):
        if model._meta.app_label not in row_capture.APPS and not _points(model):
            continue
        mine = models.Q(pk__in=named.get(model._meta.db_table, []))
        if model is User:
            mine |= models.Q(pk=person.pk)
        for link in _points(model):
            mine |= models.Q(**{link: person.pk})
        rows = model._base_manager.filter(mine).order_by("pk").values()
        secret = {"password", "body", "salt", "digest"}
        kept = {
            str(row[model._meta.pk.attname]): {
                name: str(value)
                for name, value in row.items()
                if name not in secret and value not in (None, "")
            }
            for row in rows.iterator(chunk_size=AT_ONCE)
        }
        if kept:
            found[model._meta.db_table] = kept
    return {table: list(rows.values()) for table, rows in found.items() if rows}


def _points(model) -> list[str]:
    """The columns of a model, history apart, that hold the key of a person."""
    if hasattr(model, "instance_type") or model is User:
        return []
    return [field.attname for field in model._meta.concrete_fields if field.related_model is User]


def _entries(person: User, words: personal_data.Words) -> Iterable[dict]:
    """Yield every entry by or about the person, with its columns and its body."""
    keys = [about.id for about in personal_data.entries_about(words, person)]
    for start in range(0, len(keys), AT_ONCE):
        some = (
            Entry.objects.filter(pk__in=keys[start : start + AT_ONCE]).select_related("body").order_by("pk")
        )
        for entry in some:
            yield {
                "entry": entry.pk,
                "kind": entry.kind,
                "initiative": entry.initiative_ref,
                "table": entry.table,
                "key": entry.key,
                "at": entry.at.isoformat(),
                "body": {name: said for name, said in entry.facts.items() if name != "secrets"},
            }
