"""Searches of the log for a request: by pseudonym, or by text through selections."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.interaction_log import searching
from governance.interaction_retention import subject_erasure
from governance.models import Interaction, User
from governance.permission_result import Conflict, Refused
from governance.queue.task_base import after_commit
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.interactions.requests import secrets
from initiatives.interactions.requests.actions import JOB, person_in, working
from initiatives.interactions.requests.permissions import may_search
from initiatives.interactions.requests.secrets import Person
from initiatives.interactions.selections import actions as selections
from initiatives.lifecycle.initiative.act import act
from initiatives.models import (
    Initiative,
    InteractionSelection,
    RequestTextSearch,
    SubjectHit,
    SubjectRequest,
)
from initiatives.models.interactions.selections import DONE, UNDER_WAY

MOST = 5_000  # hits of one request
KEPT = timedelta(
    days=7
)  # that a selection made for a request is kept at most; it ends once its hits are taken over


def within(row: SubjectRequest) -> list[Initiative]:
    """Return the initiatives that a request is about, by number."""
    found = Initiative.objects.order_by("number")
    return list(found.filter(number__in=row.numbers) if row.numbers else found)


def search(*, request: SubjectRequest, by: User) -> tuple[int, int]:
    """Search for the pseudonyms of the person. Return the numbers of hits and of new hits.

    Reports without a name in a conversation or call of the person are hits too. Raises Refused, Conflict.
    """
    with working("search request", request, may_search, by) as row:
        person = person_in(row)
        found: dict[int, Interaction] = {}
        for pseudonym in person.pseudonyms.values():
            initiatives: list[int | None] = list(row.numbers) or [None]
            for initiative in initiatives:
                found |= {one.pk: one for one in subject_erasure.belonging(pseudonym, initiative)}
        new = _take_over(row, found.values(), SubjectHit.PSEUDONYM)
        row.searched_by, row.searched_at = by, clock.now()
        row.save()
        count = row.hits.count()
        entries.record(
            EntryKind.SUBJECT_SEARCHED,
            request=row.pk,
            subjects=[one.hex() for one in person.pseudonyms.values()],
            initiatives=row.numbers,
            found=count,
            new=new,
        )
    return count, new


def _take_over(row: SubjectRequest, found: Iterable[Interaction], way: str) -> int:
    """Add new hits, each call once, and return their number. Raises Conflict for too many."""
    by_initiative: dict[int, list[Interaction]] = {}
    for one in found:
        by_initiative.setdefault(one.initiative_number, []).append(one)
    known = set(row.hits.values_list("interaction", flat=True))
    shown = [one for number, some in by_initiative.items() for one in searching.by_call(number, some)]
    new = {one.pk: one for one in shown if one.pk not in known}
    if len(known) + len(new) > MOST:
        raise Conflict(
            phrase(
                "The search found more than {} interactions, which is too many for one request.", f"{MOST:,}"
            ),
            "Record a separate request for each group of initiatives.",
        )
    initiatives = Initiative.objects.in_bulk(set(by_initiative), field_name="number")
    hits = [
        SubjectHit(
            request=row, initiative=initiatives[one.initiative_number], interaction=one.pk, at=one.at, way=way
        )
        for one in sorted(new.values(), key=lambda one: (one.at, one.pk))
    ]
    row_history.insert_many(SubjectHit, hits)
    return len(hits)


def search_text(
    *,
    request: SubjectRequest,
    text: str,
    initiatives: Iterable[Initiative],
    first: date,
    last: date,
    by: User,
) -> list[RequestTextSearch]:
    """Have the worker search a text in these initiatives, one after the other.

    The text is kept with the request's data on its person. Raises Refused, ValidationError by field, Conflict.
    """
    with working("search text", request, may_search, by) as row:
        person, wrong = person_in(row), {}
        if len(searching.folded(text)) < searching.SHORTEST:
            wrong["text"] = f"Give at least {searching.SHORTEST} characters."
        initiatives = list(initiatives)
        if not initiatives:
            wrong["initiatives"] = "Choose at least one initiative."
        elif row.numbers and {initiative.number for initiative in initiatives} - set(row.numbers):
            wrong["initiatives"] = "Choose initiatives that belong to this request."
        if first > last or last > clock.today():
            wrong["last"] = "Choose a last day that is not in the future and not before the first day."
        elif (last - first).days > InteractionSelection.LONGEST:
            wrong["last"] = f"Choose at most {InteractionSelection.LONGEST} days at a time."
        if wrong:
            raise ValidationError(wrong)
        texts = tuple(dict.fromkeys((*person.texts, text.strip())))
        secrets.keep(row, Person(person.name, person.contact, person.identifiers, person.words, texts))
        made = [
            RequestTextSearch.objects.create(
                request=row,
                initiative=initiative,
                place=texts.index(text.strip()),
                first=first,
                last=last,
                asked_by=by,
                asked_at=clock.now(),
            )
            for initiative in initiatives
        ]
        for one in made:
            entries.record(
                EntryKind.SUBJECT_TEXT_ASKED,
                initiative=one.initiative,
                request=row.pk,
                first=first,
                last=last,
            )
        if not row.searched_at:
            row.searched_by, row.searched_at = by, clock.now()
            row.save()
        after_commit("initiatives.tasks.look_for_requests")
    return made


def go_on() -> None:
    """Begin the next selection for each waiting text, and take over ready hits."""
    for one in RequestTextSearch.objects.filter(done_at__isnull=True).select_related("request", "initiative"):
        if one.selection is None:
            _begin(one)
        elif one.selection.state not in UNDER_WAY:
            _finish(one)


def _begin(one: RequestTextSearch) -> None:
    """Ask for the selection as the searcher. Wait while another one of theirs is in progress."""
    try:
        with transaction.atomic():
            row = SubjectRequest.objects.select_for_update().get(pk=one.request_id)
            locked = RequestTextSearch.objects.select_for_update().get(pk=one.pk)
            if locked.selection_id or locked.done_at:
                return
            person = secrets.person_of(row)
            if person is None or row.answered_at:
                _done(locked, trouble="The request ended before this search started.")
                return
            locked.selection = selections.select(
                initiative=one.initiative,
                purpose=f"Request {row.pk} of a person",
                first=one.first,
                last=one.last,
                phrase=person.texts[one.place],
                most=InteractionSelection.MOST,
                until=clock.today() + KEPT,
                by=one.asked_by,
            )
            locked.save()
    except Conflict:
        return
    except Refused as refused:
        _done(one, trouble=str(refused.answer))


def _finish(one: RequestTextSearch) -> None:
    with act("take over what a text found", system=JOB):
        row = SubjectRequest.objects.select_for_update().get(pk=one.request_id)
        locked = (
            RequestTextSearch.objects.select_for_update(of=("self",))
            .select_related("selection")
            .get(pk=one.pk)
        )
        selection = locked.selection
        if locked.done_at or selection is None:
            return
        if selection.state != DONE:
            _done(locked, trouble=selection.trouble or "The selection ended before its results were saved.")
            return
        locked.looked, locked.found = selection.looked, selection.found
        new, trouble = 0, ""
        if row.answered_at:
            trouble = "The request was answered before this search finished."
        else:
            try:
                new = _take_over(row, selections.members(selection), SubjectHit.TEXT)
            except Conflict as conflict:
                trouble = str(conflict.answer)
        if selection.found >= InteractionSelection.MOST:
            trouble = trouble or "There are more matches. Search again with fewer days."
        entries.record(
            EntryKind.SUBJECT_TEXT_SOUGHT,
            initiative=one.initiative,
            request=row.pk,
            looked=selection.looked,
            unreadable=selection.unreadable,
            found=selection.found,
            new=new,
        )
        _done(locked, trouble=trouble)
    with suppress(Refused):  # ended meanwhile, or the searcher lost the permission: it then ends on its day
        selections.close_selection(selection=selection, by=one.asked_by)


def _done(one: RequestTextSearch, *, trouble: str = "") -> None:
    one.done_at, one.trouble = clock.now(), trouble
    one.save()
