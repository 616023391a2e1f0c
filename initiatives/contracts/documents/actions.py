"""Acts on the contract as a document: clauses by kind, approved by seats."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from threading import Lock

from django.core.exceptions import ValidationError
from django.db.models import Max, Q
from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.contracts.cedar_policies import Rule
from governance.contracts.clauses import MOST_CLAUSES, Terms, fingerprint, problems
from governance.contracts.completeness import Gap, gaps
from governance.contracts.wording import sentence
from governance.database.row_history import insert_many
from governance.gates.separation_of_duties import RestsOn
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
from governance.vocabulary import ClauseKind, Seat
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.contracts.documents import permissions as contract_permissions
from initiatives.contributions import Contribution
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.access.signers import accounts_of, eligible_signers_of
from initiatives.lifecycle.changes.actions import pull
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.lifecycle.requirements.several.contract_answers import answer_by_contract
from initiatives.lifecycle.roles.actions import ask_record_owner, owner_keeps_records
from initiatives.models import Initiative

# What the check found is kept by everything that it looks at: for a long contract it takes as long as its page.
MOST_KEPT = 20
_keeping = Lock()
_found: dict[tuple, list[Gap]] = {}


@dataclass(frozen=True)
class Written:
    """One clause as its author wrote it. `number` is that of the replaced clause, or None.

    A sentence made from the terms goes first. `sentence` is for kinds and terms that make none.
    """

    kind: str
    sentence: str = ""
    terms: Terms = field(default_factory=Terms)
    number: int | None = None


def contract_digest(version: ContractVersion) -> str:
    """Return the SHA-256 of the canonical form of a version's number and clauses."""
    clauses = [
        [clause.number, clause.kind, clause.sentence, clause.terms]
        for clause in version.clauses.order_by("position", "id")
    ]
    return digest(entries.canonical({"number": version.number, "clauses": clauses}).decode())


def check_start(initiative: Initiative, wanted_from: date | None) -> None:
    """Raise ValidationError if a version would start in the past, or before the version that it replaces."""
    if wanted_from is None:
        return
    if wanted_from < clock.today():
        raise ValidationError(
            {"wanted_from": "The start of the contract is in the past. Choose today or later."}
        )
    former = _in_force(initiative)
    if former is not None and wanted_from < clock.local_day(former.starts_at):
        start = clock.local_day(former.starts_at)
        raise ValidationError(
            {
                "wanted_from": phrase(
                    "Version {} of the contract starts on {}. Choose that day or a later day.",
                    former.number,
                    start,
                )
            }
        )


def _in_force(initiative: Initiative) -> ContractVersion | None:
    """Return the version that no other replaces yet. It may start later."""
    if initiative.contract_id is None:
        return None
    return initiative.contract.versions.filter(state=ContractVersion.IN_FORCE).first()


