"""Lookup of initiatives and their rows for a person: 404 for whatever they may not see, as for what does not exist."""

from uuid import UUID

import structlog
from django.db.models import QuerySet
from django.http import Http404

from governance.database import row_history
from governance.models import User
from governance.transparency_log.as_of import Opened
from initiatives.lifecycle.access import permissions
from initiatives.models import ApprovalRequest, Evidence, Initiative, Review

log = structlog.get_logger("plumbline.doors")


def initiative_for(person: User, ref: str) -> Initiative:
    """The initiative with this reference. Raises Http404 when there is none or the person may not see it; logged."""
    found = with_ref(permissions.visible_to(person).select_related("unit", "contract", "business_case"), ref)
    if found is None:
        log.info("no such initiative for this person", person=person.pk, ref=ref[:20])
        raise Http404("No such initiative, or not yours to see.")
    row_history.concerns(found)
    return found


def with_ref(initiatives: QuerySet, ref: str) -> Initiative | None:
    """The one of these initiatives with the reference, as it is written everywhere."""
    number = ref.removeprefix("AI-")
    found = None
    if ref.startswith("AI-") and number.isdecimal() and len(number) < 10:
        found = initiatives.filter(number=int(number)).first()
    return found if found is not None and found.ref == ref else None


def initiative_on_any_day(person: User, ref: str, **_) -> Opened:
    """Look back at this initiative: for its owner, its board and auditors.

    Raises Http404 to strangers, Refused to others.
    """
    return _opened(initiative_for(person, ref), person)


def review_on_any_day(person: User, pk: int) -> Opened:
    """Look back at the initiative of this review."""
    return _opened(review_for(person, pk).initiative, person)


def sign_off_on_any_day(person: User, pk: int) -> Opened:
    """Look back at the initiative of this sign-off."""
    found = _of_visible_initiative(Review.objects.select_related("initiative__unit"), person, sign_offs=pk)
    return _opened(found.initiative, person)


def portfolio_on_any_day(person: User) -> Opened:
    """Look back at every initiative one may look back at: all of them for auditors, else the own ones and the
    boards'.
    """
    permissions.may_look_back_anywhere(person).or_refuse()
    if person.is_auditor:
        return Opened()
    return Opened(initiatives=frozenset(permissions.past_visible_to(person).values_list("pk", flat=True)))


def _opened(initiative: Initiative, person: User) -> Opened:
    permissions.may_look_back(initiative, person).or_refuse()
    return Opened(initiative=initiative, initiatives=frozenset([initiative.pk]))


def review_for(person: User, pk: int) -> Review:
    """The review with this key, on an initiative the person may see. Raises Http404; logged."""
    rows = Review.objects.select_related("initiative__unit", "rulebook", "opened_by", "ended_by")
    return _of_visible_initiative(rows, person, pk=pk)


def evidence_for(person: User, initiative: Initiative, pk: int) -> Evidence:
    """An item of evidence of this initiative. Raises Http404."""
    found = Evidence.objects.filter(initiative=initiative, pk=pk).first()
    if found is None:
        raise Http404("No such evidence on this initiative.")
    return found


def approval_for(person: User, reference: UUID) -> ApprovalRequest:
    """What a system asked people, on an initiative that the person may see. Raises Http404; logged."""
    rows = ApprovalRequest.objects.in_words().select_related("initiative__unit", "key", "version", "use")
    return _of_visible_initiative(rows, person, reference=reference)


def of_initiative(queryset, person: User, pk: int, of: str = ""):
    """A row whose `initiative`, or that of its `of`, the person may see. Raises Http404; logged."""
    return _of_visible_initiative(queryset, person, of, pk=pk)


def _of_visible_initiative(queryset, person: User, of: str = "", **key: int | UUID):
    seen = {f"{of}__initiative__in" if of else "initiative__in": permissions.visible_to(person)}
    found = queryset.filter(**key, **seen).first()
    if found is None:
        log.info("no such row for this person", person=person.pk, model=queryset.model.__name__, key=str(key))
        raise Http404("No such thing, or not yours to see.")
    row_history.concerns(getattr(found, of) if of else found)
    return found
