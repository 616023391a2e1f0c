"""Acts on samples of outputs: ask, draw once the request is sealed, judge, keep."""

import json
from datetime import date, timedelta

import structlog
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.interaction_log import keys
from governance.models import Entry, Interaction, User
from governance.permission_result import Conflict
from governance.transparency_log import sealing
from governance.vocabulary import EvidenceResult
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.integration.resilience import trace_sampling, traces
from initiatives.interactions.anchoring import drawn_outputs
from initiatives.interactions.permissions import is_outside, may_judge_outputs
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.findings.sync import follow
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import Initiative, OutputJudgement, OutputSample, SampledOutput, System

log = structlog.get_logger("plumbline.interactions")

SYSTEM = "drawing of outputs"


def ask_for_sample(
    *, initiative: Initiative, first: date, last: date, wanted: int, target: float, by: User
) -> OutputSample:
    """Ask for a sample of outputs of these days. `target`: the share that has to trace.

    The target is set before the draw. Raises ValidationError by field, Refused, Conflict while another sample is open.
    """
    wrong, today = {}, clock.today()
    if not OutputSample.LEAST <= wanted <= OutputSample.MOST:
        wrong["wanted"] = f"Choose from {OutputSample.LEAST} to {OutputSample.MOST} outputs."
    if not 0.5 <= target <= 0.99:
        wrong["target"] = "Choose from 50 to 99 %."
    if first > last or last >= today:
        wrong["last"] = "Choose a last day that is before today and not before the first day."
    elif (last - first).days >= OutputSample.LONGEST:
        wrong["last"] = f"Choose at most {OutputSample.LONGEST} days."
    if wrong:
        raise ValidationError(wrong)
    with act("ask for a sample of outputs", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        if not drawn_outputs.any_output(initiative.number, first, last):
            raise ValidationError(
                {"first": "The interaction log has no output of these days. Choose other days."}
            )
        if initiative.output_samples.filter(trace__isnull=True).exists():
            raise Conflict("Another sample is not judged yet.", "Ask a reviewer to judge that sample first.")
        row = OutputSample(
            initiative=initiative, first=first, last=last, wanted=wanted, target=target, by=by, at=clock.now()
        )
        row.save()
        entries.record(
            EntryKind.OUTPUT_SAMPLE_ASKED_FOR,
            initiative=initiative,
            sample=row.pk,
            first=first,
            last=last,
            wanted=wanted,
            target=f"{target:.0%}",
        )
    return row


def draw_due() -> list[OutputSample]:
    """Draw the samples whose request is sealed. Two runs at once draw each sample once."""
    found = []
    for sample in OutputSample.objects.filter(checkpoint__isnull=True).order_by("pk"):
        try:
            row = draw(sample.pk, sample.initiative_id)
        except keys.NoMaster:
            log.warning("a sample cannot be drawn without the master key", sample=sample.pk)
            continue
        if row is not None:
            found.append(row)
    return found


def draw(sample: int, initiative: int) -> OutputSample | None:
    """Draw a sample once, or return None if unsealed or already drawn. Raises NoMaster."""
    with act("draw outputs", system=SYSTEM, initiative=initiative) as locked:
        row = OutputSample.objects.get(pk=sample)
        asked = Entry.objects.acts().filter(
            initiative_ref=locked.ref,
            kind=EntryKind.OUTPUT_SAMPLE_ASKED_FOR,
            at__gte=row.at - timedelta(minutes=1),
        )
        entry = next((one for one in asked.order_by("-pk") if one.facts["facts"]["sample"] == row.pk), None)
        if row.checkpoint_id is not None or entry is None:
            return None
        try:
            seed = sealing.checkpoint_for(entry)
        except sealing.NotSealedYet:
            return None
        sources = trace_sampling.governed_sources(locked)
        order = drawn_outputs.seed_of(bytes(seed.root), locked.ref, row.pk)
        calls, row.among = drawn_outputs.drawn(locked.number, row.first, row.last, order, row.wanted)
        row.checkpoint, row.drawn_at = seed, clock.now()
        row.save()
        count = 0
        for call in calls:
            opened, named = drawn_outputs.opened(call)
            if opened.report is None or count == row.wanted:
                continue
            count += 1
            _keep(row, count, call, [source.id for source in named if source.id], sources)
        entries.record(
            EntryKind.OUTPUTS_DRAWN,
            initiative=locked,
            sample=row.pk,
            drawn=count,
            among=row.among,
            checkpoint=seed.size,
            root=bytes(seed.root).hex(),
        )
    return row


def _keep(sample: OutputSample, place: int, call: Interaction, named: list[str], sources) -> None:
    said = {"output": list(dict.fromkeys(named))[: trace_sampling.MOST_CITED]}
    governed = trace_sampling.check(said, sources).lines[0]["cites"]
    SampledOutput(
        sample=sample,
        place=place,
        interaction=call.pk,
        at=call.at,
        digest=bytes(call.digest).hex(),
        sources=len(said["output"]),
        governed=sorted({one["system"] for one in governed if one["governed"]}),
    ).save()


def open_output(*, output: SampledOutput, by: User):
    """Record the reading, and return a drawn output in clear with its sources. Raises Refused, NoMaster."""
    initiative = output.sample.initiative
    may_judge_outputs(initiative, by).or_refuse()
    row = Interaction.objects.select_related("batch").filter(at=output.at, pk=output.interaction).first()
    if row is None:
        return None, []
    with row_history.acting(by=by, reason=""):
        entries.record(
            EntryKind.INTERACTION_OPENED,
            initiative=initiative,
            interaction=row.pk,
            at=row.at,
            digest=output.digest,
            way="sample",
        )
    return drawn_outputs.opened(row)


def judge_output(*, output: SampledOutput, traces_to_it: bool, words: str, by: User) -> OutputJudgement:
    """Record whether a drawn output follows from its sources. The last one keeps the sample.

    Raises ValidationError on "words", Refused, and Conflict if someone judged it first.
    """
    if not traces_to_it and not words.strip():
        raise ValidationError(
            {"words": "Explain what is missing in the sources. Do not repeat what people wrote."}
        )
    with act("judge output", by=by, initiative=output.sample.initiative_id) as initiative:
        may_judge_outputs(initiative, by).or_refuse()
        if OutputJudgement.objects.filter(output=output).exists():
            raise Conflict("Someone has already judged this output.", "Continue with the next output.")
        row = OutputJudgement(
            output=output,
            by=by,
            outside=is_outside(initiative, by),
            traces=traces_to_it,
            words=words.strip(),
            at=clock.now(),
        )
        row.save()
        sample = OutputSample.objects.get(pk=output.sample_id)
        if not sample.outputs.filter(judgement__isnull=True).exists():
            _conclude(initiative, sample)
    return row


def _conclude(initiative: Initiative, sample: OutputSample) -> None:
    """Keep a fully judged sample as evidence, with a file that has none of its texts."""
    outputs = list(sample.outputs.select_related("judgement"))
    names = dict(
        System.objects.filter(pk__in={pk for one in outputs for pk in one.governed}).values_list("pk", "name")
    )
    lines = []
    for one in outputs:
        cited = [names[pk] for pk in one.governed if pk in names] if one.judgement.traces else []
        lines.append({"output": f"{one.place} {one.digest}", "sources": cited})
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    checked = trace_sampling.check(
        trace_sampling.read_sample(content, "sample.jsonl"), trace_sampling.governed_sources(initiative)
    )
    outside = all(one.judgement.outside for one in outputs)
    seed = sample.checkpoint.size if sample.checkpoint else 0
    sample.trace = traces.keep_sample(
        initiative,
        title=f"Outputs of {sample.first:%-d %B} to {sample.last:%-d %B %Y}, drawn by the audit log",
        taken_on=clock.today(),
        result=EvidenceResult.PASS if checked.low >= sample.target else EvidenceResult.FAIL,
        file=ContentFile(content, name=f"{initiative.ref}-sample-{sample.pk}.jsonl"),
        note=f"Drawn by checkpoint {seed} from {sample.among:,} outputs. The target was "
        f"{sample.target:.0%} traced outputs. Judged " + ("outside the team." if outside else "in the team."),
        checked=checked,
        by=sample.by,
    )
    sample.save()
    entries.record(
        EntryKind.OUTPUT_SAMPLE_JUDGED,
        initiative=initiative,
        sample=sample.pk,
        outputs=checked.outputs,
        hits=checked.hits,
        outside=outside,
    )
    follow([initiative])
    rewrite_supported_stage(initiative)
