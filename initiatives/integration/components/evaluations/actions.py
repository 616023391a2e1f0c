"""Acts on evaluations of models: declare a threshold, record a result, withdraw.

`ModelEvaluation.meets` computes whether a result meets its threshold.
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
from governance.vocabulary.phrases import in_the_future, phrase
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
    """Declare the data set, the metric and the threshold of a model before measuring.

    The evaluation counts as declared today. Raises ValidationError or Refused.
    """
    wrong = {}
    if deployment.initiative_id != initiative.pk or deployment.version.layer != Layer.MODEL:
        wrong["deployment"] = "Choose a version of a model that this initiative runs."
    if not data_set.strip():
        wrong["data_set"] = "Name the data set so that someone else can find it."
    if not metric.strip():
        wrong["metric"] = "Name the metric, for example accuracy."
    if comparison not in Comparison:
        wrong["comparison"] = "Choose if a good result is above or below the threshold."
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
    """Record a result measured on `n` examples, marked as entered by this person.

    Raises ValidationError if the result is from before its threshold, Conflict if there is already a result.
    """
    wrong = {}
    if n < 1:
        wrong["n"] = "Enter the number of examples that the result is based on, at least one."
    if measured_on > clock.today():
        wrong["measured_on"] = in_the_future(measured_on, clock.today())
    elif measured_on < evaluation.declared_on:
        wrong["measured_on"] = (
            f"The threshold was declared on {evaluation.declared_on:%-d %B %Y}, after this result. "
            "Measure again: the threshold must be declared before the result is known."
        )
    if wrong:
        raise ValidationError(wrong)
    with act("record result", by=by, initiative=evaluation.initiative_id) as initiative:
        permissions.may_evaluate(initiative, by).or_refuse()
        evaluation = _current(evaluation)
        if evaluation.result is not None:
            raise Conflict(
                phrase("{} has already recorded the result of this evaluation.", evaluation.result_by)
            )
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
    """Withdraw an evaluation, which stays readable, with the person and the reason."""
    if not reason.strip():
        raise ValidationError(
            {
                "reason": "Give the reason why you withdraw the evaluation. The reason is shown with the evaluation."
            }
        )
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
    """Return the evaluation as it is after the lock. Raises Conflict if it was withdrawn."""
    rows = ModelEvaluation.objects.select_related("deployment__version", "result_by", "withdrawn_by")
    row = rows.get(pk=evaluation.pk)
    if row.withdrawn_at is not None:
        raise Conflict(phrase("{} has already withdrawn this evaluation.", row.withdrawn_by))
    return row


def _told(evaluation: ModelEvaluation) -> dict:
    return {
        "model": str(evaluation.deployment),
        "metric": evaluation.metric,
        "data_set": evaluation.data_set,
    }
