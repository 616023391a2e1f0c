"""Sentences for entries of the interaction log."""

from governance.vocabulary.entry_kinds import EntryKind

SENTENCES: dict[str, str] = {
    EntryKind.INTERACTION_OPENED: "read interaction {interaction} of {at}.",
    EntryKind.INTERACTIONS_IMPORTED: (
        "imported {count} interactions from the file “{file}”, without a key<{rejected?}, {rejected} "
        "lines did not fit|>."
    ),
    EntryKind.INTERACTIONS_ERASED: (
        "erased the interactions of person {subject} in <{everywhere?}all initiatives|this one> "
        "({duty}). Keys destroyed: {keys}. Bodies checked: {tried}, {unopened} of them unreadable."
    ),
    EntryKind.ACTS_NAMED: "chose the actions of the contract for names of acts in the interaction log: {names}.",
    EntryKind.PERFORMANCE_PROMISED: (
        "promised that half of the calls return in {median} ms, 95 in 100 in {most} ms, and at most "
        "{errors} fail."
    ),
    EntryKind.PERFORMANCE_PROMISE_WITHDRAWN: (
        "withdrew the promise that half of the calls return in {median} ms and 95 in 100 in {most} ms."
    ),
    EntryKind.INTERACTIONS_HANDED_OUT: (
        "took a file with {found} interactions of person {subject}, {unreadable} of them not readable: {why}"
    ),
}
