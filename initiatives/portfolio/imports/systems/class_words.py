"""Words of other tables for kinds of systems, and statuses of systems that are gone."""

import re
from collections.abc import Mapping

from governance.tables.cell_values import yes_or_no
from governance.tables.columns import plain, spaced
from initiatives.models.integration.systems import SYSTEM_KINDS

# Words of other tables for the kinds of systems.
WORDS = {
    "bought": "saas, cloud service, commercial, vendor, standard software, standardsoftware, gekauft",
    "home_grown": "custom, in-house, inhouse, eigenentwicklung",
    "database": "database, warehouse, data warehouse, datenbank",
    "file_share": "share, fileshare, sharepoint, netzlaufwerk, dateiablage",
    "wiki": "confluence",
    "document": "dokument, documents",
    "policy": "richtlinie",
    "knowledge_collection": "knowledge base, wissensdatenbank",
}
KIND_WORDS = {word: kind for kind, words in WORDS.items() for word in words.split(", ")}
# Classes of a CMDB with one meaning. A class such as "application" is asked: it may be bought or home-grown.
CLASSES = ((re.compile(r"cmdb ci (?:db|database)(?: .*)?"), "database"),)
LEAVE_OUT = "-"  # an answer to what a word means: lines with it stay out
# Status by number, as ServiceNow counts: the same number means another thing in another column.
GONE_BY_NUMBER = {
    "install status": {"7": "retired", "8": "stolen", "100": "absent"},
    "operational status": {"6": "retired"},
}
GONE = re.compile(
    r"(?:retired|decommissioned|obsolete|end of life|eol|phased out|absent|disposed|archived|stillgelegt|abgeschaltet"
    r"|au(?:ss|\u00df)er betrieb|ausgemustert|hors service|retir\u00e9)(?: .*)?"
)


def kind_of(text: str, chosen: Mapping[str, str]) -> str:
    """Return the kind that a word means, LEAVE_OUT, or "" if unknown. `chosen`: the answers by word."""
    bare = plain(text)[:120]
    for key, words in SYSTEM_KINDS.items():
        if bare in (plain(key), plain(words)):
            return key
    known = KIND_WORDS.get(bare) or next((key for form, key in CLASSES if form.fullmatch(bare)), "")
    return known or chosen.get(bare, "")


def gone_by_status(column: str, text: str) -> str:
    """Return the word for "gone" of a status, "unknown" for an unclear number, or ""."""
    header, said = spaced(column), plain(text)
    if header == "is deleted":
        return "deleted" if yes_or_no(said) else ""
    if not re.fullmatch(r"-?\d+", said):
        return said if GONE.fullmatch(said) else ""
    for name, numbers in GONE_BY_NUMBER.items():
        if header.endswith(name):
            return numbers.get(said, "")
    return "unknown"
