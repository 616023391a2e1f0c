"""What users report by the public link of a case: put down without a name, treated by who answers for the case."""

import hashlib
from datetime import date, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.urls import reverse

from adoption.incidents import actions as incident_actions
from adoption.incidents import permissions as incident_permissions
from adoption.models import Incident, ProblemLink, ProblemReport, SealedSource, Signal
from adoption.models.problems import ANSWERED, HARMS, OPENED, SIGNALLED, WAITING, new_token
from adoption.signals import actions as signal_actions
from adoption.signals import sealed_reporter
from adoption.signals.actions import unnamed
from governance import clock
from governance.ledger import record
from governance.models import LegalHold, User
from governance.notices.owe import owe
from governance.permission_result import Conflict, no
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.access.permissions import accepted
from initiatives.cases.act import act
from initiatives.models import Initiative

A_USER = "problem reports"
LONGEST = 4000
CONTACT_DAYS = 90  # the form says so


def open_link(*, case: Initiative, by: User) -> ProblemLink:
    """Make the address at which users report problems, or another one in its place: the one before ends at once."""
    with act("open problem link", by=by, case=case) as case:
        incident_permissions.may_treat(case, by).or_refuse()
        if case.closed or case.withdrawn_at:
            no(f"This initiative is {case.stage}; nobody uses it any more.").or_refuse()
        before = case.problem_links.filter(ended_at__isnull=True).first()
        if before is not None:
            before.ended_at = clock.now()
            before.save()
        row = ProblemLink(initiative=case, made_at=clock.now(), made_by=by)
        row.save()
        record.record(
            EntryKind.PROBLEM_LINK_RENEWED if before else EntryKind.PROBLEM_LINK_OPENED,
            case=case,
            link=row.pk,
        )
    return row


def close_link(*, link: ProblemLink, by: User) -> ProblemLink:
    """Switch the address off; what was reported by it stays, and its reporters still read their answers."""
    with act("close problem link", by=by, case=link.initiative_id) as case:
        incident_permissions.may_treat(case, by).or_refuse()
        row = ProblemLink.objects.get(pk=link.pk)
        if row.ended_at is not None:
            raise Conflict("It was switched off already.")
        row.ended_at = clock.now()
        row.save()
        record.record(EntryKind.PROBLEM_LINK_CLOSED, case=case, link=row.pk)
    return row


def mark_of(key: str) -> str:
    """What is kept of the key by which a reporter reads the answer."""
    return hashlib.sha256(f"problem {key}".encode()).hexdigest()


def report_problem(
    *,
    link: ProblemLink,
    what: str,
    happened_on: date | None = None,
    output: str = "",
    harm: str = "unknown",
    contact: str = "",
    key: str = "",
    once: UUID | None = None,
) -> tuple[ProblemReport, str]:
    """Report a problem by the link of a case, as anybody; returns it and the key by which its answer is read.

    `key`: the one the form was given out with, so that a form sent twice is one report with one key. Raises Refused
    when the link has ended, ValidationError by field.
    """
    key = key or new_token()
    with unnamed(), act("report problem", system=A_USER, case=link.initiative_id) as case:
        there = ProblemLink.objects.filter(pk=link.pk, ended_at__isnull=True).first()
        if there is None or case.closed or case.withdrawn_at:
            no("This link is switched off.", "Ask whoever gave it to you for another one.").or_refuse()
        known = ProblemReport.objects.filter(mark=mark_of(key)).first()
        if known is not None:
            return known, key
        wrong = {}
        if not what.strip():
            wrong["what"] = "Say what happened."
        if harm not in HARMS:
            wrong["harm"] = "Choose one of the answers."
        if happened_on is not None and happened_on > clock.today():
            wrong["happened_on"] = "That day has not come yet."
        for name, text in (("what", what), ("output", output)):
            if len(text) > LONGEST:
                wrong[name] = f"Say it in at most {LONGEST} letters."
        if wrong:
            raise ValidationError(wrong)
        row = ProblemReport(
            initiative=case,
            mark=mark_of(key),
            what=what.strip(),
            happened_on=happened_on,
            output=output.strip(),
            harm=harm,
            reported_on=clock.today(),
            once=once,
        )
        row.save()
        SealedSource.objects.create(
            problem=row,
            sealed=sealed_reporter.seal({"contact": contact.strip()[:250]}, signal_actions.bound(row)),
        )
        record.record(EntryKind.PROBLEM_REPORTED, case=case, problem=row.pk, harm=row.harm, words=row.what)
        owe(
            _treating(case),
            "problem",
            f"problem:{row.pk}",
            subject=f"{case.ref} {case.title}: a user reported a problem",
            text=f"{row.what[:500]} Make a behaviour report or an incident of it, or answer it.",
            link=reverse("problem", args=[row.pk]),
            case_ref=case.ref,
        )
    return row, key


