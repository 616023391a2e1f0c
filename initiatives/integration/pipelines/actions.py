"""Acts on pipelines: declare, end, and what a pipeline files itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from governance import clock
from governance.audit_log import entries
from governance.files.plain_text import emptiness
from governance.gates import remarks
from governance.gates.evidence_rules import CONDITION_RANK
from governance.identity.providers import jwk_rules
from governance.identity.providers.denials import Denied
from governance.models import Rulebook, User
from governance.permission_result import no
from governance.vocabulary import EvidenceKind, PipelinePlatform, ReportFormat, strict_json
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.integration.pipelines import issuer_keys, platforms
from initiatives.integration.pipelines.job_tokens import Read
from initiatives.integration.pipelines.reports import Report
from initiatives.integration.resilience import drills
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.evidence.actions import (
    check_evidence,
    create_evidence,
    kept_details,
    rewrite_for_item,
)
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Evidence, Initiative, Pipeline, PipelineReport, PipelineToken

MOST = 20  # pipelines of an initiative at once; a token is compared with each
OWN_KEYS = (PipelinePlatform.KUBERNETES, PipelinePlatform.OTHER, PipelinePlatform.GITLAB)
USED = "The token was already used. Ask the platform for a new token for each result."


class UsedToken(Exception):
    """The token filed a result before. The message has the fix."""


@dataclass(frozen=True)
class Filing:
    """The fields of a request beside its report: requirements, conditions, and the run as the sender named it."""

    form: str
    covers: list[str]
    condition: str = ""
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
    if why := issuer_keys.check_issuer(issuer):
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
        pipeline.ended_at, pipeline.ended_by, pipeline.ended_reason = clock.now(), by, reason.strip()
        pipeline.save()
        entries.record(
            EntryKind.PIPELINE_ENDED, initiative=initiative, pipeline=pipeline.pk, name=pipeline.name
        )
    return pipeline


def file_result(
    *, pipeline: Pipeline, token: Read, report: Report, filing: Filing, body: bytes
) -> PipelineReport:
    """File one result of a pipeline as evidence, with the body as its file, and spend the token.

    The item comes by the same checks and rows as that of a person. Its author is who declared the pipeline, and must
    still work on the initiative. A newer result replaces the pipeline's earlier one of the same format, subject and
    requirements (`_earlier`). The supported stage is computed in the same transaction. Raises Refused, UsedToken, and
    ValidationError by field.
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
        item = _filed(initiative, pipeline, report, filing, body)
        rules, claims = platforms.PLATFORMS[pipeline.platform], token.claims
        signed_run = " ".join(str(claims[name]) for name in rules.run if name in claims)
        row = PipelineReport(
            pipeline=pipeline,
            evidence=item,
            format=filing.form,
            commit=platforms.shown(claims.get(rules.commit) or report.commit or filing.commit)[:80],
            run=(signed_run or filing.run)[:300],
            artefact=(filing.artefact or report.artefact)[:140],
            figures=[list(pair) for pair in report.figures],
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
            claims=row.claims,
        )
        rewrite_for_item(initiative, item)
    return row


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


def _filed(
    initiative: Initiative, pipeline: Pipeline, report: Report, filing: Filing, body: bytes
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
    condition = filing.condition if report.kind in Rulebook.objects.current().parsed.condition_kinds else ""
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
        supersedes=_earlier(pipeline, filing, details.get("tested", ""), observed_on),
        details=details,
        as_sent=True,
        by=pipeline.by,
        **said,
    )


def _earlier(pipeline: Pipeline, filing: Filing, tested: str, observed_on: date) -> Evidence | None:
    """Return the newest item of this pipeline that the new one replaces, or None. It replaces no later day.

    An item that a person verified stays: a nightly result would take its level away, and nobody verifies each night.
    A measured result needs no verifier and replaces any earlier one.
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
    if pipeline.keys or not all(_measures(key, filing) for key in wanted):
        rows = rows.exclude(verifications__shows=True)
    return next(
        (
            row
            for row in rows
            if row.details.get("tested", "") == tested
            and {one.requirement for one in row.coverage.all()} == wanted
        ),
        None,
    )


def _measures(key: str, filing: Filing) -> bool:
    """Return True if a result of a pipeline under this condition is a measured answer to the requirement."""
    asked = Rulebook.objects.current().parsed.requirements.get(key)
    return (
        asked is not None
        and "pipeline" in asked.ways
        and CONDITION_RANK.get(filing.condition, 0) >= CONDITION_RANK[asked.min_condition or ""]
    )
