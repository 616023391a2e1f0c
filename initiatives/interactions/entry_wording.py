"""Sentences for entries of the interaction log."""

from governance.vocabulary.entry_kinds import EntryKind

SENTENCES: dict[str, str] = {
    EntryKind.INTERACTION_OPENED: "read interaction {interaction} of {at}.",
    EntryKind.INTERACTIONS_IMPORTED: (
        "brought in {count} interactions from the file “{file}”, by no key<{rejected?}; {rejected} lines did not fit|>."
    ),
    EntryKind.INTERACTIONS_ERASED: (
        "erased what <{everywhere?}all initiatives hold|this one holds> of person {subject} ({duty}): {keys} keys; of "
        "{tried} bodies tried, {unopened} did not open any more."
    ),
    EntryKind.BODY_TERM_REQUESTED: (
        "asked that what was said to its systems is kept for {days} days only, until {until:day}: {basis}"
    ),
    EntryKind.BODY_TERM_SIGNED: (
        "signed as {part} that what was said to its systems is kept for {days} days only, until {until:day}: {basis}"
        "<{runs?} (it runs)| (a second signature is needed)>"
    ),
    EntryKind.BODY_TERM_REFUSED: "refused that what was said to its systems is kept for {days} days only.",
    EntryKind.ACTS_NAMED: "said which actions of the contract names of acts in the interaction log mean: {names}.",
    EntryKind.PERFORMANCE_PROMISED: (
        "promised that half of the calls come back in {median} ms, 95 in 100 in {most} ms, and at most {errors} "
        "fail."
    ),
    EntryKind.PERFORMANCE_PROMISE_WITHDRAWN: (
        "withdrew that half of the calls come back in {median} ms and 95 in 100 in {most} ms."
    ),
    EntryKind.OUTPUT_SAMPLE_ASKED_FOR: (
        "asked for {wanted} outputs of {first:day} to {last:day}, drawn by the audit log, of which {target} have to "
        "trace to their sources."
    ),
    EntryKind.OUTPUTS_DRAWN: (
        "drew {drawn} of {among} outputs for sample {sample} by checkpoint {checkpoint}, and checked which sources "
        "they name."
    ),
    EntryKind.OUTPUT_SAMPLE_JUDGED: (
        "judged the last output of sample {sample}: {hits} of {outputs} trace to a governed source<{outside?}, each "
        "judged from outside the team|>."
    ),
    EntryKind.INTERACTIONS_SELECTED: (
        "asked for at most {most} interactions from {first:day} to {last:day}<{by_text?} in which a text stands| drawn "
        "at random>, kept by reference until {until:day}: {purpose}"
    ),
    EntryKind.INTERACTION_SELECTION_MADE: (
        "selection {selection} holds {found} interactions; {looked} were looked at, {unreadable} of them could not be "
        "read."
    ),
    EntryKind.INTERACTION_SELECTION_CLOSED: "selection {selection} is closed, its references are removed: {purpose}",
    EntryKind.BULK_READING_REQUESTED: (
        "asked to read all {found} interactions of selection {selection} ({purpose}) at once: {why}"
    ),
    EntryKind.BULK_READING_APPROVED: (
        "gave {whose} leave to read all {found} interactions of selection {selection} at once: {why}"
    ),
    EntryKind.BULK_READING_REFUSED: (
        "refused {whose} leave to read all interactions of selection {selection} at once: {reason}"
    ),
    EntryKind.SUBJECT_REQUEST_RECEIVED: (
        "recorded request {request} of a person ({wants}), received {received_on:day}, due {due_on:day}."
    ),
    EntryKind.SUBJECT_REQUEST_OPENED: "looked at who asks in request {request}.",
    EntryKind.SUBJECT_IDENTITY_CHECKED: "checked the identity of who asks in request {request}: {how}",
    EntryKind.SUBJECT_REQUEST_EXTENDED: "extended request {request} until {due_on:day}: {why}",
    EntryKind.SUBJECT_REQUEST_TAKEN_OVER: "took request {request} over from {before}: {why}",
    EntryKind.SUBJECT_SEARCHED: (
        "searched the interaction log for request {request}, by pseudonym: {found} interactions, {new} of them new."
    ),
    EntryKind.SUBJECT_TEXT_ASKED: (
        "asked for request {request} that a text is looked for, {first:day} to {last:day}."
    ),
    EntryKind.SUBJECT_TEXT_SOUGHT: (
        "looked for a text for request {request}: {looked} interactions, {unreadable} of them could not be read, "
        "{found} fit, {new} of them new."
    ),
    EntryKind.SUBJECT_HIT_JUDGED: (
        "said for request {request} that interaction {interaction} <{belongs?}belongs|does not belong> to who asks."
    ),
    EntryKind.SUBJECT_HIT_BLACKED: (
        "blacked out {passages} passages of interaction {interaction} for request {request}."
    ),
    EntryKind.SUBJECT_COPY_MADE: (
        "made copy {copy} for request {request}: {interactions} interactions, {blacked} passages blacked out, "
        "{unreadable} not readable."
    ),
    EntryKind.SUBJECT_COPY_TAKEN: "took the file of copy {copy} for request {request}.",
    EntryKind.SUBJECT_COPY_REVOKED: "copy {copy} for request {request} is revoked, its file is removed.",
    EntryKind.SUBJECT_REQUEST_ERASED: (
        "erased what belongs to who asks in request {request} ({duty}): {keys} keys; of {tried} bodies tried, "
        "{unopened} did not open any more<{left?}; {left} left, whose keys others share|>."
    ),
    EntryKind.SUBJECT_REQUEST_ANSWERED: (
        "answered request {request} ({outcome}<{late?}, late|>): {words}<{legal_basis?} Legal basis: {legal_basis}|>"
    ),
    EntryKind.SUBJECT_REQUEST_CLOSED: "closed request {request} ({outcome}).",
    EntryKind.SUBJECT_REQUEST_FORGOTTEN: (
        "what request {request} says of its person is destroyed: {keys} keys."
    ),
    EntryKind.INTERACTIONS_READ_IN_BULK: (
        "read all {found} interactions of selection {selection} at once: {purpose}"
    ),
}