def save_contract(
    *,
    initiative: Initiative,
    clauses: list[Written],
    vocabulary: list[tuple[str, str, str]] = (),
    wanted_from: date | None = None,
    edition: int | None = None,
    by: User,
) -> ContractVersion:
    """Write the clauses of the next version's draft. The version in force stays as it is.

    The argument `vocabulary` has (kind, key, words) of new or changed words. `edition` is that of the edited draft.
    Raises Conflict if someone saved another edition since.
    """
    with act("save contract", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        check_start(initiative, wanted_from)
        version = in_preparation(initiative)
        if edition is not None and edition != (version.edition if version else 0):
            raise Conflict(
                "Someone saved this draft after you opened it.", "Compare the two versions, then save again."
            )
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
    """Return the draft of the locked initiative, or None. Raises Refused while a version is with the board."""
    if not initiative.contract_id:
        return None
    version = initiative.contract.versions.filter(state__in=["draft", "in_review"]).first()
    if version is not None and version.state == ContractVersion.IN_REVIEW:
        no("This version is with the board.", "Withdraw the version to change it.").or_refuse()
    return version


def contract_of(initiative: Initiative) -> Contract:
    """Return the contract of the locked initiative, and create one if it has none."""
    if initiative.contract_id is None:
        contract = Contract(title=f"Contract of {initiative.ref}")
        contract.save()
        initiative.contract = contract
        initiative.save()
    return initiative.contract


def next_version(initiative: Initiative, by: User) -> ContractVersion:
    """Return the version after the newest, as an unsaved draft."""
    last = initiative.contract.versions.order_by("-number").first()
    return ContractVersion(contract=initiative.contract, number=(last.number if last else 0) + 1, author=by)


def count_saving(version: ContractVersion) -> None:
    """Save the draft as changed now."""
    version.written_at = clock.now()
    version.edition += 1
    version.save()


def say(contract: Contract, vocabulary: list[tuple[str, str, str]]) -> dict[str, str]:
    """Add to the contract's vocabulary, and return all words by key. Raises ValidationError."""
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
    """Return the clauses with their sentences. Raises ValidationError with each wrong clause and its fix."""
    if len(clauses) > MOST_CLAUSES:
        raise ValidationError(
            phrase("A contract can have at most {} clauses. Combine some clauses.", MOST_CLAUSES)
        )
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
            wrong["sentence"] = "Write each clause as a complete sentence."
        rows.append(replace(clause, sentence=said))
    if wrong:
        raise ValidationError(wrong)
    return rows


def last_number(contract: Contract) -> int:
    """Return the highest clause number that the contract ever had. Numbers are not given again."""
    known = Clause.history.model.objects.filter(version__contract=contract.pk)
    return known.aggregate(most=Max("number"))["most"] or 0


def said_by(row: Written) -> dict:
    """Return the fields of a clause's row for what was written."""
    return {
        "kind": row.kind,
        "sentence": row.sentence,
        "terms": row.terms.stored(),
        "fingerprint": fingerprint(row.kind, row.sentence, row.terms),
    }


def _write_clauses(version: ContractVersion, rows: list[Written]) -> None:
    """Replace the draft's clauses by these. A clause that reads the same keeps its row."""
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
    """Return the gaps in these clauses as a whole, for the initiative's people today."""
    clauses = list(clauses)
    roles = {row.role: row.person.full_name for row in initiative_rows.roles(initiative) if row.in_force}
    required = tuple(Rulebook.objects.current().parsed.contract.required_clauses)
    said = tuple((one.number, one.fingerprint) for one in clauses)
    # A draft may be sent beside a first tier. The act that confirms a tier asks for the role that is missing.
    keeps = owner_keeps_records(initiative, initiative.tier or initiative.proposed_tier)
    key = (said, tuple(sorted(roles.items())), required, clock.today(), keeps)
    found = _found.get(key)
    if found is None:
        rules = [Rule(one.number, one.kind, one.said, one.sentence) for one in clauses]
        found = gaps(rules, roles, required, clock.today(), keeps)
        with _keeping:
            while len(_found) >= MOST_KEPT:
                del _found[next(iter(_found))]
            _found[key] = found
    return found


def link_of_gap(initiative: Initiative, gap: Gap) -> str:
    """Return the address that fixes a gap: a clause, a proposed role, or the editor."""
    if gap.numbers:
        return reverse("clause-edit", args=[initiative.ref, gap.numbers[0]])
    if "record_owner" in gap.code:
        return f"{reverse('initiative-act', args=[initiative.ref, 'role-propose'])}?role=record_owner"
    return reverse("contract-edit", args=[initiative.ref])


def complete(initiative: Initiative, clauses: Iterable[Clause]) -> Answer:
    """Return a yes if the clauses may go to the board, else a no with blocking gaps."""
    blocking = [gap for gap in gaps_of(initiative, clauses) if gap.blocking]
    return Answer(
        not blocking, tuple(Reason(gap.words, gap.fix, link_of_gap(initiative, gap)) for gap in blocking)
    )


def propose_contract(*, initiative: Initiative, by: User) -> ContractVersion:
    """Send the draft to the seats that approve contracts. Raises Refused with everything that is missing."""
    with act("propose contract", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        version = (
            initiative.contract.versions.filter(state="draft").first() if initiative.contract_id else None
        )
        if version is None:
            no("This contract has no draft.", "First write a draft.").or_refuse()
        complete(initiative, version.clauses.all()).or_refuse()
        version.state, version.digest = ContractVersion.IN_REVIEW, contract_digest(version)
        version.save()
        entries.record(
            EntryKind.CONTRACT_PROPOSED, initiative=initiative, number=version.number, digest=version.digest
        )
    return version


def withdraw_contract(*, initiative: Initiative, reason: str = "", by: User) -> ContractVersion:
    """Take a version back from the board to change it. Its approvals do not count for another text."""
    with act("withdraw contract", by=by, initiative=initiative, reason=reason) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        version = (
            initiative.contract.versions.filter(state="in_review").first() if initiative.contract_id else None
        )
        if version is None:
            no("No version is with the board. Open the contract to see its state.").or_refuse()
        version.state = ContractVersion.DRAFT
        version.save()
        entries.record(EntryKind.CONTRACT_WITHDRAWN, initiative=initiative, number=version.number)
    return version


def end_contract(initiative: Initiative, why: str, *, with_obligations: bool = True, by: User) -> None:
    """End the version in force, and take a version back from the board, inside the act that ends the initiative.

    Requests for the approval of calls expire with their version. `with_obligations` and `by` change nothing: a
    contract that ends leaves nothing to close.
    """
    if initiative.contract_id is None:
        return
    now = clock.now()
    left = initiative.contract.versions.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=now))
    for version in left.exclude(state=ContractVersion.DRAFT):
        if version.state == ContractVersion.IN_REVIEW:
            version.state, kind = ContractVersion.DRAFT, EntryKind.CONTRACT_WITHDRAWN
        else:
            version.state, kind = ContractVersion.SUPERSEDED, EntryKind.CONTRACT_ENDED
            version.ends_at = max(now, version.starts_at or now)
        version.save()
        entries.record(kind, initiative=initiative, number=version.number, why=why)


