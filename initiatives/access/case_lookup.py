"""Lookup of cases and their rows for a person: 404 for whatever they may not see, as for what does not exist."""

from uuid import UUID

import structlog
from django.db.models import QuerySet
from django.http import Http404

from governance.database import row_history
from governance.models import User
from governance.transparency_log.as_of import Opened
from initiatives.access import permissions
from initiatives.models import ApprovalRequest, Evidence, Initiative, Review

log = structlog.get_logger("plumbline.doors")


def case_for(person: User, ref: str) -> Initiative:
    """The case with this reference. Raises Http404 when there is none or the person may not see it; logged."""
    found = with_ref(permissions.visible_to(person).select_related("unit", "contract", "business_case"), ref)
    if found is None:
        log.info("no such initiative for this person", person=person.pk, ref=ref[:20])
        raise Http404("No such initiative, or not yours to see.")
    row_history.concerns(found)
    return found


def with_ref(cases: QuerySet, ref: str) -> Initiative | None:
    """The one of these cases with the reference, as it is written everywhere."""
    number = ref.removeprefix("AI-")
    found = None
    if ref.startswith("AI-") and number.isdecimal() and len(number) < 10:
        found = cases.filter(number=int(number)).first()
    return found if found is not None and found.ref == ref else None


def case_on_any_day(person: User, ref: str, **_) -> Opened:
    """Look back at this case: for its owner, its board and auditors. Raises Http404 to strangers, Refused to others."""
    return _opened(case_for(person, ref), person)


def review_on_any_day(person: User, pk: int) -> Opened:
    """Look back at the case of this review."""
    return _opened(review_for(person, pk).initiative, person)


def sign_off_on_any_day(person: User, pk: int) -> Opened:
    """Look back at the case of this vote."""
    found = _of_visible_case(Review.objects.select_related("initiative__unit"), person, sign_offs=pk)
    return _opened(found.initiative, person)


def portfolio_on_any_day(person: User) -> Opened:
    """Look back at every case one may look back at: all of them for auditors, else the own ones and the boards'."""
    permissions.may_look_back_anywhere(person).or_refuse()
    if person.is_auditor:
        return Opened()
    return Opened(cases=frozenset(permissions.past_visible_to(person).values_list("pk", flat=True)))


def _opened(case: Initiative, person: User) -> Opened:
    permissions.may_look_back(case, person).or_refuse()
    return Opened(case=case, cases=frozenset([case.pk]))


def review_for(person: User, pk: int) -> Review:
    """The review with this key, on a case the person may see. Raises Http404; logged."""
    rows = Review.objects.select_related("initiative__unit", "rulebook", "opened_by", "ended_by")
    return _of_visible_case(rows, person, pk=pk)


def evidence_for(person: User, case: Initiative, pk: int) -> Evidence:
    """An item of evidence of this case. Raises Http404."""
    found = Evidence.objects.filter(initiative=case, pk=pk).first()
    if found is None:
        raise Http404("No such evidence on this initiative.")
    return found


def approval_for(person: User, reference: UUID) -> ApprovalRequest:
    """What a system asked people, on a case that the person may see. Raises Http404; logged."""
    rows = ApprovalRequest.objects.in_words().select_related("initiative__unit", "key", "version", "use")
    return _of_visible_case(rows, person, reference=reference)


def of_case(queryset, person: User, pk: int):
    """A row with an `initiative`, when the person may see that case. Raises Http404; logged."""
    return _of_visible_case(queryset, person, pk=pk)


def _of_visible_case(queryset, person: User, **key: int | UUID):
    found = queryset.filter(**key, initiative__in=permissions.visible_to(person)).first()
    if found is None:
        log.info("no such row for this person", person=person.pk, model=queryset.model.__name__, key=str(key))
        raise Http404("No such thing, or not yours to see.")
    row_history.concerns(found)
    return found
