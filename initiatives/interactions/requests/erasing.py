"""Erasure for a person: by their pseudonyms, then of text hits, with an entry."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.interaction_retention import destroyed, holds, subject_erasure
from governance.models import Interaction, InteractionKey, User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.interactions import actions as log_actions
from initiatives.interactions.permissions import may_erase
from initiatives.interactions.requests.actions import named_nowhere, person_in, working
from initiatives.interactions.requests.permissions import may_search
from initiatives.interactions.requests.secrets import Person
from initiatives.lifecycle.initiative.act import lock
from initiatives.models import Initiative, SubjectErasure, SubjectHit, SubjectRequest

AT_ONCE = 500  # rows that are read together


def erase(*, request: SubjectRequest, duty: str, by: User) -> SubjectErasure:
    """Destroy the keys of the person's reports, and try every body, all or nothing.

    Reports under a key that others share are left, and counted. Raises Refused if a legal hold keeps any report,
    ValidationError, Conflict.
    """
    with working("erase for request", request, may_search, by, "Request of a person") as row:
        may_erase(by).or_refuse()
        person = person_in(row)
        _refuse_too_soon(row)
        if wrong := named_nowhere(person, duty=duty):
            raise ValidationError(wrong)
        held = {name: _numbers(row, pseudonym) for name, pseudonym in person.pseudonyms.items()}
        theirs = _rows(row.hits.filter(belongs=True))
        _lock(row, {number for numbers in held.values() for number in numbers}, theirs)
        for name, pseudonym in person.pseudonyms.items():
            holds.may_destroy(pseudonym, held[name]).or_refuse()
        _refuse_others(row, person)
        keys = tried = 0
        for name, numbers in held.items():
            for initiative in Initiative.objects.filter(number__in=numbers).order_by("number"):
                done = log_actions.erase_subject(
                    initiative=initiative,
                    subject=name,
                    everywhere=False,
                    why=f"Request {row.pk}",
                    duty=duty,
                    by=by,
                )
                keys, tried = keys + done.keys, tried + done.tried
        there = _keys_left(theirs)
        left = [one for one in theirs if one.holder_key in there]
        found, shared = subject_erasure.erase_rows(left)
        theirs = [one for one in theirs if one.pk not in {other.pk for other in shared}]
        count, opened = subject_erasure.tries(theirs)
        if opened:
            raise Conflict(
                phrase(
                    "{} of {} bodies were still readable, so nothing was erased. Ask an admin to check "
                    "the log.",
                    opened,
                    count,
                )
            )
        tried = max(tried + found.tried, count)
        erasure = SubjectErasure(
            request=row,
            by=by,
            at=clock.now(),
            duty=duty.strip(),
            keys=keys + found.keys,
            tried=tried,
            unopened=tried,
            left=len({bytes(one.call) for one in shared}),
        )
        erasure.save()
        entries.record(
            EntryKind.SUBJECT_REQUEST_ERASED,
            request=row.pk,
            subjects=[one.hex() for one in person.pseudonyms.values()],
            duty=erasure.duty,
            keys=erasure.keys,
            tried=erasure.tried,
            unopened=erasure.unopened,
            left=erasure.left,
        )
        destroyed.write_later()
    return erasure


def _refuse_too_soon(row: SubjectRequest) -> None:
    if not row.wants_erasure:
        raise Conflict("The person did not ask for an erasure.")
    if row.erasures.exists():
        raise Conflict(
            "The interactions of the person are already erased.", "Open the erasure to see the checks."
        )
    if not row.searched_at or row.hits.filter(belongs__isnull=True).exists():
        raise Conflict(
            "Some interactions that were found are not judged yet.",
            "Search, and mark for each interaction if it belongs to the person.",
        )
    if row.text_searches.filter(done_at__isnull=True).exists():
        raise Conflict("A text search is still running.", "Wait until the search has finished.")
    theirs = row.hits.filter(belongs=True).exists()
    if theirs and row.wants_copy and not row.exports.filter(taken_at__isnull=False).exists():
        raise Conflict(
            "The person also asked for a copy.",
            "Make the copy and download its file first. After the erasure no copy is possible.",
        )


def _numbers(row: SubjectRequest, pseudonym: bytes) -> list[int]:
    """Return the numbers of the request's initiatives with reports of a pseudonym."""
    found = subject_erasure.held_in(pseudonym)
    return sorted(found & set(row.numbers) if row.numbers else found)


def _lock(row: SubjectRequest, numbers: set[int], theirs: list[Interaction]) -> None:
    """Lock every initiative that loses a key, in order. Raises Refused if a hold is on one."""
    numbers = numbers | {one.initiative_number for one in theirs}
    for pk in Initiative.objects.filter(number__in=numbers).order_by("number").values_list("pk", flat=True):
        lock(pk)
    holds.may_destroy(b"", numbers).or_refuse()


def _refuse_others(row: SubjectRequest, person: Person) -> None:
    """Raise Conflict if the erasure includes reports judged to be another person's."""
    others = _rows(row.hits.filter(belongs=False))
    doomed = {
        one.pk
        for pseudonym in person.pseudonyms.values()
        for number in _numbers(row, pseudonym)
        for one in subject_erasure.belonging(pseudonym, number)
    }
    if count := sum(one.pk in doomed for one in others):
        raise Conflict(
            phrase("{} interactions of other people have the same names, and would be erased too.", count),
            "Check your judgements again, or record the request with names that only this person has.",
        )


def _keys_left(rows: list[Interaction]) -> set[int]:
    """Return the keys of these rows that are not destroyed yet."""
    wanted = {one.holder_key for one in rows}
    return set(
        InteractionKey.objects.filter(pk__in=wanted, wrapped__isnull=False).values_list("pk", flat=True)
    )


def _rows(hits: Iterable[SubjectHit]) -> list[Interaction]:
    """Return the remaining rows of hits, with the other reports of the same calls."""
    hits = list(hits)
    found: dict[int, Interaction] = {}
    for start in range(0, len(hits), AT_ONCE):
        some = hits[start : start + AT_ONCE]
        rows = Interaction.objects.filter(
            at__in={hit.at for hit in some}, pk__in=[hit.interaction for hit in some]
        )
        calls: dict[int, set[bytes]] = {}
        for one in rows:
            calls.setdefault(one.initiative_number, set()).add(bytes(one.call))
        for number, named in calls.items():
            parts = Interaction.objects.filter(initiative_number=number, call__in=named).select_related(
                "batch"
            )
            found |= {part.pk: part for part in parts}
    return list(found.values())


def tried_now(request: SubjectRequest) -> tuple[int, int]:
    """Try every body of the person again. Return the numbers of kept and of opened bodies."""
    return subject_erasure.tries(_rows(request.hits.filter(belongs=True)))
