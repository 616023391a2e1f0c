"""Acts on single clauses and words of a draft, so that two editors lose nothing.

Several people may write a draft. Each act takes the text that its author saw (`seen`), and is refused with the name of
the other author if the text has changed since. Acts on different clauses do not conflict.
"""

from datetime import date, datetime

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.contracts.clauses import MOST_CLAUSES
from governance.contracts.wording import sentence
from governance.database.row_history import insert_many
from governance.models import Clause, Contract, ContractVersion, User, VocabularyWord
from governance.models.contracts import VOCABULARY
from governance.permission_result import Conflict, no
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import label, phrase
from initiatives.contracts.documents.actions import (
    Written,
    check_start,
    contract_of,
    count_saving,
    in_preparation,
    last_number,
    next_version,
    rows_of,
    said_by,
    save_contract,
    say,
)
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative


class Overtaken(Conflict):
    """A conflict with a newer `clause` (None if removed), saved by `who` at `at`."""

    def __init__(self, clause: Clause | None, number: int, who: str, at: datetime | None):
        self.clause, self.number, self.who, self.at = clause, number, who, at
        done = "saved" if clause is not None else "removed"
        when = f" at {clock.moment_in_words(at)}" if at else ""
        super().__init__(f"{who} {done} clause {number}{when}.", "Compare both.")


