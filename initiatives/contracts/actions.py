"""The contract as a document: clauses by kind, put in force by the seats the rulebook names."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from threading import Lock

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.urls import reverse

from governance import clock
from governance.contracts.cedar_policies import Rule
from governance.contracts.clauses import MOST_CLAUSES, Terms, fingerprint, problems
from governance.contracts.completeness import Gap, gaps
from governance.contracts.wording import sentence
from governance.database.row_history import insert_many
from governance.gates.sign_off_statement import digest
from governance.ledger import record
from governance.models import (
    Clause,
    Contract,
    ContractApproval,
    ContractVersion,
    Rulebook,
    User,
    VocabularyWord,
)
from governance.models.contracts import CLAUSE_KINDS
from governance.permission_result import Answer, Conflict, Reason, no
from initiatives.access import permissions as case_permissions
from initiatives.cases.act import act, settle_standing
from initiatives.components.actions import pull
from initiatives.facts import case_rows
from initiatives.models import Initiative

# What the check found is kept by everything that it looks at: for a long contract it takes as long as its page.
MOST_KEPT = 20
_keeping = Lock()
_found: dict[tuple, list[Gap]] = {}


@dataclass(frozen=True)
class Written:
    """One clause as its author wrote it. `number` names the clause it replaces; None is a new one.

    Where the terms make a sentence, that sentence is the clause's; `sentence` is for kinds and terms that make none.
    """

    kind: str
    sentence: str = ""
    terms: Terms = field(default_factory=Terms)
    number: int | None = None


def contract_digest(version: ContractVersion) -> str:
    """SHA-256 over the canonical form of a version's number and clauses, in order."""
    clauses = [
        [clause.number, clause.kind, clause.sentence, clause.terms]
        for clause in version.clauses.order_by("position", "id")
    ]
    return digest(record.canonical({"number": version.number, "clauses": clauses}).decode())


def save_contract(
    *,
    case: Initiative,
    clauses: list[Written],
    vocabulary: list[tuple[str, str, str]] = (),
    wanted_from: date | None = None,
    edition: int | None = None,
    by: User,
) -> ContractVersion:
    """Write the draft of the next version, clauses in order. The version in force stays as it is.

    `vocabulary`: (kind, key, words) that the clauses use and the contract does not have yet, or has in other words.
    `edition`: the edition of the draft that was edited; raises Conflict when somebody saved another since.
    """
    if wanted_from is not None and wanted_from < clock.today():
        raise ValidationError({"wanted_from": "A contract does not start in the past."})
    with act("save contract", by=by, case=case) as case:
        case_permissions.may_manage(case, by).or_refuse()
        version = in_preparation(case)
        if edition is not None and edition != (version.edition if version else 0):
            raise Conflict("Somebody saved this draft since you opened it.", "Look at both, and save again.")
        words = say(contract_of(case), vocabulary)
        rows = rows_of(clauses, words)
        if version is None:
            version = next_version(case, by)
        version.wanted_from = wanted_from
        count_saving(version)
        _write_clauses(version, rows)
        record.record(
            "contract written",
            case=case,
            number=version.number,
            clauses=[[row.number, row.kind, row.sentence] for row in version.clauses.order_by("position")],
        )
    return version


def in_preparation(case: Initiative) -> ContractVersion | None:
    """The draft of the locked case, if there is one. Raises Refused while a version is with the board."""
    if not case.contract_id:
        return None
    version = case.contract.versions.filter(state__in=["draft", "in_review"]).first()
    if version is not None and version.state == ContractVersion.IN_REVIEW:
        no("This version is with the board.", "Take it back to change it.").or_refuse()
    return version


def contract_of(case: Initiative) -> Contract:
    """The contract of the locked case, which gets its own with the first word of it."""
    if case.contract_id is None:
        contract = Contract(title=f"Contract of {case.ref}")
        contract.save()
        case.contract = contract
        case.save()
    return case.contract


def next_version(case: Initiative, by: User) -> ContractVersion:
    """The version after the newest, as a draft that is not saved yet."""
    last = case.contract.versions.order_by("-number").first()
    return ContractVersion(contract=case.contract, number=(last.number if last else 0) + 1, author=by)


