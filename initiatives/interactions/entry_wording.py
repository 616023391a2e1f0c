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
    EntryKind.INTERACTIONS_SELECTED: (
        "asked for at most {most} interactions from {first:day} to {last:day}<{by_text?} that contain a "
        "text| drawn at random>, kept by reference until {until:day}: {purpose}"
    ),
    EntryKind.INTERACTION_SELECTION_MADE: (
        "selection {selection} contains {found} interactions, of {looked} that were checked and "
        "{unreadable} that could not be read."
    ),
    EntryKind.INTERACTION_SELECTION_CLOSED: "selection {selection} is closed and its references are removed: {purpose}",
    EntryKind.BULK_READING_REQUESTED: (
        "asked to read all {found} interactions of selection {selection} ({purpose}) at once: {why}"
    ),
    EntryKind.BULK_READING_APPROVED: (
        "gave {whose} permission to read all {found} interactions of selection {selection} at once: {why}"
    ),
    EntryKind.BULK_READING_REFUSED: (
        "refused {whose} permission to read all interactions of selection {selection} at once: {reason}"
    ),
    EntryKind.SUBJECT_REQUEST_RECEIVED: (
        "recorded request {request} of a person ({wants}), received {received_on:day}, due {due_on:day}."
    ),
    EntryKind.SUBJECT_REQUEST_OPENED: "opened the name of the person in request {request}.",
    EntryKind.SUBJECT_IDENTITY_CHECKED: "checked the identity of the person in request {request}: {how}",
    EntryKind.SUBJECT_REQUEST_EXTENDED: "extended request {request} until {due_on:day}: {why}",
    EntryKind.SUBJECT_REQUEST_TAKEN_OVER: "took request {request} over from {before}: {why}",
    EntryKind.SUBJECT_SEARCHED: (
        "searched the interaction log for request {request}, by pseudonym: {found} interactions, {new} of them new."
    ),
    EntryKind.SUBJECT_TEXT_ASKED: (
        "asked to search a text for request {request}, {first:day} to {last:day}."
    ),
    EntryKind.SUBJECT_TEXT_SOUGHT: (
        "searched a text for request {request}: {looked} interactions, {unreadable} of them could not be "
        "read, {found} match, {new} of them new."
    ),
    EntryKind.SUBJECT_HIT_JUDGED: (
        "judged for request {request} that interaction {interaction} <{belongs?}belongs|does not belong> "
        "to the person."
    ),
    EntryKind.SUBJECT_HIT_BLACKED: (
        "blacked out {passages} passages of interaction {interaction} for request {request}."
    ),
    EntryKind.SUBJECT_COPY_MADE: (
        "made copy {copy} for request {request}: {interactions} interactions, {blacked} passages blacked out, "
        "{unreadable} not readable."
    ),
    EntryKind.SUBJECT_COPY_TAKEN: "took the file of copy {copy} for request {request}.",
    EntryKind.SUBJECT_COPY_REVOKED: "copy {copy} for request {request} is revoked and its file is removed.",
    EntryKind.SUBJECT_REQUEST_ERASED: (
        "erased the interactions of the person in request {request} ({duty}). Keys destroyed: {keys}. "
        "Bodies checked: {tried}, {unopened} of them unreadable<{left?}, {left} left because other "
        "people share their keys|>."
    ),
    EntryKind.SUBJECT_REQUEST_ANSWERED: (
        "answered request {request} ({outcome}<{late?}, late|>): {words}<{legal_basis?} Legal basis "
        "{legal_basis}|>"
    ),
    EntryKind.SUBJECT_REQUEST_CLOSED: "closed request {request} ({outcome}).",
    EntryKind.SUBJECT_REQUEST_FORGOTTEN: (
        "the personal data in request {request} are destroyed: {keys} keys."
    ),
    EntryKind.INTERACTIONS_READ_IN_BULK: (
        "read all {found} interactions of selection {selection} at once: {purpose}"
    ),
}
