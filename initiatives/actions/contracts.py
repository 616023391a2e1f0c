"""The contract as a document: clauses by kind, put in force by the seats the rulebook names."""

from datetime import date

from django.core.exceptions import ValidationError

from governance import clock, ledger
from governance.answers import Conflict, no
from governance.models import Clause, Contract, ContractApproval, ContractVersion, Rulebook, User
from governance.models.contracts import CLAUSE_KINDS
from governance.statements import digest
from initiatives import permissions
from initiatives.actions.base import act, settle_standing
from initiatives.models import Initiative


def contract_digest(version: ContractVersion) -> str:
    """SHA-256 over the canonical form of a version's number and clauses, in order."""
    clauses = [[clause.kind, clause.sentence] for clause in version.clauses.all()]
    return digest(ledger.canonical({"number": version.number, "clauses": clauses}).decode())


def save_contract(
    *, case: Initiative, clauses: list[tuple[str, str]], wanted_from: date | None = None, by: User
) -> ContractVersion:
    """Write the draft of the next version: (kind, sentence) in order. The version in force stays as it is."""
    wrong = {}
    if any(kind not in CLAUSE_KINDS for kind, _ in clauses):
        wrong["kind"] = "Choose a kind for each clause."
    if any(not sentence.strip() for _, sentence in clauses):
        wrong["sentence"] = "Write each clause as a sentence that can be read aloud."
    if wanted_from is not None and wanted_from < clock.today():
        wrong["wanted_from"] = "A contract does not start in the past."
    if wrong:
        raise ValidationError(wrong)
    with act("save contract", by=by, case=case) as case:
        permissions.may_manage(case, by).or_refuse()
        if case.contract_id is None:
            contract = Contract(title=f"Contract of {case.ref}")
            contract.save()
            case.contract = contract
            case.save()
        version = case.contract.versions.filter(state__in=["draft", "in_review"]).first()
        if version is not None and version.state == ContractVersion.IN_REVIEW:
            no("This version is with the board.", "Take it back to change it.").or_refuse()
        if version is None:
            last = case.contract.versions.order_by("-number").first()
            version = ContractVersion(
                contract=case.contract,
                number=(last.number if last else 0) + 1,
                author=by,
                written_at=clock.now(),
            )
        version.written_at, version.wanted_from = clock.now(), wanted_from
        version.save()
        for old in version.clauses.all():
            old.delete()
        for position, (kind, sentence) in enumerate(clauses):
            Clause(version=version, kind=kind, sentence=sentence.strip(), position=position).save()
        ledger.record(
            "contract written", case=case, number=version.number, clauses=[list(clause) for clause in clauses]
        )
    return version


def propose_contract(*, case: Initiative, by: User) -> ContractVersion:
    """Send the draft to the seats that put contracts in force. Raises Refused with what is missing."""
    with act("propose contract", by=by, case=case) as case:
        permissions.may_manage(case, by).or_refuse()
        version = case.contract.versions.filter(state="draft").first() if case.contract_id else None
        if version is None:
            no("There is no draft.", "Write one first.").or_refuse()
        book = Rulebook.objects.current().book
        kinds = set(version.clauses.values_list("kind", flat=True))
        missing = [CLAUSE_KINDS[kind] for kind in book.contract.required_clauses if kind not in kinds]
        if missing:
            no(f"Clauses are missing: {'; '.join(missing)}.", "Add one of each kind.").or_refuse()
        if permissions.accepted(case, "record_owner") is None:
            no(
                "Nobody accepted to own the change log and the audit trail.",
                "Propose a record owner; they accept in person.",
            ).or_refuse()
        version.state, version.digest = ContractVersion.IN_REVIEW, contract_digest(version)
        version.save()
        ledger.record("contract proposed", case=case, number=version.number, digest=version.digest)
    return version


def take_back_contract(*, case: Initiative, reason: str = "", by: User) -> ContractVersion:
    """Take a version back from the board to change it; approvals given so far do not count for another text."""
    with act("take back contract", by=by, case=case, reason=reason) as case:
        permissions.may_manage(case, by).or_refuse()
        version = case.contract.versions.filter(state="in_review").first() if case.contract_id else None
        if version is None:
            no("No version is with the board.").or_refuse()
        version.state = ContractVersion.DRAFT
        version.save()
        ledger.record("contract taken back", case=case, number=version.number)
    return version


def approve_contract(*, version: ContractVersion, seat: str, digest: str, by: User) -> ContractVersion:
    """Approve, for a seat, the text whose digest the person saw; with the last seat it comes into force."""
    with act("approve contract", by=by, case=version.contract.initiative.pk) as case:
        version = ContractVersion.objects.select_related("contract").get(pk=version.pk)
        permissions.may_approve_contract(case, seat, by).or_refuse()
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
        ledger.record("contract approved", case=case, number=version.number, seat=seat, digest=digest)
        if set(version.approvals.filter(digest=digest).values_list("seat", flat=True)) >= set(
            book.contract.seats
        ):
            _put_in_force(case, version, by)
            settle_standing(case)
    return version


def _put_in_force(case: Initiative, version: ContractVersion, by: User) -> None:
    from initiatives.actions.changes import pull

    start = clock.now()
    if version.wanted_from and version.wanted_from > clock.today():
        start = clock.midnight_before(version.wanted_from)
    previous = case.contract.versions.filter(state=ContractVersion.IN_FORCE).first()
    if previous is not None:
        previous.state, previous.ends_at = ContractVersion.SUPERSEDED, start
        previous.save()
    version.state, version.starts_at = ContractVersion.IN_FORCE, start
    version.save()
    ledger.record(
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
