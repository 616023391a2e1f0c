"""Trace samples: outputs checked for governed sources, kept as evidence (S0-22)."""

from datetime import date

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.tables.encodings import wrong
from governance.vocabulary import EvidenceRegister, EvidenceResult
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.integration.resilience import trace_sampling
from initiatives.lifecycle.evidence.actions import check_evidence, create_evidence, versions_named
from initiatives.lifecycle.evidence.artefact_kinds import of_register
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import Initiative, System, TraceSample

REQUIREMENT, KIND = "int.anchor", "log_sample"


def look_at_sample(initiative: Initiative, file) -> trace_sampling.Checked:
    """Check a file against the present register, and keep nothing. Raises ValidationError on "file"."""
    if file.size > trace_sampling.MOST_BYTES:
        raise wrong(
            f"The file is larger than {trace_sampling.MOST_BYTES // 1024 // 1024} MB. Draw a smaller sample."
        )
    file.seek(0)
    content = file.read()
    file.seek(0)
    return trace_sampling.check(
        trace_sampling.read_sample(content, file.name), trace_sampling.governed_sources(initiative)
    )


def add_trace_sample(
    *, initiative: Initiative, title: str, taken_on: date, result: str, file, note: str = "", by: User
) -> TraceSample:
    """Check a sample of outputs against the register, and keep it as evidence.

    The evidence is the file, for int.anchor. The figures are computed. `result` is the person's word on whether they
    are enough, as the initiative declared. A sample without a hit cannot pass. The evidence names the cited systems, so
    that a change of one ends it. Raises ValidationError by field, or Refused.
    """
    with act("add trace sample", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        if file is None:
            raise ValidationError({"file": "Attach the sample as csv or jsonl."})
        if len(title) > 160:
            raise ValidationError({"title": "The title is longer than 160 characters."})
        problems = check_evidence(
            initiative,
            kind=KIND,
            title=title,
            observed_on=taken_on,
            result=result,
            covers=[REQUIREMENT],
            file=file,
            register=EvidenceRegister.TRACES,
        )
        if problems:
            raise ValidationError(
                {{"observed_on": "taken_on"}.get(name, name): said for name, said in problems.items()}
            )
        checked = look_at_sample(initiative, file)
        if result == EvidenceResult.PASS and not checked.hits:
            words = "No output cites a governed source, so the result cannot be pass. Choose partial or fail."
            raise ValidationError({"result": words})
        row = _keep_sample(
            initiative,
            title=title.strip(),
            taken_on=taken_on,
            result=result,
            file=file,
            note=note.strip(),
            checked=checked,
            by=by,
        )
        rewrite_supported_stage(initiative)
    return row


def _keep_sample(
    initiative: Initiative,
    *,
    title: str,
    taken_on: date,
    result: str,
    file,
    note: str,
    checked: trace_sampling.Checked,
    by: User,
) -> TraceSample:
    """Write the rows of a checked sample in the running act, with its evidence."""
    systems = System.objects.filter(pk__in=checked.systems).order_by("pk")
    evidence = create_evidence(
        initiative,
        kind=KIND,
        title=title,
        observed_on=taken_on,
        covers=[REQUIREMENT],
        note=f"{in_words(checked)}\n{note}".strip(),
        file=file,
        result=result,
        names=[*versions_named(initiative, taken_on), *systems],
        details=of_register(EvidenceRegister.TRACES),
        by=by,
    )
    row = TraceSample(
        initiative=initiative,
        title=title,
        taken_on=taken_on,
        outputs=checked.outputs,
        hits=checked.hits,
        low=checked.low,
        high=checked.high,
        ungoverned=checked.ungoverned,
        lines=checked.lines,
        sha256=evidence.sha256,
        evidence=evidence,
        by=by,
        at=clock.now(),
    )
    row.save()
    entries.record(
        EntryKind.TRACE_SAMPLE_ADDED,
        initiative=initiative,
        sample=row.pk,
        outputs=row.outputs,
        hits=row.hits,
        result=result,
        evidence=evidence.pk,
        sha256=row.sha256,
    )
    return row


def in_words(found) -> str:
    """Return the figures in words, like "48 of 50 outputs cite a governed source..."."""
    return (
        f"{found.hits} of {found.outputs} outputs cite a governed source: "
        f"{found.hits / found.outputs:.0%}. The 95 % confidence range for all outputs is {found.low:.0%} "
        f"to {found.high:.0%}."
    )