def count_saving(version: ContractVersion) -> None:
    """Save the draft as changed now."""
    version.written_at = clock.now()
    version.edition += 1
    version.save()


def say(contract: Contract, vocabulary: list[tuple[str, str, str]]) -> dict[str, str]:
    """Add to the contract's vocabulary, and return all of it: words by key. Raises ValidationError."""
    known = {(word.kind, word.key): word for word in contract.vocabulary.all()}
    for kind, key, text in vocabulary:
        word = known.get((kind, key)) or VocabularyWord(contract=contract, kind=kind, key=key)
        if word.pk is None or word.words != text.strip() or word.retired_at:
            word.words, word.retired_at = text.strip(), None
            word.full_clean()
            word.save()
            known[kind, key] = word
    return {word.key: word.words for word in known.values()}


def rows_of(clauses: list[Written], words: dict[str, str]) -> list[Written]:
    """The clauses with their sentences. Raises ValidationError that says which one is wrong, and how to mend it."""
    if len(clauses) > MOST_CLAUSES:
        raise ValidationError(f"A contract has at most {MOST_CLAUSES} clauses. Say several things in one.")
    wrong: dict[str, str] = {}
    rows = []
    for place, clause in enumerate(clauses, 1):
        if clause.kind not in CLAUSE_KINDS:
            wrong["kind"] = "Choose a kind for each clause."
            continue
        for problem in problems(clause.kind, clause.terms).values():
            wrong.setdefault("terms", f"Clause {clause.number or place}: {problem}")
        said = sentence(clause.kind, clause.terms, words) or clause.sentence.strip()
        if not said:
            wrong["sentence"] = "Write each clause as a sentence that can be read aloud."
        rows.append(replace(clause, sentence=said))
    if wrong:
        raise ValidationError(wrong)
    return rows


def last_number(contract: Contract) -> int:
    """The highest number that a clause of the contract ever had: none is given twice, not even of a removed one."""
    known = Clause.history.model.objects.filter(version__contract=contract.pk)
    return known.aggregate(most=Max("number"))["most"] or 0


def said_by(row: Written) -> dict:
    """What a row of a clause keeps of what was written."""
    return {
        "kind": row.kind,
        "sentence": row.sentence,
        "terms": row.terms.stored(),
        "fingerprint": fingerprint(row.kind, row.sentence, row.terms),
    }


def _write_clauses(version: ContractVersion, rows: list[Written]) -> None:
    """Make the draft's clauses these: what says the same stays the row it is."""
    there = {clause.number: clause for clause in version.clauses.all()}
    last = last_number(version.contract)
    kept, added = set(), []
    for position, row in enumerate(rows):
        number = row.number if row.number and row.number <= last and row.number not in kept else None
        if number is None:
            last += 1
            number = last
        kept.add(number)
        said = said_by(row) | {"position": position}
        clause = there.get(number)
        if clause is None:
            added.append(Clause(version=version, number=number, **said))
        elif any(getattr(clause, name) != value for name, value in said.items()):
            for name, value in said.items():
                setattr(clause, name, value)
            clause.save()
    insert_many(Clause, added)
    for number, clause in there.items():
        if number not in kept:
            clause.delete()


def gaps_of(case: Initiative, clauses: Iterable[Clause]) -> list[Gap]:
    """What is missing from these clauses as a whole, or wrong among them, for the people of the case today."""
    clauses = list(clauses)
    roles = {row.role: row.person.full_name for row in case_rows.roles(case) if row.in_force}
    required = tuple(Rulebook.objects.current().book.contract.required_clauses)
    said = tuple((one.number, one.fingerprint) for one in clauses)
    key = (said, tuple(sorted(roles.items())), required, clock.today())
    found = _found.get(key)
    if found is None:
        rules = [Rule(one.number, one.kind, one.said, one.sentence) for one in clauses]
        found = gaps(rules, roles, required, clock.today())
        with _keeping:
            while len(_found) >= MOST_KEPT:
                del _found[next(iter(_found))]
            _found[key] = found
    return found


