"""The public link of an initiative, for anonymous problem reports of users."""

import hashlib
from datetime import date

from django.core.exceptions import ValidationError

from adoption.models import ProblemLink, ProblemReport
from adoption.models.reports import HARMS, new_token
from adoption.reports import permissions
from adoption.reports.actions import LONGEST, receive, unnamed
from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Conflict, no
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import in_the_future
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative

A_USER = "problem reports"


def open_link(*, initiative: Initiative, by: User) -> ProblemLink:
    """Make the address at which users report problems. An earlier address ends at once."""
    with act("open problem link", by=by, initiative=initiative) as initiative:
        permissions.may_open_link(initiative, by).or_refuse()
        before = initiative.problem_links.filter(ended_at__isnull=True).first()
        if before is not None:
            before.ended_at = clock.now()
            before.save()
        row = ProblemLink(initiative=initiative, made_at=clock.now(), made_by=by)
        row.save()
        entries.record(
            EntryKind.PROBLEM_LINK_RENEWED if before else EntryKind.PROBLEM_LINK_OPENED,
            initiative=initiative,
            link=row.pk,
        )
    return row


def close_link(*, link: ProblemLink, by: User) -> ProblemLink:
    """Switch the address off. Its reports are kept, and reporters can still read their answers."""
    with act("close problem link", by=by, initiative=link.initiative_id) as initiative:
        permissions.may_keep_link(initiative, by).or_refuse()
        row = ProblemLink.objects.get(pk=link.pk)
        if row.ended_at is not None:
            raise Conflict("The link was switched off already.")
        row.ended_at = clock.now()
        row.save()
        entries.record(EntryKind.PROBLEM_LINK_CLOSED, initiative=initiative, link=row.pk)
    return row


def mark_of(key: str) -> str:
    """Return the stored hash of the key by which a reporter reads the answer."""
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
) -> tuple[ProblemReport, str]:
    """Report a problem by the link, as anyone.

    Returns the report and the key for its answer. `key`: that of the form, so that a form sent twice is one report with
    one key. Raises Refused when the link has ended, ValidationError by field.
    """
    key = key or new_token()
    with unnamed(), act("report problem", system=A_USER, initiative=link.initiative_id) as initiative:
        there = ProblemLink.objects.filter(pk=link.pk, ended_at__isnull=True).first()
        if there is None or initiative.closed or initiative.withdrawn_at:
            no(
                "This link is switched off.", "Ask the person who gave you the link for a new link."
            ).or_refuse()
        known = ProblemReport.objects.filter(mark=mark_of(key)).first()
        if known is not None:
            return known, key
        wrong = {}
        if not what.strip():
            wrong["what"] = "Describe what happened."
        if harm not in HARMS:
            wrong["harm"] = "Choose one of the answers."
        if happened_on is not None and happened_on > clock.today():
            wrong["happened_on"] = in_the_future(happened_on, clock.today())
        for name, text in (("what", what), ("output", output)):
            if len(text) > LONGEST:
                wrong[name] = f"The text has {len(text)} letters. Use at most {LONGEST}."
        if wrong:
            raise ValidationError(wrong)
        row = ProblemReport(
            initiative=initiative,
            mark=mark_of(key),
            what=what.strip(),
            happened_on=happened_on,
            output=output.strip(),
            harm=harm,
            reported_on=clock.today(),
        )
        receive(initiative, row, sealed={"contact": contact.strip()[:250]}, harm=row.harm, words=row.what)
    return row, key
