"""Acts on requests of persons, from receipt to the destruction of their data."""

import calendar
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db.models import Q

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Answer, Conflict, no
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.interactions.requests import secrets
from initiatives.interactions.requests.permissions import (
    may_change,
    may_handle_requests,
    may_take_copy,
    may_work_on,
)
from initiatives.interactions.requests.secrets import Person
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative, SubjectExport, SubjectRequest
from initiatives.models.interactions.subject_requests import MET, NOTHING, PARTLY, REFUSED

TIME, EXTENDED = 1, 3  # months from receipt (GDPR, Article 12(3))
MOST_IDENTIFIERS = 20
OLDEST = timedelta(days=366)  # a receipt that is recorded late
JOB = "requests of persons"
FORGOTTEN = "The personal data in this request are already destroyed."


def months_after(day: date, months: int) -> date:
    """Return the same day so many months later, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@contextmanager
def working(name: str, request: SubjectRequest, may, by: User, reason: str = "") -> Iterator[SubjectRequest]:
    """Run one act on a request, with the row locked and the permission checked.

    Raises Refused. If two people act at once, the second sees what the first did.
    """
    with act(name, by=by, reason=reason):
        # Alone: a row that is joined by its handler is not found once another handler took it over meanwhile.
        row = SubjectRequest.objects.select_for_update().get(pk=request.pk)
        answer: Answer = may(row, by)
        answer.or_refuse()
        yield row


def person_in(row: SubjectRequest) -> Person:
    """Return the person who asks. Raises NoMaster, and Conflict once their data is destroyed."""
    person = secrets.person_of(row)
    if person is None:
        raise Conflict(FORGOTTEN)
    return person


def named_nowhere(person: Person, **texts: str) -> dict[str, str]:
    """Return errors by field for texts to keep that are empty or name the person."""
    wrong = {}
    for name, text in texts.items():
        if not text.strip():
            wrong[name] = "Enter a text. The audit log keeps this text."
        elif person.named_in(text):
            wrong[name] = "The audit log keeps this text permanently. Do not name the person in this text."
    return wrong


def receive(
    *,
    kind: str,
    channel: str,
    received_on: date,
    name: str,
    contact: str,
    identifiers: Iterable[str],
    words: str = "",
    initiatives: Iterable[Initiative] = (),
    by: User,
) -> SubjectRequest:
    """Record a request. The recorder handles it. `initiatives` are those it is about, () for all.

    Raises Refused, and ValidationError by field.
    """
    with act("receive request", by=by):
        may_handle_requests(by).or_refuse()
        today, wrong = clock.today(), {}
        known = tuple(dict.fromkeys(one.strip() for one in identifiers if one.strip()))
        if kind not in SubjectRequest.KINDS:
            wrong["kind"] = "Choose the kind of request."
        if channel not in SubjectRequest.CHANNELS:
            wrong["channel"] = "Choose how the request was received."
        if not today - OLDEST <= received_on <= today:
            wrong["received_on"] = (
                "Enter the day on which the request was received, today or in the last year."
            )
        if not name.strip():
            wrong["name"] = "Name the person."
        if not contact.strip():
            wrong["contact"] = "Enter an address for the answer."
        if not known or len(known) > MOST_IDENTIFIERS:
            wrong["identifiers"] = (
                f"Enter one to {MOST_IDENTIFIERS} names that systems use for the person, one a line."
            )
        if wrong:
            raise ValidationError(wrong)
        row = SubjectRequest(
            kind=kind,
            channel=channel,
            received_on=received_on,
            due_on=months_after(received_on, TIME),
            numbers=sorted({initiative.number for initiative in initiatives}),
            recorded_by=by,
            recorded_at=clock.now(),
            handler=by,
        )
        row.save()
        secrets.keep(row, Person(name.strip(), contact.strip(), known, words.strip()))
        entries.record(
            EntryKind.SUBJECT_REQUEST_RECEIVED,
            request=row.pk,
            wants=row.kind,
            channel=row.channel,
            received_on=received_on,
            due_on=row.due_on,
            initiatives=row.numbers,
        )
    return row


def open_person(*, request: SubjectRequest, by: User) -> Person | None:
    """Return the person who asks, for the handler, or None once destroyed. Records the access."""
    with working("open request", request, may_work_on, by) as row:
        person = secrets.person_of(row)
        if person is not None:
            entries.record(EntryKind.SUBJECT_REQUEST_OPENED, request=row.pk)
    return person


def check_identity(*, request: SubjectRequest, how: str, by: User) -> SubjectRequest:
    """Record how the identity was checked. Raises Refused, ValidationError, Conflict."""
    with working("check identity", request, may_change, by, how) as row:
        if row.identified_at:
            raise Conflict("The identity is already checked. Continue with the search.")
        if wrong := named_nowhere(person_in(row), how=how):
            raise ValidationError(wrong)
        row.identified_by, row.identified_at, row.identified_how = by, clock.now(), how.strip()
        row.save()
        entries.record(EntryKind.SUBJECT_IDENTITY_CHECKED, request=row.pk, how=row.identified_how)
    return row


def extend(*, request: SubjectRequest, why: str, by: User) -> SubjectRequest:
    """Extend the time once by two months, in the first month (GDPR, Article 12(3)). The person gets the reason."""
    with working("extend request", request, may_change, by, why) as row:
        if row.extended_at:
            raise Conflict("This request was already extended. The law allows only one extension.")
        if clock.today() > row.due_on:
            no("The month for an extension is over.", "Answer the request now.").or_refuse()
        if wrong := named_nowhere(person_in(row), why=why):
            raise ValidationError(wrong)
        row.extended_by, row.extended_at, row.extended_reason = by, clock.now(), why.strip()
        row.due_on = months_after(row.received_on, EXTENDED)
        row.save()
        entries.record(
            EntryKind.SUBJECT_REQUEST_EXTENDED, request=row.pk, due_on=row.due_on, why=row.extended_reason
        )
    return row


def take_over(*, request: SubjectRequest, why: str, by: User) -> SubjectRequest:
    """Handle a request in place of another privacy officer, with a reason."""

    def may(row, person):
        return may_handle_requests(person)

    with working("take over request", request, may, by, why) as row:
        if row.closed_at or row.handler_id == by.pk:
            raise Conflict(
                "You already handle this request." if not row.closed_at else "This request is closed."
            )
        if wrong := named_nowhere(person_in(row), why=why):
            raise ValidationError(wrong)
        before, row.handler = row.handler, by
        row.save()
        entries.record(
            EntryKind.SUBJECT_REQUEST_TAKEN_OVER, request=row.pk, before=str(before), why=why.strip()
        )
    return row


def answer(
    *, request: SubjectRequest, outcome: str, words: str, legal_basis: str = "", by: User
) -> SubjectRequest:
    """Record the answer to the person. A full or partial refusal needs its legal basis.

    The outcome met requires the copy taken or the erasure tried. Raises Refused, ValidationError, Conflict.
    """
    with working("answer request", request, may_change, by, words) as row:
        basis = {"legal_basis": legal_basis} if outcome in (PARTLY, REFUSED) or legal_basis.strip() else {}
        wrong = named_nowhere(person_in(row), words=words, **basis)
        if outcome not in SubjectRequest.OUTCOMES:
            wrong["outcome"] = "Choose the outcome of the request."
        if wrong:
            raise ValidationError(wrong)
        if outcome != REFUSED:
            _refuse_undone(row, outcome)
        row.outcome, row.answer, row.legal_basis = outcome, words.strip(), legal_basis.strip()
        row.answered_by, row.answered_at = by, clock.now()
        row.save()
        entries.record(
            EntryKind.SUBJECT_REQUEST_ANSWERED,
            request=row.pk,
            outcome=outcome,
            words=row.answer,
            legal_basis=row.legal_basis,
            late=clock.today() > row.due_on,
        )
    return row


def _refuse_undone(row: SubjectRequest, outcome: str) -> None:
    """Raise Conflict if the answer claims something that was not done."""
    if not row.searched_at:
        raise Conflict(
            "The log was not searched for this request yet.",
            "Search first, or refuse the request with a reason.",
        )
    if row.text_searches.filter(done_at__isnull=True).exists():
        raise Conflict("A text search is still running.", "Wait until the search has finished.")
    if row.hits.filter(belongs__isnull=True).exists():
        raise Conflict(
            "Some interactions that were found are not judged yet.",
            "Mark for each interaction if it belongs to the person.",
        )
    theirs = row.hits.filter(belongs=True).exists()
    if outcome == NOTHING and theirs:
        raise Conflict(
            "Some interactions belong to the person.", "Choose the outcome for these interactions."
        )
    if outcome == MET and theirs:
        if row.wants_copy and not row.exports.filter(taken_at__isnull=False).exists():
            raise Conflict(
                "No one has downloaded the copy for the person yet.", "Make the copy, and download its file."
            )
        if row.wants_erasure and not row.erasures.exists():
            raise Conflict(
                "The interactions of the person are not erased yet.",
                "Choose an outcome that refuses a part, or erase the interactions.",
            )


def close(*, request: SubjectRequest, by: User) -> SubjectRequest:
    """Close an answered request. The data on its person is destroyed 30 days later."""
    with working("close request", request, may_take_copy, by) as row:
        if not row.answered_at:
            raise Conflict("This request is not answered yet.", "Record how the person was answered.")
        row.closed_by, row.closed_at = by, clock.now()
        row.save()
        for export in row.exports.filter(ended_at__isnull=True):
            revoke_copy(export)
        entries.record(EntryKind.SUBJECT_REQUEST_CLOSED, request=row.pk, outcome=row.outcome)
    return row


def revoke_copy(export: SubjectExport) -> None:
    """Remove the file of a copy, within a running act."""
    secrets.forget_file(export)
    export.ended_at = clock.now()
    export.save()
    entries.record(EntryKind.SUBJECT_COPY_REVOKED, request=export.request_id, copy=export.pk)


def forget_what_is_over() -> None:
    """Remove expired files of copies, and destroy personal data of closed requests."""
    now = clock.now()
    for export in SubjectExport.objects.filter(ended_at__isnull=True, until__lte=now):
        with act("revoke copy", system=JOB):
            row = SubjectExport.objects.select_for_update().get(pk=export.pk)
            if row.ended_at is None:
                revoke_copy(row)
    over = Q(closed_at__lte=now - timedelta(days=SubjectRequest.KEPT), forgotten_at__isnull=True)
    for pk in SubjectRequest.objects.filter(over).values_list("pk", flat=True):
        with act("forget request", system=JOB):
            request = SubjectRequest.objects.select_for_update().get(pk=pk)
            if request.forgotten_at is None:
                count = secrets.forget(request)
                request.forgotten_at = clock.now()
                request.save()
                entries.record(EntryKind.SUBJECT_REQUEST_FORGOTTEN, request=request.pk, keys=count)
