"""The text of a statement: signer, act, moment shown, typed words, and facts."""

import json
from datetime import date, datetime

from django.db.models import Model

from governance.audit_log import entries
from governance.vocabulary.readable_text import shown

FORMAT = "Plumbline statement 1"


def write(*, person_id: int, act: str, purpose: str, shown_at: datetime, words: dict, facts: dict) -> str:
    """Return the statement, the same for the same values, with the signer as a number.

    Characters that cannot be seen are spelled out, so that the signed text and the page have one reading.
    """
    lines = [
        FORMAT,
        f"act: {act}",
        f"purpose: {purpose}",
        f"signer: person {person_id}",
        f"shown: {shown_at.isoformat()}",
    ]
    for kind, values in (("word", words), ("fact", facts)):
        lines += [f"{kind} {name}: {_said(value)}" for name, value in sorted(values.items())]
    return shown("\n".join(lines) + "\n")


def changed(before: str, after: str) -> list[str]:
    """Return the names of the lines in which two statements differ, in order."""
    one, two = (dict(_named(line) for line in text.splitlines()) for text in (before, after))
    return [name for name in dict.fromkeys([*one, *two]) if one.get(name) != two.get(name)]


def _named(line: str) -> tuple[str, str]:
    name, _, value = line.partition(": ")
    return name.removeprefix("word ").removeprefix("fact "), value


def _said(value) -> str:
    return entries.canonical(_plain(value)).decode()


def _plain(value):
    """Return the value as plain data: table and key of a row, text of other objects."""
    if isinstance(value, Model):
        return f"{value._meta.label_lower} {value.pk}"
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        plain = [_plain(one) for one in value]
        return sorted(plain, key=json.dumps) if isinstance(value, (set, frozenset)) else plain
    if value is None or isinstance(value, (str, int, float, bool, date)):
        return value
    return str(value)
