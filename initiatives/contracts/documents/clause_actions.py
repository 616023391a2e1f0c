"""Acts on clauses of a draft and its vocabulary, one at a time, so that two editors lose nothing.

The draft belongs to everybody who may write it. Each act names what its author had in front of them (`seen`), and is
told who was first when that is no longer what stands there; acts on different clauses do not meet.
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
from initiatives.contracts.documents.actions import (
    Written,
    contract_of,
    count_saving,
    in_preparation,
    last_number,
    next_version,
    rows_of,
    said_by,
    say,
)
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative


class Overtaken(Conflict):
    """Somebody else saved or removed the clause first: `clause` as it stands now (None: removed), `who` and `at`."""

    def __init__(self, clause: Clause | None, number: int, who: str, at: datetime | None):
        self.clause, self.number, self.who, self.at = clause, number, who, at
        done = "saved" if clause is not None else "removed"
        when = f" at {clock.moment_in_words(at)}" if at else ""
        super().__init__(f"{who} {done} clause {number}{when}.", "Look at both.")


def save_clause(
    *,
    initiative: Initiative,
    clause: Written,
    seen: str = "",
    vocabulary: list[tuple[str, str, str]] = (),
    by: User,
) -> Clause:
    """Write one clause of the draft; a clause without number is added. Begins the next version where there is no draft.

    `seen`: fingerprint of the clause that its author had in front of them, "" for none. `vocabulary`: words that are
    new, as (kind, key, words). Raises Overtaken, or ValidationError by field.
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
            raise ValidationError(f"Clause {same.number} says exactly this already.")
        if now is None and len(there) >= MOST_CLAUSES:
            raise ValidationError(f"A contract has at most {MOST_CLAUSES} clauses. Remove one first.")
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
    """Take a clause out of the draft; its number is not given again. Raises Overtaken when it reads otherwise now."""
    with act("remove clause", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        draft, contract = in_preparation(initiative), contract_of(initiative)
        now = _newest_clauses(contract).get(number)
        _seen(contract, number, now, seen)
        if now is None:
            no("There is no such clause.").or_refuse()
        draft = _opened(initiative, draft, by)
        draft.clauses.get(number=number).delete()
        entries.record(
            EntryKind.CLAUSE_REMOVED,
            initiative=initiative,
            number=draft.number,
            clause=number,
            sentence=now.sentence,
        )


def move_clause(*, initiative: Initiative, number: int, up: bool, by: User) -> bool:
    """Let a clause change places with the one before or after it of its kind; whether there was one."""
    with act("move clause", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        draft, contract = in_preparation(initiative), contract_of(initiative)
        there = _newest_clauses(contract)
        if number not in there:
            no("There is no such clause.", "Somebody may have removed it.").or_refuse()
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
    """Say from when the draft is wanted in force; None is as soon as its last seat approved it."""
    if wanted_from is not None and wanted_from < clock.today():
        raise ValidationError({"wanted_from": "A contract does not start in the past."})
    with act("plan start of contract", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        draft = in_preparation(initiative)
        if draft is None:
            no("There is no draft.", "Write a clause first.").or_refuse()
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
    """Raise Overtaken unless the clause still is what its author had in front of them."""
    if (now.fingerprint if now else "") == seen:
        return
    rows = Clause.history.model.objects.filter(version__contract=contract.pk, number=number)
    last = rows.order_by("-history_id").values_list("history_user_name", "history_date").first()
    raise Overtaken(now, number, *(last or ("Somebody", None)))


def _newest_clauses(contract: Contract) -> dict[int, Clause]:
    """The clauses of the newest version by number, in order: what an editor shows."""
    newest = contract.versions.order_by("-number").first()
    return {one.number: one for one in newest.clauses.all()} if newest else {}


def _opened(initiative: Initiative, draft: ContractVersion | None, by: User) -> ContractVersion:
    """The draft, counted as saved once more; where there is none, the next version with the clauses of the newest."""
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
    """Add a word to the initiative's vocabulary, or say it otherwise: then clauses that use it read anew, in the draft.

    `seen`: the words that its author had in front of them, "" for a new key. Signed versions keep their sentences.
    """
    if kind not in VOCABULARY:
        raise ValidationError({"kind": "Choose what the word is for."})
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
                {
                    "words": f"“{key}” reads “{before}” now: somebody changed it. Save again to say it otherwise."
                }
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
    """Offer a word no longer. Raises Refused while a clause of the newest version uses it."""
    with act("retire word", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        contract = contract_of(initiative)
        word = contract.vocabulary.filter(kind=kind, key=key).first()
        if word is None:
            no("There is no such word.").or_refuse()
        if word.retired_at:
            return word
        using = [str(one.number) for one in _newest_clauses(contract).values() if key in one.keys]
        if using:
            no(
                f"“{word.words}” is used by clause {', '.join(using)}.", "Change those clauses first."
            ).or_refuse()
        word.retired_at = clock.now()
        word.save()
        entries.record(
            EntryKind.WORD_RETIRED, initiative=initiative, word_kind=kind, key=key, words=word.words
        )
    return word


def _with_new(contract: Contract, vocabulary: list[tuple[str, str, str]]) -> dict[str, str]:
    """All words by key, with these new ones among them. Raises ValidationError for a key that is taken."""
    for kind, key, _words in vocabulary:
        _own_key(contract, kind, key)
    return say(contract, vocabulary)


def _own_key(contract: Contract, kind: str, key: str) -> None:
    """Raise ValidationError where some word, of whatever kind, has the key: sentences know words by key alone."""
    taken = contract.vocabulary.filter(key=key).first()
    if taken is not None:
        why = " It is not offered any more; bring it back with the other words." if taken.retired_at else ""
        raise ValidationError(
            {
                "key": f"The key “{key}” stands for “{taken.words}” already "
                f"({taken.get_kind_display().lower()}).{why} Choose that one, or give another key."
            }
        )


def _read_anew(initiative: Initiative, key: str, by: User) -> list[int]:
    """Make the sentences of the clauses that use the word anew, in the draft; their numbers."""
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
