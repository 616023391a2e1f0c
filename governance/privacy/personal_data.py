"""Personal data of one person: the names of the person, and every place with them.

A name is searched as a whole, in any case of letters, in every text of the database and the mailbox. The database
itself lists its tables and columns, so none is forgotten. A name or login that is an ordinary word ("Sam", "owner") is
searched only where a name or a login is the whole text.
"""

import email
import email.policy
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import connection

from governance.models import User

# The bare audit log: it holds no words, or (bodies) is searched by `entries_about`.
RECORD = (
    "governance_checkpoint",
    "governance_cosignature",
    "governance_entry",
    "governance_entrybody",
    "governance_leaf",
    "governance_node",
    "governance_sealing",
    "governance_timestamp",
)
OF_DJANGO = ("auth_permission", "django_content_type", "django_migrations")
NOTHING = r"[^\s\S]"  # matches nowhere: of somebody who was erased before, no name may be known any more
BETWEEN_MAILS = re.compile(r"^-{79}\n", re.MULTILINE)  # how Django's file mailbox parts two mails of one file
MARKED = re.compile(r"erased[ -]person[ -]\d+", re.IGNORECASE)


def mark_of(person: User) -> str:
    """Return the text that replaces an erased name. It is the same everywhere, to keep acts distinct."""
    return f"erased person {person.pk}"


# --- The words -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Words:
    """A person's names. `terms` name no one else, `names` and `logins` are ordinary words."""

    terms: tuple[str, ...]
    names: tuple[str, ...] = ()
    logins: tuple[str, ...] = ()

    def pattern(self, column: str = "") -> str:
        """Return a regular expression for Python and PostgreSQL. Its group matches the person's name."""
        return _pattern(self, column if column == "login" else "")

    def spans(self, text: str, column: str = "") -> list[list[int]]:
        """Return the places in the text that name the person, as from and to."""
        return [
            list(match.span(match.lastindex))
            for match in re.finditer(self.pattern(column), text, re.IGNORECASE)
        ]

    def name(self, text: str) -> bool:
        """Return True if the text names the person."""
        return bool(self.spans(text))

    def __add__(self, terms: Iterable[str]) -> "Words":
        return Words(_sorted({*self.terms, *terms}), self.names, self.logins)


@lru_cache(maxsize=4)
def _pattern(words: Words, column: str) -> str:
    found = []
    if words.terms:
        found.append(rf"(?<!\w)({_any(words.terms)})(?!\w)")
    if words.names:
        found += [rf':\s*"({_any(words.names)})"', rf"^({_any(words.names)})$"]
    if words.logins:
        found.append(rf'"login"\s*:\s*"({_any(words.logins)})"')
        if column == "login":
            found.append(rf"^({_any(words.logins)})$")
    return "|".join(found) or NOTHING


def words_of(person: User, also: Iterable[str] = ()) -> Words:
    """Return all names, logins and addresses of the person. History, acts and `also` count."""
    kept = ("full_name", "login", "email")
    rows = [*User.objects.filter(pk=person.pk).values(*kept), *person.history.values(*kept)]
    terms, names, logins = {term.strip() for term in also if term.strip()}, set(), set()
    for name in {*(row["full_name"] for row in rows), *_names_in_acts(person)}:
        if not MARKED.fullmatch(name):
            (terms if " " in name else names).add(name)
    for row in rows:
        login, address = row["login"], row["email"]
        if not MARKED.fullmatch(login):
            (terms if len(login) > 4 and re.search(r"[\W\d_]", login) else logins).add(login)
        terms.add(address)
    return Words(_sorted(terms - {""}), _sorted(names), _sorted(logins))


def _names_in_acts(person: User) -> list[str]:
    """Return the names in the person's entries. After an erasure, only kept entries have them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT convert_from(b.body, 'UTF8')::json #>> '{actor,name}' FROM governance_entry e"
            " JOIN governance_entrybody b ON b.entry_id = e.id WHERE e.actor_id = %s AND length(b.body) > 0",
            [person.pk],
        )
        return [name for (name,) in cursor.fetchall() if name]


def masked(text: str, spans: list[list[int]], mark: str, longest: int | None = None) -> str:
    """Return the text with the mark in place of each span, cut to the column's length."""
    for start, end in reversed(spans):
        text = text[:start] + mark + text[end:]
    return text[:longest]


def _sorted(words: Iterable[str]) -> tuple[str, ...]:
    """The longest first: an address begins with a login."""
    return tuple(sorted(words, key=lambda word: (-len(word), word)))


def _any(words: Iterable[str]) -> str:
    """Return a pattern for any of the words. Words match as JSON too, composed or not, with any space."""
    written = dict.fromkeys(
        form
        for word in words
        for composed in (unicodedata.normalize("NFC", word), unicodedata.normalize("NFD", word))
        for form in (composed, json.dumps(composed, ensure_ascii=False)[1:-1])
    )
    return "|".join(r"(?:\s|\\n)+".join(_in_any_case(part) for part in word.split()) for word in written)