def save_clause(
    *,
    initiative: Initiative,
    clause: Written,
    seen: str = "",
    vocabulary: list[tuple[str, str, str]] = (),
    by: User,
) -> Clause:
    """Write one clause of the draft, or add it. Begins a draft if none exists.

    The argument `seen` is the fingerprint that the author saw, "" for none. `vocabulary` has the new words as (kind,
    key, words). Raises Overtaken, or ValidationError by field.
    """
    with act("save clause", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        draft = in_preparation(initiative)
        contract = contract_of(initiative)
        words = _with_new(contract, vocabulary)
        (row,) = rows_of([clause], words)
        said = said_by(row)
        there = _newest_clauses(contract)
        now = there.get(clause.number)
        if now is not None and now.fingerprint == said["fingerprint"]:
            return now  # pressed twice, or nothing changed
        if clause.number:
            _seen(contract, clause.number, now, seen)
        elif same := next((one for one in there.values() if one.fingerprint == said["fingerprint"]), None):
            raise ValidationError(phrase("Clause {} already has exactly this text.", same.number))
        if now is None and len(there) >= MOST_CLAUSES:
            raise ValidationError(
                phrase("A contract can have at most {} clauses. First remove one clause.", MOST_CLAUSES)
            )
        draft = _opened(initiative, draft, by)
        there = {one.number: one for one in draft.clauses.all()}
        found = there.get(clause.number)
        before = found.sentence if found else ""
        if found is None:
            number = clause.number if 0 < (clause.number or 0) <= last_number(contract) else None
            found = Clause(version=draft, number=number or last_number(contract) + 1)
            found.position = max((one.position for one in there.values()), default=-1) + 1
        for name, value in said.items():
            setattr(found, name, value)
        found.save()
        entries.record(
            EntryKind.CLAUSE_WRITTEN,
            initiative=initiative,
            number=draft.number,
            clause=found.number,
            clause_kind=found.kind,
            sentence=found.sentence,
            before=before,
        )
    return found


def remove_clause(*, initiative: Initiative, number: int, seen: str, by: User) -> None:
    """Take a clause out of the draft. Its number is not given again. Raises Overtaken if it has changed."""
    with act("remove clause", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        draft, contract = in_preparation(initiative), contract_of(initiative)
        now = _newest_clauses(contract).get(number)
        _seen(contract, number, now, seen)
        if now is None:
            no("This clause does not exist.").or_refuse()
        draft = _opened(initiative, draft, by)
        draft.clauses.get(number=number).delete()
        entries.record(
            EntryKind.CLAUSE_REMOVED,
            initiative=initiative,
            number=draft.number,
            clause=number,
            sentence=now.sentence,
        )


def discard_draft(*, initiative: Initiative, edition: int, by: User) -> None:
    """Replace the clauses of the draft by those of the previous version, or by none.

    Words that only the draft used are retired. The draft seen has this `edition`. Raises Refused, Conflict.
    """
    with act("throw draft away", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        draft = in_preparation(initiative)
        if draft is None:
            no("This contract has no draft.", "First write a draft.").or_refuse()
        before = initiative.contract.versions.exclude(pk=draft.pk).order_by("-number").first()
        kept = list(before.clauses.all()) if before else []
        used = {key for clause in draft.clauses.all() for key in clause.keys}
        save_contract(
            initiative=initiative,
            clauses=[Written(one.kind, one.sentence, one.said, one.number) for one in kept],
            edition=edition,
            by=by,
        )
        used -= {key for clause in kept for key in clause.keys}
        for word in initiative.contract.vocabulary.filter(key__in=used):
            retire_word(initiative=initiative, kind=word.kind, key=word.key, by=by)


def move_clause(*, initiative: Initiative, number: int, up: bool, by: User) -> bool:
    """Swap a clause with its neighbour of the same kind. Return False without a neighbour."""
    with act("move clause", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        draft, contract = in_preparation(initiative), contract_of(initiative)
        there = _newest_clauses(contract)
        if number not in there:
            no(
                "This clause does not exist.", "Open the contract again: someone may have removed the clause."
            ).or_refuse()
        alike = [one.number for one in there.values() if one.kind == there[number].kind]
        place = alike.index(number) + (-1 if up else 1)
        if not 0 <= place < len(alike):
            return False
        draft = _opened(initiative, draft, by)
        one, other = (draft.clauses.get(number=name) for name in (number, alike[place]))
        one.position, other.position = other.position, one.position
        one.save()
        other.save()
        entries.record(
            EntryKind.CLAUSE_MOVED,
            initiative=initiative,
            number=draft.number,
            clause=number,
            past=other.number,
        )
    return True


def plan_start(*, initiative: Initiative, wanted_from: date | None, by: User) -> ContractVersion:
    """Set the day on which the draft starts, or None for the last approval."""
    with act("plan start of contract", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        check_start(initiative, wanted_from)
        draft = in_preparation(initiative)
        if draft is None:
            no("This contract has no draft.", "First write a clause.").or_refuse()
        if draft.wanted_from != wanted_from:
            draft.wanted_from = wanted_from
            count_saving(draft)
            entries.record(
                EntryKind.CONTRACT_START_PLANNED,
                initiative=initiative,
                number=draft.number,
                wanted_from=wanted_from,
            )
    return draft


def _seen(contract: Contract, number: int, now: Clause | None, seen: str) -> None:
    """Raise Overtaken unless the clause is still as its author saw it."""
    if (now.fingerprint if now else "") == seen:
        return
    rows = Clause.history.model.objects.filter(version__contract=contract.pk, number=number)
    last = rows.order_by("-history_id").values_list("history_user_name", "history_date").first()
    raise Overtaken(now, number, *(last or ("Someone", None)))


def _newest_clauses(contract: Contract) -> dict[int, Clause]:
    """Return the clauses of the newest version by number, in the order of the editor."""
    newest = contract.versions.order_by("-number").first()
    return {one.number: one for one in newest.clauses.all()} if newest else {}


def _opened(initiative: Initiative, draft: ContractVersion | None, by: User) -> ContractVersion:
    """Return the draft, counted as saved, or a new one with the newest clauses."""
    if draft is not None:
        count_saving(draft)
        return draft
    copied = list(_newest_clauses(initiative.contract).values())
    draft = next_version(initiative, by)
    count_saving(draft)
    fields = ("kind", "sentence", "terms", "fingerprint", "position", "number")
    insert_many(
        Clause, [Clause(version=draft, **{name: getattr(one, name) for name in fields}) for one in copied]
    )
    return draft


# --- Words -----------------------------------------------------------------------------------------------------------


def save_word(
    *, initiative: Initiative, kind: str, key: str, words: str, seen: str = "", by: User
) -> VocabularyWord:
    """Add or change a word of the vocabulary, and remake its sentences in the draft.

    The words that the author saw are `seen`, "" for a new key. Signed versions keep their sentences.
    """
    if kind not in VOCABULARY:
        raise ValidationError({"kind": "Choose the purpose of the word."})
    with act("save word", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        contract = contract_of(initiative)
        word = contract.vocabulary.filter(kind=kind, key=key).first()
        before = word.words if word else ""
        if word is not None and word.words == words.strip() and not word.retired_at:
            return word
        if word is None or not (seen or word.retired_at):
            _own_key(contract, kind, key)
            word = VocabularyWord(contract=contract, kind=kind, key=key)
        elif before != seen and not word.retired_at:
            raise ValidationError(
                {"words": phrase("Someone changed “{}” to “{}”. Save again to keep your text.", key, before)}
            )
        word.words, word.retired_at = words.strip(), None
        word.full_clean()
        word.save()
        read_anew = _read_anew(initiative, key, by) if before and before != word.words else []
        entries.record(
            EntryKind.WORD_WRITTEN,
            initiative=initiative,
            word_kind=kind,
            key=key,
            words=word.words,
            before=before,
            clauses=read_anew,
        )
    return word


def retire_word(*, initiative: Initiative, kind: str, key: str, by: User) -> VocabularyWord:
    """Stop offering a word. Raises Refused while a clause of the newest version uses it."""
    with act("retire word", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        contract = contract_of(initiative)
        word = contract.vocabulary.filter(kind=kind, key=key).first()
        if word is None:
            no("This word does not exist.").or_refuse()
        if word.retired_at:
            return word
        using = [str(one.number) for one in _newest_clauses(contract).values() if key in one.keys]
        if using:
            no(
                phrase("“{}” is used by clause {}.", word.words, ", ".join(using)),
                "First change those clauses.",
            ).or_refuse()
        word.retired_at = clock.now()
        word.save()
        entries.record(
            EntryKind.WORD_RETIRED, initiative=initiative, word_kind=kind, key=key, words=word.words
        )
    return word


def _with_new(contract: Contract, vocabulary: list[tuple[str, str, str]]) -> dict[str, str]:
    """Return all words by key, with these new ones. Raises ValidationError for a key that is taken."""
    for kind, key, _words in vocabulary:
        _own_key(contract, kind, key)
    return say(contract, vocabulary)


def _own_key(contract: Contract, kind: str, key: str) -> None:
    """Raise ValidationError if a word of any kind has the key. Sentences use keys alone."""
    taken = contract.vocabulary.filter(key=key).first()
    if taken is not None:
        why = (
            " This word is no longer offered. You can offer the word again under “Actions and resources”."
            if taken.retired_at
            else ""
        )
        raise ValidationError(
            {
                "key": phrase(
                    "The key “{}” already means “{}” ({}).{} Choose this word, or enter a different key.",
                    key,
                    taken.words,
                    label(taken.get_kind_display(), inside=True),
                    why,
                )
            }
        )


def _read_anew(initiative: Initiative, key: str, by: User) -> list[int]:
    """Remake the draft's sentences that use the word, and return their clause numbers."""
    contract = initiative.contract
    if not any(key in one.keys for one in _newest_clauses(contract).values()):
        return []
    draft = _opened(initiative, in_preparation(initiative), by)
    words = say(contract, [])
    numbers = []
    for clause in draft.clauses.all():
        if key in clause.keys:
            said = sentence(clause.kind, clause.said, words) or clause.sentence
            for name, value in said_by(Written(clause.kind, said, clause.said)).items():
                setattr(clause, name, value)
            clause.save()
            numbers.append(clause.number)
    return numbers
