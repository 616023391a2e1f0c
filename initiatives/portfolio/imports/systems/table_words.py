"""Words of other tables: other names of choices, and statuses of deleted things."""

import re
from collections.abc import Iterable

from governance.tables.columns import plain, spaced

# Words of other tables for what is called otherwise here.
CHOICE_WORDS = {
    "saas": "bought",
    "cloud service": "bought",
    "commercial": "bought",
    "vendor": "bought",
    "standard software": "bought",
    "standardsoftware": "bought",
    "gekauft": "bought",
    "custom": "home_grown",
    "in-house": "home_grown",
    "inhouse": "home_grown",
    "eigenentwicklung": "home_grown",
    "database": "database",
    "warehouse": "database",
    "data warehouse": "database",
    "datenbank": "database",
    "share": "file_share",
    "fileshare": "file_share",
    "sharepoint": "file_share",
    "netzlaufwerk": "file_share",
    "dateiablage": "file_share",
    "confluence": "wiki",
    "dokument": "document",
    "documents": "document",
    "richtlinie": "policy",
    "knowledge base": "knowledge_collection",
    "wissensdatenbank": "knowledge_collection",
    "read": "reads",
    "lesend": "reads",
    "liest": "reads",
    "in": "reads",
    "inbound": "reads",
    "write": "writes",
    "schreibend": "writes",
    "schreibt": "writes",
    "out": "writes",
    "outbound": "writes",
    "bidirectional": "both",
    "read/write": "both",
    "beide": "both",
    "lesend und schreibend": "both",
    "rest": "api",
    "soap": "api",
    "graphql": "api",
    "odata": "api",
    "sftp": "file",
    "datei": "file",
    "jdbc": "database",
    "odbc": "database",
    "sql": "database",
    "rpa": "screen",
    "manual": "person",
    "manuell": "person",
}
# Classes of a CMDB with one meaning. A class such as "application" is asked: it may be bought or home-grown.
CLASSES = ((re.compile(r"cmdb ci (?:db|database)(?: .*)?"), "database"),)
LEAVE_OUT = "-"  # an answer to what a word means: rows with it stay out
MOST_WORDS = 60  # of one column that are asked
# Status by number, as ServiceNow counts: the same number means another thing in another column.
GONE_BY_NUMBER = {
    "install status": {"7": "retired", "8": "stolen", "100": "absent"},
    "operational status": {"6": "retired"},
}
GONE = re.compile(
    r"(?:retired|decommissioned|obsolete|end of life|eol|phased out|absent|disposed|archived|stillgelegt|abgeschaltet"
    r"|au(?:ss|\u00df)er betrieb|ausgemustert|hors service|retir\u00e9)(?: .*)?"
)


def choice_of(text: str, choices: dict[str, str], said: dict[str, str]) -> str:
    """Return the key of the choice that a word means, LEAVE_OUT, or "" if unknown.

    `said` has the answers by word in lower case.
    """
    bare = plain(text)
    for key, words in choices.items():
        if bare in (plain(key), plain(words), plain(words.partition(":")[0])):
            return key
    known = CHOICE_WORDS.get(bare) or next((key for form, key in CLASSES if form.fullmatch(bare)), "")
    return said.get(bare, "") or (known if known in choices else "")


def unknown_words(cells: Iterable[str], choices: dict[str, str]) -> list[str]:
    """Return the words of a column that match no choice, each once, in order."""
    words = dict.fromkeys(plain(cell)[:120] for cell in cells if cell.strip())
    return [word for word in words if not choice_of(word, choices, {})][:MOST_WORDS]


def gone_by_status(column: str, text: str) -> str:
    """Return the word for "gone" of a status, "unknown" for an unclear number, or ""."""
    header, said = spaced(column), plain(text)
    if not re.fullmatch(r"-?\d+", said):
        return said if GONE.fullmatch(said) else ""
    for name, numbers in GONE_BY_NUMBER.items():
        if header.endswith(name):
            return numbers.get(said, "")
    return "unknown"
