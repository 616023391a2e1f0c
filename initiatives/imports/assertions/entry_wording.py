"""Sentences for entries about asserted moves."""

from governance.vocabulary.entry_kinds import EntryKind

SENTENCES: dict[str, str] = {
    EntryKind.ASSERTED_MOVE_DECIDED: (
        "decided on what a newer list asserts, line {line} of import {batch}: claim {decision}. {why}"
    ),
    EntryKind.PAIR_ANSWERED: (
        "said that line {line} of import {batch} <{same?}speaks of this initiative|is another system>: {why}"
    ),
}
