"""Drills: something tried on purpose, written down together with the evidence that it is. Sources: S0-20, S0-24."""

from datetime import date
from uuid import UUID

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary import EvidenceKind, EvidenceRegister
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.evidence.actions import (
    check_evidence,
    create_evidence,
    rewrite_for_item,
    versions_named,
    withdraw_row,
)
from initiatives.lifecycle.evidence.artefact_kinds import of_register
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import Drill, Initiative, Link
from initiatives.models.integration.processes import DRILL_KINDS, FAULTS


def proved_by_drills(rulebook) -> list[str]:
    """Return the requirements that a drill record can prove, in rulebook order."""
    return [
        key for key, asked in rulebook.requirements.items() if EvidenceKind.DRILL_RECORD in asked.evidence
    ]


def suggested(rulebook, kind: str) -> list[str]:
    """Return those among them that ask for a drill of this kind."""
    return [key for key in proved_by_drills(rulebook) if kind in rulebook.requirements[key].tested]


def add_drill(
    *,
    initiative: Initiative,
    link: Link | None = None,
    kind: str,
    fault: str,
    expected: str,
    happened: str,
    result: str,
    observed_on: date,
    covers: list[str],
    next_due: date | None = None,
    file=None,
    url: str = "",
    once: UUID | None = None,
    by: User,
) -> Drill:
    """Record a drill, and its record as evidence with that result, in one act.

    `file` or `url` is its trace, which others can open. `link` is the link with the missing, slow or wrong source.
    The evidence names its system, so that a change there ends the evidence. Raises ValidationError by field, or
    Refused.
    """
    with act("add drill", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        if once and (known := Drill.objects.filter(initiative=initiative, once=once).first()):
            return known
        wrong = check_drill(
            initiative,
            link=link,
            kind=kind,
            fault=fault,
            expected=expected,
            happened=happened,
            result=result,
            observed_on=observed_on,
            covers=covers,
            next_due=next_due,
            file=file,
            url=url,
        )
        if wrong:
            raise ValidationError(wrong)
        row = keep_drill(
            initiative,
            link=link,
            kind=kind,
            fault=fault,
            expected=expected,
            happened=happened,
            result=result,
            observed_on=observed_on,
            covers=covers,
            next_due=next_due,
            file=file,
            url=url,
            once=once,
            by=by,
        )
        rewrite_for_item(initiative, row.evidence)
    return row


def check_drill(
    initiative: Initiative,
    *,
    link: Link | None,
    kind: str,
    fault: str,
    expected: str,
    happened: str,
    result: str,
    observed_on: date,
    covers: list[str],
    next_due: date | None = None,
    file=None,
    url: str = "",
) -> dict[str, str]:
    """Return the errors of a drill and of its record as evidence, by field."""
    wrong = _wrong(initiative, link, kind, fault, expected, happened, observed_on, next_due)
    found = check_evidence(
        initiative,
        kind=EvidenceKind.DRILL_RECORD,
        title=_title(kind, link, observed_on),
        observed_on=observed_on,
        result=result,
        covers=covers,
        file=file,
        link=url,
        register=EvidenceRegister.DRILLS,
        details={"tested": kind},
    )
    return wrong | {{"link": "url", "title": "kind"}.get(name, name): words for name, words in found.items()}


def keep_drill(
    initiative: Initiative,
    *,
    link: Link | None,
    kind: str,
    fault: str,
    expected: str,
    happened: str,
    result: str,
    observed_on: date,
    covers: list[str],
    next_due: date | None = None,
    file=None,
    url: str = "",
    once: UUID | None = None,
    as_sent: bool = False,
    by: User,
) -> Drill:
    """Write the rows of a checked drill in the running act, with its evidence. `as_sent` as in `create_evidence`."""
    evidence = create_evidence(
        initiative,
        kind=EvidenceKind.DRILL_RECORD,
        title=_title(kind, link, observed_on),
        observed_on=observed_on,
        covers=covers,
        note=f"Planted: {FAULTS[fault]}\n\nExpected: {expected.strip()}\n\nHappened: {happened.strip()}",
        file=file,
        link=url,
        result=result,
        names=[*versions_named(initiative, observed_on), *([link.system] if link else [])],
        details=of_register(EvidenceRegister.DRILLS, kind),
        as_sent=as_sent,
        by=by,
    )
    row = Drill(
        initiative=initiative,
        link=link,
        kind=kind,
        fault=fault,
        expected=expected.strip(),
        happened=happened.strip(),
        result=result,
        observed_on=observed_on,
        next_due=next_due,
        evidence=evidence,
        once=once,
        by=by,
        at=clock.now(),
    )
    row.save()
    entries.record(
        EntryKind.DRILL_RECORDED,
        initiative=initiative,
        drill=row.pk,
        drill_kind=kind,
        fault=fault,
        of=str(link.system) if link else "",
        result=result,
        observed_on=observed_on,
        next_due=next_due,
        evidence=evidence.pk,
    )
    return row


def _title(kind: str, link: Link | None, observed_on: date | None) -> str:
    of = f", {link.system.name}" if link else ""
    on = f"{observed_on:%-d %B %Y}" if observed_on else "an unknown day"
    return f"{DRILL_KINDS.get(kind, '')} drill of {on}{of}"


def _wrong(initiative, link, kind, fault, expected, happened, observed_on, next_due) -> dict[str, str]:
    wrong = {}
    if kind not in DRILL_KINDS:
        wrong["kind"] = "Choose the kind of drill."
    if fault not in FAULTS:
        wrong["fault"] = "Choose the planted fault."
    if not expected.strip():
        wrong["expected"] = "Describe the expected result, as it was agreed before the drill."
    if not happened.strip():
        wrong["happened"] = "Describe what happened."
    if link is not None and (link.initiative_id != initiative.pk or link.ended_at is not None):
        wrong["link"] = "Choose a link of this initiative that has not ended."
    if next_due is not None and observed_on is not None and next_due <= observed_on:
        wrong["next_due"] = "Choose a next day that is after the day of this drill."
    return wrong


def withdraw_drill(*, drill: Drill, reason: str, by: User) -> Drill:
    """Withdraw a drill that was recorded wrongly, with its evidence. Both stay readable."""
    if not reason.strip():
        raise ValidationError({"reason": "Describe what was wrong with the drill."})
    with act("withdraw drill", by=by, initiative=drill.initiative_id, reason=reason) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        drill = Drill.objects.select_related("evidence").get(pk=drill.pk)
        if drill.withdrawn_at:
            raise Conflict(phrase("This drill was withdrawn on {}.", clock.local_day(drill.withdrawn_at)))
        drill.withdrawn_at, drill.withdrawn_by, drill.withdrawn_reason = clock.now(), by, reason.strip()
        drill.save()
        entries.record(
            EntryKind.DRILL_WITHDRAWN,
            initiative=initiative,
            drill=drill.pk,
            of=str(drill),
            why=drill.withdrawn_reason,
        )
        if drill.evidence is not None and drill.evidence.withdrawn_at is None:
            drill.evidence.initiative = initiative
            withdraw_row(initiative, drill.evidence, drill.withdrawn_reason)
        if not follow([initiative]):
            rewrite_supported_stage(initiative)
    return drill