def _in_any_case(text: str) -> str:
    """Return the pattern of a text. Letters beyond ASCII are in both cases, as some collations lack capitals."""
    return "".join(
        re.escape(letter)
        if letter.isascii() or letter.upper() == letter.lower() or len(letter.upper() + letter.lower()) > 2
        else f"[{letter.upper()}{letter.lower()}]"
        for letter in text
    )


# --- The database ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """A column that can hold words: `longest` is None where the database sets no limit."""

    name: str
    holds_json: bool
    longest: int | None


@dataclass(frozen=True)
class Mention:
    """A row that names the person, with the text of each column that does."""

    table: str
    key: str
    texts: dict[str, str]


@dataclass(frozen=True)
class About:
    """An entry that the person wrote, or whose body is about the person."""

    id: int
    kind: str
    initiative_ref: str
    table: str
    key: str
    xact: int
    at: object
    digest: str


def tables() -> dict[str, list[Column]]:
    """Return every table that can hold words, with the columns that can."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.table_name, c.column_name, c.data_type LIKE 'json%%', c.character_maximum_length"
            " FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)"
            " WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND NOT c.table_name = ANY (%s)"
            " AND c.data_type IN ('text', 'character varying', 'character', 'json', 'jsonb') ORDER BY 1, 2",
            [[*RECORD, *OF_DJANGO]],
        )
        found: dict[str, list[Column]] = {}
        for table, *column in cursor.fetchall():
            found.setdefault(table, []).append(Column(*column))
    return found


def keys() -> dict[str, str]:
    """Return the column with the primary key, by table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
            " WHERE i.indisprimary AND c.relnamespace = 'public'::regnamespace"
        )
        return dict(cursor.fetchall())


def mentions(words: Words, columns: dict[str, list[Column]]) -> Iterator[Mention]:
    """Yield every row of these tables that names the person."""
    quoted, key_of = connection.ops.quote_name, keys()
    for table, these in columns.items():
        conditions = " OR ".join(f"{quoted(column.name)}::text ~* %s" for column in these)
        texts = ", ".join(f"{quoted(column.name)}::text" for column in these)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {quoted(key_of[table])}::text, {texts} FROM {quoted(table)} WHERE {conditions} ORDER BY 1",
                [words.pattern(column.name) for column in these],
            )
            rows = cursor.fetchall()
        for key, *values in rows:
            named = {
                column.name: value
                for column, value in zip(these, values, strict=True)
                if value and words.spans(value, column.name)
            }
            if named:
                yield Mention(table, key, named)


def entries_about(words: Words, person: User, rows: Iterable[tuple[str, str]] = ()) -> list[About]:
    """Return every entry by or about the person, or about a change of these rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.id, e.kind, e.initiative_ref, e.\"table\", e.key, e.xact, e.at, encode(e.digest, 'hex')"
            " FROM governance_entry e JOIN governance_entrybody b ON b.entry_id = e.id"
            " WHERE length(b.body) > 0 AND (e.actor_id = %s OR e.on_behalf_of_id = %s"
            " OR e.\"table\" || ' ' || e.key = ANY (%s) OR convert_from(b.body, 'UTF8') ~* %s) ORDER BY e.id",
            [person.pk, person.pk, [" ".join(row) for row in rows], words.pattern()],
        )
        return [About(*row) for row in cursor.fetchall()]


# --- The mailbox -----------------------------------------------------------------------------------------------------


def mailbox() -> list[Path]:
    """Return the files of the mailbox, where mails are written as files."""
    if not settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"):
        return []
    return sorted(path for path in Path(settings.EMAIL_FILE_PATH).glob("*") if path.is_file())


def mails_about(words: Words) -> Iterator[tuple[Path, str]]:
    """Yield every email in the mailbox that names the person, as (file, raw email)."""
    for path in mailbox():
        for mail in BETWEEN_MAILS.split(path.read_text(errors="surrogateescape")):
            if mail.strip() and words.name(_read(mail)):
                yield path, mail


def remove_mails(words: Words) -> int:
    """Remove every email that names the person from the mailbox, and empty files. Returns how many."""
    about: dict[Path, list[str]] = {}
    for path, mail in mails_about(words):
        about.setdefault(path, []).append(mail)
    for path, mails in about.items():
        parts = BETWEEN_MAILS.split(path.read_text(errors="surrogateescape"))
        rest = [part for part in parts if part.strip() and part not in mails]
        if rest:
            line = "-" * 79 + "\n"
            path.write_text(line.join(rest) + line, errors="surrogateescape")
        else:
            path.unlink()
    return sum(len(mails) for mails in about.values())


def _read(mail: str) -> str:
    """A mail as its reader sees it: heads decoded, every part of text decoded."""
    message = email.message_from_string(mail, policy=email.policy.default)
    texts = [f"{name}: {value}" for name, value in message.items()]
    texts += [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*texts, mail])
