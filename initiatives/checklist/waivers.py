"""Waivers: asked for by the owner, agreed to by the chair and the risk seat, for at most 90 days.

See docs/domain.md, invariant 12.
"""

from datetime import date, timedelta

from django.core.exceptions import ValidationError

from governance import clock
from governance.gates.separation_of_duties import said
from governance.ledger import record
from governance.models import Rulebook, User
from governance.people import cooling_off
from governance.permission_result import Answer, Conflict, no, yes
from governance.vocabulary import BoardRole
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.access import permissions as case_permissions
from initiatives.access.signers import accounts_of
from initiatives.cases.act import act, settle_standing
from initiatives.models import Initiative, Waiver


def request_waiver(*, case: Initiative, key: str, reason: str, until: date, by: User) -> Waiver:
    """Ask that a criterion or requirement is not asked for until a day. Scale tests are never waived.

    See docs/domain.md, invariant 10.
    """
    with act("request waiver", by=by, case=case, reason=reason) as case:
        case_permissions.may_manage(case, by).or_refuse()
        book = Rulebook.objects.current().book
        wrong = {}
        waivable = (key in book.criteria and book.waivable_criterion(key)) or (
            key in book.requirements and book.waivable_requirement(key)
        )
        if not waivable:
            wrong["key"] = "The rulebook does not allow this to be waived."
        if not reason.strip():
            wrong["reason"] = "Say why it cannot be shown now, and what is done instead."
        longest = clock.today() + timedelta(days=book.freshness.waiver_max_days)
        if until is None or until <= clock.today() or until > longest:
            wrong["until"] = f"Choose a day after today and not after {longest:%-d %B %Y}."
        before = case.waivers.filter(
            key=key, chair_at__isnull=False, risk_at__isnull=False, refused_at__isnull=True
        )
        pause = timedelta(days=book.freshness.waiver_max_days)
        if any(waiver.until + pause >= clock.today() for waiver in before):
            wrong["key"] = (
                "It was waived before, and a waiver does not run twice in a row. It has to be shown now."
            )
        if _running(case) >= book.waivers_max:
            wrong["key"] = (
                f"It carries {book.waivers_max} waivers already, and no initiative carries more at once. Show "
                f"one of them, "
                "or let it run out."
            )
        if wrong:
            raise ValidationError(wrong)
        if case.waivers.filter(key=key, refused_at__isnull=True, until__gte=clock.today()).exists():
            raise Conflict("A waiver for this is asked for already.")
        for lapsed in case.waivers.filter(key=key, refused_at__isnull=True, until__lt=clock.today()):
            if lapsed.granted_at is None:
                # Nobody answered it in its time: it makes room for this one.
                lapsed.refused_at = clock.now()
                lapsed.save()
                record.record(EntryKind.WAIVER_LAPSED, case=case, key=key, until=lapsed.until)
        waiver = Waiver(
            initiative=case,
            key=key,
            reason=reason.strip(),
            requested_by=by,
            requested_at=clock.now(),
            until=until,
        )
        waiver.save()
        record.record(EntryKind.WAIVER_REQUESTED, case=case, key=key, until=until, why=waiver.reason)
    return waiver


def _running(case: Initiative) -> int:
    """Waivers that run or are asked for: each takes one of the places that the rulebook gives."""
    return case.waivers.filter(refused_at__isnull=True, until__gte=clock.today()).count()


# The seats that agree in each of the two parts.
SEATS_OF_PART = {"chair": (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR), "risk seat": ("risk_compliance",)}


def part_of(waiver: Waiver, case: Initiative, person: User) -> tuple[str, Answer]:
    """In which of the two parts a person can agree now, "" for neither, and the answer that says why not.

    Raises Conflict where the request was refused or has run out.
    """
    if waiver.refused_at or waiver.until < clock.today():
        raise Conflict("This request was refused or has run out.")
    if reasons := case_permissions.barred_from_signing(case, person, now=True):
        return "", no(said(reasons), "A waiver is never for its own beneficiary.")
    if (
        waiver.chair_id is None
        and waiver.risk_id not in accounts_of(person)
        and case_permissions.is_acting_chair(case, person)
    ):
        return "chair", yes()
    if (
        waiver.risk_id is None
        and waiver.chair_id not in accounts_of(person)
        and case_permissions.holds_seat(case, person, "risk_compliance")
    ):
        return "risk seat", yes()
    return "", no("A waiver needs the chair and the risk seat, each once.")


def agree_to_waiver(*, waiver: Waiver, by: User) -> Waiver:
    """Agree as chair or as risk seat; it runs once both have agreed. Nobody on the case agrees to its waiver."""
    with act("agree to waiver", by=by, case=waiver.initiative_id) as case:
        waiver = Waiver.objects.get(pk=waiver.pk)
        part, may = part_of(waiver, case, by)
        may.or_refuse()
        if part == "chair":
            waiver.chair, waiver.chair_at = by, clock.now()
        else:
            waiver.risk, waiver.risk_at = by, clock.now()
        memberships = case_permissions.memberships_on(case, by, SEATS_OF_PART[part])
        cooling_off.may_lift(by, memberships).or_refuse()
        waiver.save()
        record.record(
            EntryKind.WAIVER_AGREED,
            case=case,
            key=waiver.key,
            until=waiver.until,
            runs=waiver.granted_at is not None,
        )
        if waiver.granted_at:
            settle_standing(case)
    return waiver


def refuse_waiver(*, waiver: Waiver, reason: str, by: User) -> Waiver:
    """Refuse a request as chair or as risk seat."""
    with act("refuse waiver", by=by, case=waiver.initiative_id, reason=reason) as case:
        waiver = Waiver.objects.get(pk=waiver.pk)
        if waiver.refused_at or waiver.granted_at:
            raise Conflict("This request was answered already.")
        if not (
            case_permissions.is_acting_chair(case, by)
            or case_permissions.holds_seat(case, by, "risk_compliance")
        ):
            no("Only the chair or the risk seat refuses a waiver.").or_refuse()
        waiver.refused_at, waiver.refused_by = clock.now(), by
        waiver.save()
        record.record(EntryKind.WAIVER_REFUSED, case=case, key=waiver.key)
    return waiver
