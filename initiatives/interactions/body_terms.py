"""A shorter time for what was said: asked for by the owner, signed by the risk seat and by an auditor, until a day.

What was said to the systems of a case is kept for 730 days. A law may ask for less: never under 183 days, only with the
legal basis in words, and only as long as two people have signed it, neither of whom asked or is party to the case.
"""

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from governance import clock
from governance.gates.separation_of_duties import said
from governance.ledger import record
from governance.models import User
from governance.people import cooling_off
from governance.permission_result import Answer, Conflict, no, yes
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.access import permissions as case_permissions
from initiatives.access.signers import accounts_of
from initiatives.cases.act import act
from initiatives.models import BodyTerm, Initiative

RISK, AUDITOR = "risk seat", "auditor"


def running_on(day: date) -> QuerySet[BodyTerm]:
    """Those that both have signed and that have not ended."""
    return BodyTerm.objects.filter(
        risk_at__isnull=False, auditor_at__isnull=False, refused_at__isnull=True, until__gte=day
    )


def days_on(day: date) -> dict[int, int]:
    """By number of the case, for how many days what was said is kept on that day, where that is less than usual."""
    found: dict[int, int] = {}
    for number, days in running_on(day).values_list("initiative__number", "days"):
        found[number] = min(days, found.get(number, days))
    return found


def request_term(*, case: Initiative, days: int, legal_basis: str, until: date, by: User) -> BodyTerm:
    """Ask that bodies are kept for so many days only. Raises ValidationError, Refused, Conflict."""
    with act("request body term", by=by, case=case, reason=legal_basis) as case:
        case_permissions.may_manage(case, by).or_refuse()
        today, wrong = clock.today(), {}
        if not BodyTerm.LEAST <= days <= BodyTerm.MOST:
            wrong["days"] = f"Choose from {BodyTerm.LEAST} to {BodyTerm.MOST} days."
        if not legal_basis.strip():
            wrong["legal_basis"] = "Name the law that asks for less, and why it applies here."
        longest = today + timedelta(days=BodyTerm.LONGEST)
        if until is None or not today < until <= longest:
            wrong["until"] = f"Choose a day after today and not after {longest:%-d %B %Y}."
        if wrong:
            raise ValidationError(wrong)
        for row in case.body_terms.filter(refused_at__isnull=True):
            if row.signed_at is not None:
                continue
            if row.until >= today:
                raise Conflict("A shorter time is asked for already.")
            # Nobody answered it in its time: it makes room for this one.
            row.refused_at = clock.now()
            row.save()
        term = BodyTerm(
            initiative=case,
            days=days,
            legal_basis=legal_basis.strip(),
            requested_by=by,
            requested_at=clock.now(),
            until=until,
        )
        term.save()
        record.record(
            EntryKind.BODY_TERM_REQUESTED, case=case, days=days, until=until, basis=term.legal_basis
        )
    return term


def part_of(term: BodyTerm, case: Initiative, person: User) -> tuple[str, Answer]:
    """In which of the two parts a person can sign now, "" for neither, and the answer that says why not.

    Raises Conflict where the request was answered or has run out.
    """
    if term.refused_at or term.until < clock.today():
        raise Conflict("This request was refused or has run out.")
    if reasons := case_permissions.barred_from_signing(case, person, now=True):
        return "", no(said(reasons), "It is never signed by its own beneficiary.")
    if not {term.requested_by_id, term.risk_id, term.auditor_id} & accounts_of(person):
        if term.risk_id is None and case_permissions.holds_seat(case, person, "risk_compliance"):
            return RISK, yes()
        if term.auditor_id is None and person.is_active and person.is_auditor:
            return AUDITOR, yes()
    return "", no("A shorter time needs the risk seat and an auditor, each once.")


def sign_term(*, term: BodyTerm, by: User) -> BodyTerm:
    """Sign as risk seat or as auditor; it runs once both have."""
    with act("sign body term", by=by, case=term.initiative_id) as case:
        term = BodyTerm.objects.get(pk=term.pk)
        part, may = part_of(term, case, by)
        may.or_refuse()
        seats = []
        if part == RISK:
            seats = case_permissions.memberships_on(case, by, ("risk_compliance",))
            term.risk, term.risk_at = by, clock.now()
        else:
            term.auditor, term.auditor_at = by, clock.now()
        cooling_off.may_lift(by, seats).or_refuse()
        term.save()
        record.record(
            EntryKind.BODY_TERM_SIGNED,
            case=case,
            days=term.days,
            until=term.until,
            part=part,
            basis=term.legal_basis,
            runs=term.signed_at is not None,
        )
    return term


def refuse_term(*, term: BodyTerm, reason: str, by: User) -> BodyTerm:
    """Refuse a request as risk seat or as auditor."""
    with act("refuse body term", by=by, case=term.initiative_id, reason=reason) as case:
        term = BodyTerm.objects.get(pk=term.pk)
        if term.refused_at or term.signed_at:
            raise Conflict("This request was answered already.")
        if not (case_permissions.holds_seat(case, by, "risk_compliance") or (by.is_active and by.is_auditor)):
            no("Only the risk seat or an auditor refuses a shorter time.").or_refuse()
        term.refused_at, term.refused_by = clock.now(), by
        term.save()
        record.record(EntryKind.BODY_TERM_REFUSED, case=case, days=term.days)
    return term
