"""Lookup of initiatives and their rows for a person. Rows that the person may not see raise Http404."""

from operator import attrgetter
from typing import Any
from uuid import UUID

import structlog
from django.db.models import QuerySet
from django.http import Http404

from governance.database import row_history
from governance.models import User
from governance.transparency_log.as_of import Opened
from initiatives.lifecycle.access import visibility
from initiatives.models import ApprovalRequest, Evidence, Initiative, Review

log = structlog.get_logger("plumbline.doors")


def initiative_for(person: User, ref: str) -> Initiative:
    """Return the initiative with this reference. Raises Http404, and logs it, if it is missing or hidden."""
    found = with_ref(visibility.visible_to(person).select_related("unit", "contract", "business_case"), ref)
    if found is None:
        log.info("initiative not found for this person", person=person.pk, ref=ref[:20])
        raise Http404("This initiative does not exist, or you cannot see it.")
    row_history.concerns(found)
    return found


def with_ref(initiatives: QuerySet, ref: str) -> Initiative | None:
    """Return the initiative among these that has the reference."""
    number = ref.removeprefix("AI-")
    found = None
    if ref.startswith("AI-") and number.isdecimal() and len(number) < 10:
        found = initiatives.filter(number=int(number)).first()
    return found if found is not None and found.ref == ref else None


def initiative_on_any_day(person: User, ref: str, **_) -> Opened:
    """Return an initiative for looking back by its owner, board or an auditor.

    Raises Http404 if the person may not see the initiative, Refused if they may not look back.
    """
    return _opened(initiative_for(person, ref), person)


def review_on_any_day(person: User, pk: int) -> Opened:
    """Return the initiative of this review for looking back."""
    return _opened(review_for(person, pk).initiative, person)


def sign_off_on_any_day(person: User, pk: int) -> Opened:
    """Return the initiative of this sign-off for looking back."""
    found = _of_visible_initiative(Review.objects.select_related("initiative__unit"), person, sign_offs=pk)
    return _opened(found.initiative, person)


def portfolio_on_any_day(person: User) -> Opened:
    """Return all initiatives that the person may look back at. Auditors may look back at all."""
    visibility.may_look_back_anywhere(person).or_refuse()
    if person.is_auditor:
        return Opened()
    return Opened(initiatives=frozenset(visibility.past_visible_to(person).values_list("pk", flat=True)))


def _opened(initiative: Initiative, person: User) -> Opened:
    visibility.may_look_back(initiative, person).or_refuse()
    return Opened(initiative=initiative, initiatives=frozenset([initiative.pk]))


def review_for(person: User, pk: int) -> Review:
    """Return the review with this key, if the person may see its initiative. Raises Http404, and logs it."""
    rows = Review.objects.select_related("initiative__unit", "rulebook", "opened_by", "ended_by")
    return _of_visible_initiative(rows, person, pk=pk)


def evidence_for(person: User, initiative: Initiative, pk: int) -> Evidence:
    """Return an item of evidence of this initiative. Raises Http404."""
    rows = Evidence.objects.select_related("pipeline_report__pipeline")
    found = rows.filter(initiative=initiative, pk=pk).first()
    if found is None:
        raise Http404("This evidence does not exist on this initiative.")
    return found


def approval_for(person: User, reference: UUID) -> ApprovalRequest:
    """Return the approval request, if the person may see its initiative. Raises Http404, and logs it."""
    rows = ApprovalRequest.objects.in_words().select_related("initiative__unit", "key", "version", "use")
    return _of_visible_initiative(rows, person, reference=reference)


def of_initiative(queryset, person: User, pk: int, of: str = ""):
    """Return a row whose `initiative`, or that of its `of`, the person may see. Raises Http404, and logs it."""
    return _of_visible_initiative(queryset, person, of, pk=pk)


def _of_visible_initiative(queryset, person: User, of: str = "", **key: int | UUID):
    seen = {f"{of}__initiative__in" if of else "initiative__in": visibility.visible_to(person)}
    found = queryset.filter(**key, **seen).first()
    if found is None:
        log.info(
            "row not found for this person", person=person.pk, model=queryset.model.__name__, key=str(key)
        )
        raise Http404("This page does not exist, or you cannot see it.")
    row_history.concerns(owner_of(found, of))
    return found


def owner_of(row: Any, of: str) -> Any:
    """Return what has the `initiative` of a row: the row itself, or what `of` (as in a query) leads to from it."""
    return attrgetter(of.replace("__", "."))(row) if of else row