def approve_contract(*, version: ContractVersion, seat: str, digest: str, by: User) -> ContractVersion:
    """Approve the text with this digest for a seat. The last seat puts it in force.

    The approvals of the other seats count if their givers may still give them. The act withdraws an objection of the
    same seat. Raises Refused if only someone else may withdraw it.
    """
    with act("approve contract", by=by, initiative=version.contract.initiative.pk) as initiative:
        version = version_to_sign(initiative, version, seat=seat, digest=digest, by=by)
        counting = counting_approvals(initiative, version)
        if seat in counting:
            raise Conflict("This seat has already approved this version.")
        if accounts_of(by) & {row.person_id for row in counting.values()}:
            raise Conflict("You have already approved this version for a different seat.")
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
        if {seat, *counting} >= set(wanted):
            if other := version.contract.comments.objections().select_related("by").first():
                no(
                    phrase("{} objects to the contract.", other.by),
                    phrase("Ask {} to withdraw the objection first.", other.by),
                ).or_refuse()
            _put_in_force(initiative, version, by)
            rewrite_supported_stage(initiative)
    return version


def newest_approvals(version: ContractVersion) -> list[ContractApproval]:
    """Return the newest approval of the text of this version by each seat, counting or not."""
    rows = version.approvals.filter(digest=version.digest).select_related("person").order_by("pk")
    return list({row.seat: row for row in rows}.values())


def why_lapsed(
    initiative: Initiative, version: ContractVersion, approvals: Iterable[ContractApproval]
) -> dict[str, list[str]]:
    """Return by seat why these approvals of the version do not count now. An empty list means that one counts."""
    signers = eligible_signers_of(initiative)
    wrote = RestsOn(contract_authors=frozenset({version.author_id}))
    return {row.seat: signers.why_lapsed(row.person, (row.seat,), row.at, wrote) for row in approvals}


def counting_approvals(initiative: Initiative, version: ContractVersion) -> dict[str, ContractApproval]:
    """Return by seat the approvals of the text of this version that count now."""
    rows = newest_approvals(version)
    lapsed = why_lapsed(initiative, version, rows)
    return {row.seat: row for row in rows if not lapsed[row.seat]}


def version_to_sign(
    initiative: Initiative, version: ContractVersion, *, seat: str, digest: str, by: User
) -> ContractVersion:
    """Return the version, read under the lock, if the person may sign for the seat.

    Raises Refused, and Conflict if the text no longer has this `digest`.
    """
    version = ContractVersion.objects.select_related("contract").get(pk=version.pk)
    contract_permissions.may_approve_contract(initiative, seat, by).or_refuse()
    wanted = Rulebook.objects.current().parsed.contract.seats
    if seat not in wanted:
        names = " and ".join(Seat.word(one).lower() for one in wanted)
        no(
            "The rulebook does not name this seat for contracts.", phrase("Ask {} to sign.", names)
        ).or_refuse()
    if version.state != ContractVersion.IN_REVIEW or version.digest != digest:
        raise Conflict("The contract changed after you opened it.", "Read the contract again.")
    return version


def may_withdraw_objection(initiative: Initiative, objection: ClauseComment, person: User) -> Answer:
    """Return whether the person may withdraw, as its author or a later seat holder."""
    if objection.by_id == person.pk:
        return yes()
    if roles_and_seats.holds_seat(initiative, objection.by, objection.seat):
        return no(
            phrase("Only {} can withdraw this objection.", objection.by),
            "Answer the objection, or change the text.",
        )
    return contract_permissions.may_approve_contract(initiative, objection.seat, person)


def resolve_objection(initiative: Initiative, objection: ClauseComment, by: User) -> None:
    """Resolve an objection within the act that ends it, and record this."""
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
    previous = _in_force(initiative)
    if previous is not None:
        start = max(
            start, previous.starts_at or start
        )  # a version that starts later is replaced from its start
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
    answer_by_contract(initiative, version, previous)
    ask_record_owner(initiative, "The contract is in force, but the audit trail has no owner.")


CONTRIBUTION = Contribution(enders=[end_contract])
