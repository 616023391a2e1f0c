"""Acts on pipelines: declare, confirm, end, and what a pipeline files itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from governance import clock
from governance.audit_log import entries
from governance.files.plain_text import emptiness
from governance.gates import remarks
from governance.identity.providers import jwk_rules
from governance.identity.providers.denials import Denied
from governance.models import Rulebook, User
from governance.permission_result import Answer, no
from governance.rulebook import Requirement
from governance.vocabulary import (
    EvidenceCondition,
    EvidenceKind,
    PipelinePlatform,
    ReportFormat,
    ThresholdSide,
    strict_json,
)
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.integration.components.actions import record_digest
from initiatives.integration.pipelines import bars, issuer_keys, platforms, reports
from initiatives.integration.pipelines.job_tokens import Read
from initiatives.integration.pipelines.reports import Bar, Report
from initiatives.integration.resilience import drills
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.evidence.actions import (
    check_evidence,
    create_evidence,
    kept_details,
    rewrite_for_item,
)
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Evidence, Initiative, Pipeline, PipelineBar, PipelineReport, PipelineToken

MOST_TESTS = 2_000  # names in a bar
BAR_FORMATS = (ReportFormat.JUNIT, ReportFormat.EVALUATION, ReportFormat.DRILL)
MOST = 20  # pipelines of an initiative at once; a token is compared with each
OWN_KEYS = (PipelinePlatform.KUBERNETES, PipelinePlatform.OTHER, PipelinePlatform.GITLAB)
USED = "The token was already used. Ask the platform for a new token for each result."


class UsedToken(Exception):
    """The token filed a result before. The message has the fix."""


@dataclass(frozen=True)
class Filing:
    """The fields of a request beside its report: format, requirements, and the run as the sender named it."""

    form: str
    covers: list[str]
    commit: str = ""
    run: str = ""
    artefact: str = ""


def declare_pipeline(
    *,
    initiative: Initiative,
    name: str,
    platform: str,
    issuer: str = "",
    bound: Mapping[str, Any],
    keys: str = "",
    by: User,
) -> Pipeline:
    """Declare a pipeline that may file evidence. Its declarer counts as the author of what it files.

    `keys` is the issuer's JWKS as a text, if Plumbline cannot fetch it. Raises Refused, ValidationError by field.
    """
    if platform not in PipelinePlatform:
        raise ValidationError({"platform": "Choose the platform of the pipeline."})
    issuer = issuer.strip() or platforms.PLATFORMS[platform].issuer
    wrong = platforms.wrong_with(platform, bound)
    if not name.strip() or emptiness(name):
        wrong["name"] = "Enter the name that people use for the pipeline."
    if why := issuer_keys.check_issuer(issuer) or platforms.wrong_issuer(platform, issuer):
        wrong["issuer"] = why
    published, why = _published(platform, keys)
    if why:
        wrong["keys"] = why
    if wrong:
        raise ValidationError(wrong)
    with act("declare pipeline", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        if initiative.pipelines.current().count() >= MOST:
            no(
                phrase("The initiative has {} pipelines.", MOST), "End a pipeline that is no longer used."
            ).or_refuse()
        row = Pipeline(
            initiative=initiative,
            name=name.strip(),
            platform=platform,
            issuer=issuer,
            bound=platforms.bound_of(platform, bound),
            keys=published,
            by=by,
            at=clock.now(),
        )
        row.save()
        entries.record(
            EntryKind.PIPELINE_DECLARED,
            initiative=initiative,
            pipeline=row.pk,
            name=row.name,
            platform=row.platform,
            issuer=row.issuer,
            bound=row.bound,
            keys=[jwk_rules.thumbprint(key) for key in row.keys],
        )
    return row


def _published(platform: str, keys: str) -> tuple[list, str]:
    """Return the usable keys of a JWKS that a person entered, and what is wrong with it."""
    if not keys.strip():
        return [], ""
    if platform not in OWN_KEYS:
        return [], "Leave the keys empty. Plumbline fetches the keys of this platform."
    try:
        return jwk_rules.usable(strict_json.read(keys.encode())), ""
    except (strict_json.NotJson, Denied, UnicodeError):
        return (
            [],
            "Enter the JSON that the issuer publishes at its jwks_uri, with RSA, P-256 or Ed25519 keys.",
        )


def end_pipeline(*, pipeline: Pipeline, reason: str, by: User) -> Pipeline:
    """End a pipeline at once. The filed evidence stays. Raises Refused, ValidationError."""
    if not reason.strip():
        raise ValidationError({"reason": "Give a reason. The reason is kept with the pipeline."})
    with act("end pipeline", by=by, initiative=pipeline.initiative_id, reason=reason) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        pipeline = Pipeline.objects.get(pk=pipeline.pk)
        if pipeline.ended_at is not None:
            no("This pipeline has already ended.").or_refuse()
        _end(pipeline, initiative, reason.strip(), by)
    return pipeline


def end_all(initiative: Initiative, why: str, *, by: User) -> None:
    """End every pipeline inside the act that reopens the initiative, because its reports are from before the stop."""
    for pipeline in initiative.pipelines.filter(ended_at=None):
        _end(pipeline, initiative, why, by)


def _end(pipeline: Pipeline, initiative: Initiative, reason: str, by: User) -> None:
    pipeline.ended_at, pipeline.ended_by, pipeline.ended_reason = clock.now(), by, reason
    pipeline.save()
    entries.record(EntryKind.PIPELINE_ENDED, initiative=initiative, pipeline=pipeline.pk, name=pipeline.name)


def declare_bar(
    *,
    pipeline: Pipeline,
    requirement: str,
    format: str,
    tests: Sequence[str] = (),
    tested: str = "",
    condition: str = "",
    threshold: Decimal | None = None,
    side: str = ThresholdSide.AT_LEAST.value,
    by: User,
) -> PipelineBar:
    """Declare what a pipeline must show for a requirement. It counts once a seat of the requirement has confirmed it.

    `tests` has the names that `Report.names` gives, at least one. `threshold` is the least share of passed tests, or
    the value that a metric must reach. An earlier declaration for the same requirement and format ends. The
    filed evidence stays. Raises Refused, ValidationError by field.
    """
    names = list(dict.fromkeys(reports.plain(one, reports.TEST_NAME) for one in tests if one.strip()))
    asked = Rulebook.objects.current().parsed.requirements.get(requirement)
    if wrong := _wrong_bar(asked, format, names, tested, condition, threshold, side):
        raise ValidationError(wrong)
    with act("declare bar", by=by, initiative=pipeline.initiative_id) as initiative:
        initiative_permissions.may_change_what_runs(initiative, by).or_refuse()
        pipeline = Pipeline.objects.get(pk=pipeline.pk)
        if pipeline.ended_at is not None:
            no("This pipeline has ended.", "Declare the pipeline again.").or_refuse()
        earlier = pipeline.bars.current().filter(requirement=requirement, format=format).first()
        if earlier is not None:
            earlier.ended_at = clock.now()
            earlier.save()
        row = PipelineBar(
            initiative=initiative,
            pipeline=pipeline,
            requirement=requirement,
            format=format,
            tests=names,
            tested=tested,
            condition=condition,
            threshold=threshold,
            side=side,
            by=by,
            at=clock.now(),
        )
        row.save()
        entries.record(
            EntryKind.BAR_DECLARED,
            initiative=initiative,
            pipeline=pipeline.pk,
            name=pipeline.name,
            bar=row.pk,
            requirement=requirement,
            format=format,
            tests=names,
            tested=tested,
            condition=condition,
            threshold=None if threshold is None else str(threshold),
            side=side,
        )
    return row


def _wrong_bar(
    asked: Requirement | None,
    format: str,
    names: Sequence[str],
    tested: str,
    condition: str,
    threshold: Decimal | None,
    side: str,
) -> dict[str, str]:
    """Return by field what is wrong with a declared bar."""
    wrong: dict[str, str] = {}
    if asked is None:
        return {"requirement": "Choose a requirement of the rulebook."}
    if format not in BAR_FORMATS:
        wrong["format"] = "Choose tests, an evaluation or a drill."
    if not names:
        wrong["tests"] = "Name at least one test, drill or metric, each on its own line."
    elif len(names) > MOST_TESTS:
        wrong["tests"] = phrase(
            "Name at most {} tests. Declare another pipeline for the others.", f"{MOST_TESTS:,}"
        )
    elif format == ReportFormat.EVALUATION and len(names) > 1:
        wrong["tests"] = "Name one metric."
    if asked.tested and format != ReportFormat.DRILL and tested not in asked.tested:
        wrong["tested"] = phrase("Choose the subject that the requirement asks: {}.", ", ".join(asked.tested))
    if condition and condition not in EvidenceCondition:
        wrong["condition"] = "Choose the test condition."
    if side not in ThresholdSide:
        wrong["side"] = "Choose on which side of the threshold the metric is good."
    if threshold is None and format == ReportFormat.EVALUATION:
        wrong["threshold"] = "Enter the value that the metric must reach."
    if threshold is not None and format == ReportFormat.JUNIT and not 0 < threshold <= 1:
        wrong["threshold"] = (
            "Enter the least share of passed tests as a number above 0 and up to 1, like 0.95."
        )
    return wrong


def seats_confirming(row: Pipeline | PipelineBar) -> tuple[str, ...]:
    """Return the seats that may confirm a pipeline, or what it must show for a requirement."""
    rulebook = Rulebook.objects.current().parsed.at_tier(row.initiative.tier)
    if isinstance(row, Pipeline):
        return (rulebook.pipeline_seat,)
    return rulebook.seats_asking(row.requirement)


def may_confirm(row: Pipeline | PipelineBar, person: User) -> Answer:
    """Allow a holder of a confirming seat who is on no team. A pipeline with pasted keys is never confirmed."""
    pipeline = row if isinstance(row, Pipeline) else row.pipeline
    if pipeline.ended_at is not None or row.ended_at is not None:
        return no("The declaration has ended.", "Open the page of pipelines again.")
    if pipeline.keys:
        return no(
            "A person entered the keys of this pipeline, so its results are documented at most.",
            "Ask the owner to declare an issuer that publishes its keys.",
        )
    return initiative_permissions.may_accept_exception(row.initiative, seats_confirming(row), person)


def confirm_pipeline(*, pipeline: Pipeline, by: User) -> Pipeline:
    """Confirm that this platform, issuer and binding may speak for the initiative. Raises Refused."""
    return cast(Pipeline, _confirm(pipeline, EntryKind.PIPELINE_CONFIRMED, by))


def confirm_bar(*, bar: PipelineBar, by: User) -> PipelineBar:
    """Confirm what a pipeline must show for a requirement. Raises Refused."""
    return cast(PipelineBar, _confirm(bar, EntryKind.BAR_CONFIRMED, by))


def _confirm(row: Pipeline | PipelineBar, kind: EntryKind, by: User) -> Pipeline | PipelineBar:
    pipeline = row if isinstance(row, Pipeline) else row.pipeline
    with act(kind.removesuffix("ed"), by=by, initiative=row.initiative_id) as initiative:
        row = type(row).objects.get(pk=row.pk)
        may_confirm(row, by).or_refuse()
        held = roles_and_seats.seats_of(initiative, by)
        days = Rulebook.objects.current().parsed.freshness.pipeline_days
        row.confirmed_by, row.confirmed_at = by, clock.now()
        row.confirmed_seat = next(seat for seat in held if seat in seats_confirming(row))
        row.confirmed_until = row.confirmed_at + timedelta(days=days)
        row.save()
        bar = {} if isinstance(row, Pipeline) else {"bar": row.pk, "requirement": row.requirement}
        entries.record(
            kind,
            initiative=initiative,
            pipeline=pipeline.pk,
            name=pipeline.name,
            seat=row.confirmed_seat,
            **bar,
        )
    return row


def file_result(
    *, pipeline: Pipeline, token: Read, report: Report, filing: Filing, body: bytes
) -> PipelineReport:
    """File one result of a pipeline as evidence, with the body as its file, and spend the token.

    The item comes by the same checks and rows as that of a person. Its author is who declared the pipeline, and must
    still work on the initiative. A newer result replaces the pipeline's earlier one of the same format, subject and
    requirements (`_earlier`). The supported stage is computed in the same transaction. Raises Refused, UsedToken,
    Unreadable, and ValidationError by field.
    """
    with act(
        "file result", system=f"pipeline {pipeline.name}", initiative=pipeline.initiative_id
    ) as initiative:
        pipeline = Pipeline.objects.select_related("by").get(pk=pipeline.pk)
        if pipeline.ended_at is not None:
            no("This pipeline has ended.", "Ask the owner of the initiative to declare it again.").or_refuse()
        if not _may_file(initiative, pipeline.by):
            no(
                "The initiative takes no evidence of this pipeline now: the initiative is closed, or who declared the "
                "pipeline no longer works on it.",
                "Ask the owner of the initiative to declare the pipeline again.",
            ).or_refuse()
        _spend(token)
        declared = _bars(pipeline, filing)
        bar = _one_bar(declared, filing.covers)
        measures = _measured(pipeline, declared, report)
        report = bars.held_against(report, bar)
        item = _filed(initiative, pipeline, report, filing, body, bar.condition, bool(measures))
        rules, claims = platforms.PLATFORMS[pipeline.platform], token.claims
        signed_run = " ".join(str(claims[name]) for name in rules.run if name in claims)
        row = PipelineReport(
            pipeline=pipeline,
            evidence=item,
            format=filing.form,
            commit=platforms.shown(claims.get(rules.commit) or report.commit or filing.commit)[:80],
            run=reports.plain(signed_run or filing.run, 300),
            artefact=(filing.artefact or report.artefact)[:140],
            figures=[list(pair) for pair in report.figures],
            measures=measures,
            claims={name: platforms.shown(claims[name]) for name in (*rules.kept, "sub") if name in claims},
            at=clock.now(),
        )
        row.save()
        entries.record(
            EntryKind.RESULT_FILED,
            initiative=initiative,
            pipeline=pipeline.pk,
            name=pipeline.name,
            evidence=item.pk,
            format=row.format,
            commit=row.commit,
            run=row.run,
            artefact=row.artefact,
            figures=row.figures,
            measures=row.measures,
            claims=row.claims,
        )
        if filing.form == ReportFormat.DEPLOYMENT and _trusted(pipeline):
            record_digest(initiative, dict(report.figures)["version"], row.artefact)
        rewrite_for_item(initiative, item)
    return row


def _trusted(pipeline: Pipeline) -> bool:
    """Return True if a seat has confirmed the pipeline. A person who has pasted keys can sign as the pipeline."""
    return not pipeline.keys and pipeline.confirmed(clock.now())


def _may_file(initiative: Initiative, declarer: User) -> bool:
    """Return True while the initiative is open and the person who declared the pipeline may add evidence."""
    ended = initiative.withdrawn_at or initiative.closed
    return not ended and bool(initiative_permissions.may_collaborate(initiative, declarer))


def _spend(token: Read) -> None:
    """Keep the token as used, and forget those that have expired. Raises UsedToken."""
    PipelineToken.objects.filter(expires_at__lt=clock.now()).delete()
    try:
        with transaction.atomic():
            PipelineToken.objects.create(
                digest=token.digest, expires_at=datetime.fromtimestamp(token.expires, UTC)
            )
    except IntegrityError:
        raise UsedToken(USED) from None


def _bars(pipeline: Pipeline, filing: Filing) -> list[PipelineBar]:
    """Return what is declared for the requirements and the format of a result."""
    rows = pipeline.bars.current()
    return list(rows.filter(requirement__in=filing.covers, format=bars.family(filing.form)))


def _one_bar(declared: list[PipelineBar], covers: list[str]) -> Bar:
    """Return the bar of a result. All requirements that it names must have the same. Raises Unreadable.

    Without a bar all tests must pass, the condition is the easiest, and the subject is the only one that all ask.
    """
    found = {bar_of(row) for row in declared}
    if len(found) > 1:
        raise reports.Unreadable(
            "The pipeline must show different things for these requirements. File one result for each requirement."
        )
    if found:
        return found.pop()
    known = Rulebook.objects.current().parsed.requirements
    asked = {word for key in covers if key in known for word in known[key].tested}
    return Bar(tested=asked.pop() if len(asked) == 1 else "", condition=EvidenceCondition.CURATED.value)


def bar_of(row: PipelineBar) -> Bar:
    """Return the bar of a row as reports are held against it."""
    return Bar(tuple(row.tests), row.threshold, row.side, row.tested, row.condition)


def _measured(pipeline: Pipeline, declared: list[PipelineBar], report: Report) -> list[str]:
    """Return the requirements for which the report is measured: their bar and the pipeline are confirmed.

    Evaluations are documented, because the team chose their data set.
    """
    if not _trusted(pipeline) or report.figure is not None:
        return []
    now = clock.now()
    return sorted(row.requirement for row in declared if row.confirmed(now))


def _filed(
    initiative: Initiative,
    pipeline: Pipeline,
    report: Report,
    filing: Filing,
    body: bytes,
    condition: str,
    measured: bool,
) -> Evidence:
    """Check and create the item of evidence inside the running act. Raises ValidationError."""
    label = ReportFormat.word(filing.form)
    name = f"{filing.form}.{'txt' if filing.form == ReportFormat.JUNIT else 'json'}"
    file = ContentFile(body, name=name)
    observed_on = clock.local_day(report.at) if report.at else clock.today()
    if report.kind == EvidenceKind.DRILL_RECORD:
        drill = dict(report.drill)
        system = drill.pop("system")
        link = initiative.links.current().filter(system__name=system).first() if system else None
        if system and link is None:
            raise ValidationError(
                {"system": phrase("The initiative has no link to “{}”. Name a linked system.", system)}
            )
        said: dict[str, Any] = drill | {
            "link": link,
            "result": report.result,
            "observed_on": observed_on,
            "covers": filing.covers,
            "file": file,
        }
        if wrong := drills.check_drill(initiative, **said):
            raise ValidationError(wrong)
        return cast(Evidence, drills.keep_drill(initiative, **said, as_sent=True, by=pipeline.by).evidence)
    condition = condition if report.kind in Rulebook.objects.current().parsed.condition_kinds else ""
    title = f"{label} of {pipeline.name}, {clock.now():%Y-%m-%d %H:%M}"[:200]
    said = {
        "kind": report.kind,
        "observed_on": observed_on,
        "covers": filing.covers,
        "file": file,
        "result": report.result,
        "condition": condition,
    }
    if wrong := check_evidence(initiative, title=title, details=report.details, **said):
        raise ValidationError(wrong)
    details = kept_details(report.kind, report.details, file)
    if filing.form in (ReportFormat.JUNIT, ReportFormat.TEST_RESULT):
        details |= {remarks.SUITE: True} | ({remarks.TOLD: report.told} if report.told else {})
    return create_evidence(
        initiative,
        title=title,
        supersedes=_earlier(pipeline, filing, details.get("tested", ""), observed_on, measured),
        details=details,
        as_sent=True,
        by=pipeline.by,
        **said,
    )


def _earlier(
    pipeline: Pipeline, filing: Filing, tested: str, observed_on: date, measured: bool
) -> Evidence | None:
    """Return the newest item of this pipeline that the new one replaces, or None. It replaces no later day.

    An item that a person verified stays: a nightly result would take its level away, and nobody verifies each night.
    A measured result needs no verifier and replaces any earlier one. Only a measured one replaces a measured one.
    """
    wanted = set(filing.covers)
    rows = (
        Evidence.objects.filter(
            pipeline_report__pipeline=pipeline,
            pipeline_report__format=filing.form,
            withdrawn_at__isnull=True,
            superseded_by__isnull=True,
            observed_on__lte=observed_on,
        )
        .prefetch_related("coverage")
        .order_by("-pk")
    )
    if not measured:
        rows = rows.exclude(verifications__shows=True).filter(pipeline_report__measures=[])
    return next(
        (
            row
            for row in rows
            if row.details.get("tested", "") == tested
            and {one.requirement for one in row.coverage.all()} == wanted
        ),
        None,
    )