def link_of_gap(case: Initiative, gap: Gap) -> str:
    """Where a gap is mended: at its first clause, at the people where the record has no owner, else in the editor."""
    if gap.numbers:
        return reverse("clause-edit", args=[case.ref, gap.numbers[0]])
    if "record_owner" in gap.code:
        return f"{reverse('role-propose', args=[case.ref])}?role=record_owner"
    return reverse("contract-edit", args=[case.ref])


def complete(case: Initiative, clauses: Iterable[Clause]) -> Answer:
    """Whether these clauses may go to the board; otherwise no, with every gap that stands in the way."""
    blocking = [gap for gap in gaps_of(case, clauses) if gap.blocking]
    return Answer(not blocking, tuple(Reason(gap.words, gap.fix, link_of_gap(case, gap)) for gap in blocking))


def propose_contract(*, case: Initiative, by: User) -> ContractVersion:
    """Send the draft to the seats that put contracts in force. Raises Refused with everything that is missing."""
    with act("propose contract", by=by, case=case) as case:
        case_permissions.may_manage(case, by).or_refuse()
        version = case.contract.versions.filter(state="draft").first() if case.contract_id else None
        if version is None:
            no("There is no draft.", "Write one first.").or_refuse()
        complete(case, version.clauses.all()).or_refuse()
        version.state, version.digest = ContractVersion.IN_REVIEW, contract_digest(version)
        version.save()
        record.record("contract proposed", case=case, number=version.number, digest=version.digest)
    return version


def take_back_contract(*, case: Initiative, reason: str = "", by: User) -> ContractVersion:
    """Take a version back from the board to change it; approvals given so far do not count for another text."""
    with act("take back contract", by=by, case=case, reason=reason) as case:
        case_permissions.may_manage(case, by).or_refuse()
        version = case.contract.versions.filter(state="in_review").first() if case.contract_id else None
        if version is None:
            no("No version is with the board.").or_refuse()
        version.state = ContractVersion.DRAFT
        version.save()
        record.record("contract taken back", case=case, number=version.number)
    return version


def approve_contract(*, version: ContractVersion, seat: str, digest: str, by: User) -> ContractVersion:
    """Approve, for a seat, the text whose digest the person saw; with the last seat it comes into force."""
    with act("approve contract", by=by, case=version.contract.initiative.pk) as case:
        version = ContractVersion.objects.select_related("contract").get(pk=version.pk)
        case_permissions.may_approve_contract(case, seat, by).or_refuse()
        book = Rulebook.objects.current().book
        if seat not in book.contract.seats:
            no(
                "The rulebook names other seats for contracts.",
                ", ".join(book.contract.seats).replace("_", " "),
            ).or_refuse()
        if version.state != ContractVersion.IN_REVIEW or version.digest != digest:
            raise Conflict("The contract changed since you opened it.", "Read it again.")
        given = version.approvals.filter(digest=digest)
        if given.filter(seat=seat).exists() or given.filter(person=by).exists():
            raise Conflict("This seat approved it already.")
        ContractApproval(version=version, seat=seat, person=by, digest=digest, at=clock.now()).save()
        record.record("contract approved", case=case, number=version.number, seat=seat, digest=digest)
        if set(version.approvals.filter(digest=digest).values_list("seat", flat=True)) >= set(
            book.contract.seats
        ):
            _put_in_force(case, version, by)
            settle_standing(case)
    return version


def _put_in_force(case: Initiative, version: ContractVersion, by: User) -> None:
    start = clock.now()
    if version.wanted_from and version.wanted_from > clock.today():
        start = clock.midnight_before(version.wanted_from)
    previous = case.contract.versions.filter(state=ContractVersion.IN_FORCE).first()
    if previous is not None:
        previous.state, previous.ends_at = ContractVersion.SUPERSEDED, start
        previous.save()
    version.state, version.starts_at = ContractVersion.IN_FORCE, start
    version.save()
    record.record(
        "contract in force", case=case, number=version.number, digest=version.digest, starts_at=start
    )
    if previous is not None:
        pull(
            case,
            ["contract_version"],
            f"Contract version {previous.number} -> {version.number}",
            by=by,
            effective_at=start,
            outgoing_contract=previous,
            incoming_contract=version,
        )
