"""Acts on evaluations of models: a threshold is declared, then a result recorded; what is wrong is withdrawn.

Whether a result meets its threshold is computed (`ModelEvaluation.meets`); nobody says it.
"""

from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary import Comparison, Layer
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.integration.components import permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Deployment, Initiative, ModelEvaluation


def declare_evaluation(
    *,
    initiative: Initiative,
    deployment: Deployment,
    data_set: str,
    metric: str,
    comparison: str,
    threshold: Decimal,
    by: User,
) -> ModelEvaluation:
    """Say, before anything is measured, on which data a model is tried and what result is good enough.

    It counts as declared today, whatever day it was thought of. Raises ValidationError or Refused.
    """
    wrong = {}
    if deployment.initiative_id != initiative.pk or deployment.version.layer != Layer.MODEL:
        wrong["deployment"] = "Choose a version of a model that this initiative runs."
    if not data_set.strip():
        wrong["data_set"] = "Name the data set, so that somebody else finds it."
    if not metric.strip():
        wrong["metric"] = "Name the metric, for instance accuracy."
    if comparison not in Comparison:
        wrong["comparison"] = "Say on which side of the threshold the result has to lie."
    if wrong:
        raise ValidationError(wrong)
    with act("declare evaluation", by=by, initiative=initiative) as initiative:
        permissions.may_evaluate(initiative, by).or_refuse()
        evaluation = ModelEvaluation(
            initiative=initiative,
            deployment=deployment,
            data_set=data_set.strip(),
            metric=metric.strip(),
            comparison=comparison,
            threshold=threshold,
            declared_by=by,
            declared_on=clock.today(),
        )
        evaluation.save()
        entries.record(
            EntryKind.EVALUATION_DECLARED,
            initiative=initiative,
            evaluation=evaluation.pk,
            threshold=str(threshold),
            comparison=comparison,
            **_told(evaluation),
        )
    return evaluation


def record_result(
    *, evaluation: ModelEvaluation, result: Decimal, n: int, measured_on: date, by: User
) -> ModelEvaluation:
    """Type in what was measured, on `n` examples; it is marked as typed by this person.

    Raises ValidationError for a result from before its threshold was declared, Conflict where there is one already.
    """
    wrong = {}
    if n < 1:
        wrong["n"] = "Give the number of examples that the result rests on, one at least."
    if measured_on > clock.today():
        wrong["measured_on"] = "That day has not come yet."
    elif measured_on < evaluation.declared_on:
        wrong["measured_on"] = (
            f"The threshold was declared on {evaluation.declared_on:%-d %B %Y}, after this result. Measure again: what "
            "is good enough is said before anybody knows what comes out."
        )
    if wrong:
        raise ValidationError(wrong)
    with act("record result", by=by, initiative=evaluation.initiative_id) as initiative:
        permissions.may_evaluate(initiative, by).or_refuse()
        evaluation = _current(evaluation)
        if evaluation.result is not None:
            raise Conflict(f"Its result was recorded by {evaluation.result_by} already.")
        evaluation.result, evaluation.n, evaluation.measured_on = result, n, measured_on
        evaluation.result_by, evaluation.result_at = by, clock.now()
        evaluation.save()
        entries.record(
            EntryKind.EVALUATION_RESULT_RECORDED,
            initiative=initiative,
            evaluation=evaluation.pk,
            result=str(result),
            n=n,
            measured_on=measured_on,
            meets=evaluation.meets,
            **_told(evaluation),
        )
    return evaluation


def withdraw_evaluation(*, evaluation: ModelEvaluation, reason: str, by: User) -> ModelEvaluation:
    """Take an evaluation back; it stays to be read, with who did and why."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why it is withdrawn; it stays to be read with that."})
    with act("withdraw evaluation", by=by, initiative=evaluation.initiative_id, reason=reason) as initiative:
        permissions.may_evaluate(initiative, by).or_refuse()
        evaluation = _current(evaluation)
        evaluation.withdrawn_at, evaluation.withdrawn_by = clock.now(), by
        evaluation.withdrawn_reason = reason.strip()
        evaluation.save()
        entries.record(
            EntryKind.EVALUATION_WITHDRAWN,
            initiative=initiative,
            evaluation=evaluation.pk,
            why=evaluation.withdrawn_reason,
            **_told(evaluation),
        )
    return evaluation


def _current(evaluation: ModelEvaluation) -> ModelEvaluation:
    """The evaluation as it stands after the lock. Raises Conflict where it was withdrawn."""
    rows = ModelEvaluation.objects.select_related("deployment__version", "result_by", "withdrawn_by")
    row = rows.get(pk=evaluation.pk)
    if row.withdrawn_at is not None:
        raise Conflict(f"{row.withdrawn_by} withdrew it already.")
    return row


def _told(evaluation: ModelEvaluation) -> dict:
    return {
        "model": str(evaluation.deployment),
        "metric": evaluation.metric,
        "data_set": evaluation.data_set,
    }
