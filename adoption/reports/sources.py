"""The reporters: questions of the chair, messages, deletion (docs/adr/0034)."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError

from adoption.models import BehaviourReport, ProblemReport, SealedSource
from adoption.reports import permissions, sealed_reporter
from governance import clock
from governance.audit_log import entries
from governance.models import LegalHold, User
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.initiative.act import act

CONTACT_DAYS = 90  # the form of the public link promises it


def ask_source(*, about: BehaviourReport | ProblemReport, reason: str, by: User) -> str:
    """Ask for a reporter's name or contact, as the acting chair.

    The question is recorded with its reason, and the reporter is notified. Returns "" if nothing is opened: the
    reporter ruled it out or left nothing, or the asker is above the reporter. No record shows which.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Give a reason why you ask. The reporter reads the reason."})
    with act("ask who reported", by=by, initiative=about.initiative_id, reason=reason.strip()) as initiative:
        row: BehaviourReport | ProblemReport = (
            type(about).objects.select_related("initiative__unit").get(pk=about.pk)
        )
        permissions.may_ask_source(row, by).or_refuse()
        if isinstance(row, BehaviourReport):
            # The reporter of the problem behind it reads the question beside the answer to the problem.
            row = row.problems.first() or row
        row.source_questions.create(initiative=initiative, reason=reason.strip(), by=by, at=clock.now())
        if isinstance(row, BehaviourReport):
            SealedSource.objects.filter(behaviour_report=row).update(untold=1)
        entries.record(
            EntryKind.ASKED_WHO_REPORTED, initiative=initiative, what=row.place, why=reason.strip()
        )
        return _told(row, by)


def _told(row: BehaviourReport | ProblemReport, asker: User) -> str:
    facts = _facts_of(row)
    if facts.get("contact"):
        return facts["contact"]
    if not facts.get("may_ask"):
        return ""
    person = User.objects.filter(pk=facts["person"]).first()
    barred = person is None or asker.pk in {*facts["above"], *permissions.above(person)}
    return "" if barred else person.full_name


def _facts_of(row: BehaviourReport | ProblemReport) -> dict[str, Any]:
    """Return the sealed facts about a source, or an empty dict if nothing can be opened."""
    source = getattr(row, "sealed_source", None)
    return (sealed_reporter.opened(source.sealed, row.place) if source is not None else None) or {}


def reported_by(person: User) -> list[BehaviourReport]:
    """Return the person's behaviour reports, newest first, for that person alone."""
    rows = SealedSource.objects.filter(behaviour_report__isnull=False).select_related(
        "behaviour_report__initiative__unit"
    )
    return [
        row.behaviour_report
        for row in rows.prefetch_related("behaviour_report__source_questions__by").order_by(
            "-behaviour_report_id"
        )
        if _is_of(row, person)
    ]


def untold(person: User) -> list[BehaviourReport]:
    """Return the person's reports whose reporter was asked for since their last look."""
    rows = SealedSource.objects.filter(untold=1, behaviour_report__isnull=False).select_related(
        "behaviour_report__initiative"
    )
    return [row.behaviour_report for row in rows if _is_of(row, person)]


def _is_of(source: SealedSource, person: User) -> bool:
    """Return True if the person reported it, for pages of that person alone."""
    facts = sealed_reporter.opened(source.sealed, source.behaviour_report.place)
    return bool(facts) and facts.get("person") == person.pk


def seen_questions(*, by: User) -> None:
    """Mark the questions for the person's name as read.

    This is not recorded, because an entry would reveal the name.
    """
    SealedSource.objects.filter(behaviour_report__in=untold(by)).update(untold=0)


def forget_contacts() -> int:
    """Delete reporters' contacts ninety days after the judgement of their problem.

    Returns how many. A contact is kept no longer than it may be asked for, as the form promises. Legal holds on the
    initiative come first. Safe to repeat.
    """
    judged = clock.now() - timedelta(days=CONTACT_DAYS)
    old = SealedSource.objects.filter(problem__judged_at__lte=judged).exclude(
        problem__initiative__number__in=LegalHold.objects.open().initiative_numbers()
    )
    return old.delete()[0]
