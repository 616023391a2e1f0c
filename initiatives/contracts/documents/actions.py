"""The contract as a document: clauses by kind, put in force by the seats the rulebook names."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from threading import Lock

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.contracts.cedar_policies import Rule
from governance.contracts.clauses import MOST_CLAUSES, Terms, fingerprint, problems
from governance.contracts.completeness import Gap, gaps
from governance.contracts.wording import sentence
from governance.database.row_history import insert_many
from governance.gates.sign_off_statement import digest
from governance.models import (
    Clause,
    ClauseComment,
    Contract,
    ContractApproval,
    ContractVersion,
    Rulebook,
    User,
    VocabularyWord,
)
from governance.permission_result import Answer, Conflict, Reason, no, yes
from governance.vocabulary import ClauseKind
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.changes.actions import pull
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
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
    return digest(entries.canonical({"number": version.number, "clauses": clauses}).decode())


def save_contract(
    *,
    initiative: Initiative,
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
    with act("save contract", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        version = in_preparation(initiative)
        if edition is not None and edition != (version.edition if version else 0):
            raise Conflict("Somebody saved this draft since you opened it.", "Look at both, and save again.")
        words = say(contract_of(initiative), vocabulary)
        rows = rows_of(clauses, words)
        if version is None:
            version = next_version(initiative, by)
        version.wanted_from = wanted_from
        count_saving(version)
        _write_clauses(version, rows)
        entries.record(
            EntryKind.CONTRACT_WRITTEN,
            initiative=initiative,
            number=version.number,
            clauses=[[row.number, row.kind, row.sentence] for row in version.clauses.order_by("position")],
        )
    return version


def in_preparation(initiative: Initiative) -> ContractVersion | None:
    """The draft of the locked initiative, if there is one. Raises Refused while a version is with the board."""
    if not initiative.contract_id:
        return None
    version = initiative.contract.versions.filter(state__in=["draft", "in_review"]).first()
    if version is not None and version.state == ContractVersion.IN_REVIEW:
        no("This version is with the board.", "Withdraw it to change it.").or_refuse()
    return version


def contract_of(initiative: Initiative) -> Contract:
    """The contract of the locked initiative, which gets its own with the first word of it."""
    if initiative.contract_id is None:
        contract = Contract(title=f"Contract of {initiative.ref}")
        contract.save()
        initiative.contract = contract
        initiative.save()
    return initiative.contract


def next_version(initiative: Initiative, by: User) -> ContractVersion:
    """The version after the newest, as a draft that is not saved yet."""
    last = initiative.contract.versions.order_by("-number").first()
    return ContractVersion(contract=initiative.contract, number=(last.number if last else 0) + 1, author=by)


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
    """The clauses with their sentences. Raises ValidationError that says which one is wrong, and how to fix it."""
    if len(clauses) > MOST_CLAUSES:
        raise ValidationError(f"A contract has at most {MOST_CLAUSES} clauses. Say several things in one.")
    wrong: dict[str, str] = {}
    rows = []
    for place, clause in enumerate(clauses, 1):
        if clause.kind not in ClauseKind:
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


def gaps_of(initiative: Initiative, clauses: Iterable[Clause]) -> list[Gap]:
    """What is missing from these clauses as a whole, or wrong among them, for the people of the initiative today."""
    clauses = list(clauses)
    roles = {row.role: row.person.full_name for row in initiative_rows.roles(initiative) if row.in_force}
    required = tuple(Rulebook.objects.current().parsed.contract.required_clauses)
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


def link_of_gap(initiative: Initiative, gap: Gap) -> str:
    """Where a gap is fixed: at its first clause, at the people where the audit log has no owner, else in the editor."""
    if gap.numbers:
        return reverse("clause-edit", args=[initiative.ref, gap.numbers[0]])
    if "record_owner" in gap.code:
        return f"{reverse('role-propose', args=[initiative.ref])}?role=record_owner"
    return reverse("contract-edit", args=[initiative.ref])


def complete(initiative: Initiative, clauses: Iterable[Clause]) -> Answer:
    """Whether these clauses may go to the board; otherwise no, with every gap that stands in the way."""
    blocking = [gap for gap in gaps_of(initiative, clauses) if gap.blocking]
    return Answer(
        not blocking, tuple(Reason(gap.words, gap.fix, link_of_gap(initiative, gap)) for gap in blocking)
    )


def propose_contract(*, initiative: Initiative, by: User) -> ContractVersion:
    """Send the draft to the seats that put contracts in force. Raises Refused with everything that is missing."""
    with act("propose contract", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        version = (
            initiative.contract.versions.filter(state="draft").first() if initiative.contract_id else None
        )
        if version is None:
            no("There is no draft.", "Write one first.").or_refuse()
        complete(initiative, version.clauses.all()).or_refuse()
        version.state, version.digest = ContractVersion.IN_REVIEW, contract_digest(version)
        version.save()
        entries.record(
            EntryKind.CONTRACT_PROPOSED, initiative=initiative, number=version.number, digest=version.digest
        )
    return version


def withdraw_contract(*, initiative: Initiative, reason: str = "", by: User) -> ContractVersion:
    """Take a version back from the board to change it; approvals given so far do not count for another text."""
    with act("withdraw contract", by=by, initiative=initiative, reason=reason) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        version = (
            initiative.contract.versions.filter(state="in_review").first() if initiative.contract_id else None
        )
        if version is None:
            no("No version is with the board.").or_refuse()
        version.state = ContractVersion.DRAFT
        version.save()
        entries.record(EntryKind.CONTRACT_WITHDRAWN, initiative=initiative, number=version.number)
    return version


def approve_contract(*, version: ContractVersion, seat: str, digest: str, by: User) -> ContractVersion:
    """Approve, for a seat, the text whose digest the person saw; with the last seat it comes into force.

    An objection of the same seat is withdrawn by it. Raises Refused while it is somebody else's to withdraw.
    """
    with act("approve contract", by=by, initiative=version.contract.initiative.pk) as initiative:
        version = version_to_sign(initiative, version, seat=seat, digest=digest, by=by)
        given = version.approvals.filter(digest=digest)
        if given.filter(seat=seat).exists() or given.filter(person=by).exists():
            raise Conflict("This seat approved it already.")
        for objection in version.contract.comments.objections().filter(seat=seat).select_related("by"):
            may_withdraw_objection(initiative, objection, by).or_refuse()
            resolve_objection(initiative, objection, by)
        ContractApproval(version=version, seat=seat, person=by, digest=digest, at=clock.now()).save()
        entries.record(
            EntryKind.CONTRACT_APPROVED,
            initiative=initiative,
            number=version.number,
            seat=seat,
            digest=digest,
        )
        wanted = Rulebook.objects.current().parsed.contract.seats
        if set(version.approvals.filter(digest=digest).values_list("seat", flat=True)) >= set(wanted):
            if other := version.contract.comments.objections().select_related("by").first():
                no(f"{other.by} objects to the contract.", "The objection is withdrawn first.").or_refuse()
            _put_in_force(initiative, version, by)
            rewrite_supported_stage(initiative)
    return version


def version_to_sign(
    initiative: Initiative, version: ContractVersion, *, seat: str, digest: str, by: User
) -> ContractVersion:
    """The version as it stands under the lock of its initiative, which the person may sign for this seat.

    Raises Refused, and Conflict where the text is no longer the one whose `digest` the person saw.
    """
    version = ContractVersion.objects.select_related("contract").get(pk=version.pk)
    initiative_permissions.may_approve_contract(initiative, seat, by).or_refuse()
    wanted = Rulebook.objects.current().parsed.contract.seats
    if seat not in wanted:
        names = ", ".join(wanted).replace("_", " ")
        no("The rulebook names other seats for contracts.", names).or_refuse()
    if version.state != ContractVersion.IN_REVIEW or version.digest != digest:
        raise Conflict("The contract changed since you opened it.", "Read it again.")
    return version


def may_withdraw_objection(initiative: Initiative, objection: ClauseComment, person: User) -> Answer:
    """Withdraw an objection: whoever gave it; once they no longer hold the seat, whoever holds it."""
    if objection.by_id == person.pk:
        return yes()
    if initiative_permissions.holds_seat(initiative, objection.by, objection.seat):
        return no(f"Only {objection.by} withdraws this objection.", "Answer it, or change the text.")
    return initiative_permissions.may_approve_contract(initiative, objection.seat, person)


def resolve_objection(initiative: Initiative, objection: ClauseComment, by: User) -> None:
    """Write down that an objection no longer stands, within the act that ends it."""
    objection.resolved_at, objection.resolved_by = clock.now(), by
    objection.save()
    entries.record(
        EntryKind.CONTRACT_OBJECTION_WITHDRAWN,
        initiative=initiative,
        clause=objection.number,
        seat=objection.seat,
        text=objection.text,
    )


def _put_in_force(initiative: Initiative, version: ContractVersion, by: User) -> None:
    start = clock.now()
    if version.wanted_from and version.wanted_from > clock.today():
        start = clock.midnight_before(version.wanted_from)
    previous = initiative.contract.versions.filter(state=ContractVersion.IN_FORCE).first()
    if previous is not None:
        previous.state, previous.ends_at = ContractVersion.SUPERSEDED, start
        previous.save()
    version.state, version.starts_at = ContractVersion.IN_FORCE, start
    version.save()
    entries.record(
        EntryKind.CONTRACT_IN_FORCE,
        initiative=initiative,
        number=version.number,
        digest=version.digest,
        starts_at=start,
    )
    if previous is not None:
        pull(
            initiative,
            ["contract_version"],
            f"Contract version {previous.number} -> {version.number}",
            by=by,
            effective_at=start,
            outgoing_contract=previous,
            incoming_contract=version,
        )