def _treating(case: Initiative) -> list[User]:
    roles = (accepted(case, role) for role in incident_permissions.TREATING)
    people = {found.person_id: found.person for found in roles if found is not None}
    if not people and case.registered_by is not None:
        people[case.registered_by_id] = case.registered_by
    return list(people.values())


def _waiting(problem: ProblemReport, by: User) -> ProblemReport:
    """The report, read after the lock, while nobody has treated it. Raises Refused, Conflict."""
    row = ProblemReport.objects.select_related("initiative__unit", "treated_by").get(pk=problem.pk)
    incident_permissions.may_treat(row.initiative, by).or_refuse()
    if row.state != WAITING:
        raise Conflict(
            f"{row.treated_by} treated it {clock.moment_in_words(row.treated_at)}.",
            "Read what became of it.",
            reverse("problem", args=[row.pk]),
        )
    return row


def _treat(row: ProblemReport, state: str, answer: str, by: User) -> None:
    if not answer.strip():
        raise ValidationError({"answer": "Say what you do about it: whoever reported it reads this."})
    row.state, row.answer, row.treated_by, row.treated_at = state, answer.strip(), by, clock.now()
    row.save()
    record.record(
        EntryKind.PROBLEM_TREATED, case=row.initiative, problem=row.pk, became=state, words=row.answer
    )


def answer_problem(*, problem: ProblemReport, answer: str, by: User) -> ProblemReport:
    """Close a report with an answer that its reporter reads."""
    with act("answer problem", by=by, case=problem.initiative_id):
        row = _waiting(problem, by)
        _treat(row, ANSWERED, answer, by)
    return row


def make_signal(
    *, problem: ProblemReport, kind: str, group: str, extent: str, answer: str, by: User
) -> Signal:
    """Make a signal of a report: its words, and whoever reported it stays as unknown as before."""
    with act("make signal of problem", by=by, case=problem.initiative_id) as case:
        row = _waiting(problem, by)
        row.signal = signal_actions.put_down(
            case,
            sealed={"problem": row.pk},
            kind=kind,
            group=group,
            words=row.what,
            source="problem",
            observed_on=row.happened_on or row.reported_on,
            share=None,
            extent=extent,
        )
        _treat(row, SIGNALLED, answer, by)
    return row.signal


def open_from_problem(*, problem: ProblemReport, answer: str, by: User, **fields) -> Incident:
    """Open an incident from a report, or name the one it belongs to (`incident`); fields as `open_incident`."""
    with act("open incident of problem", by=by, case=problem.initiative_id) as case:
        row = _waiting(problem, by)
        there = fields.pop("incident", None)
        if there is not None and there.initiative_id != case.pk:
            raise ValidationError({"incident": "Choose an incident of this initiative."})
        row.incident = there or incident_actions.open_incident(case=case, by=by, **fields)
        _treat(row, OPENED, answer, by)
    return row.incident


def forget_contacts() -> int:
    """Delete how reporters could be reached, ninety days after their problem was treated; returns how many.

    What is kept for an answer is not kept longer than one may be asked for (the form promises it). Legal holds on the
    case come first. Safe to repeat.
    """
    treated = clock.now() - timedelta(days=CONTACT_DAYS)
    old = SealedSource.objects.filter(problem__treated_at__lte=treated).exclude(
        problem__initiative__number__in=LegalHold.objects.open().case_numbers()
    )
    return old.delete()[0]
