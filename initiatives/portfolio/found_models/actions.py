"""The chair's answers to a found model: an idea, part of an initiative, neither."""

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.models import Unit, User
from governance.permission_result import Conflict
from governance.vocabulary import RUNNING_STAGES, FoundAnswer
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access.visibility import visible_to
from initiatives.lifecycle.initiative.act import act
from initiatives.models import FoundModel, Initiative
from initiatives.portfolio.found_models import permissions
from initiatives.portfolio.registration import actions as registration_actions


def make_idea(
    *, found: FoundModel, title: str, unit: Unit, problem: str, owner: User, by: User
) -> FoundModel:
    """Register a proposed initiative for the model, as the chair, who names its owner.

    The owner is asked to accept. Raises ValidationError by field, Refused, Conflict.
    """
    with act("make idea of found model", by=by, register=True, reason="A model was found"):
        row = _waiting(found, by)
        row.initiative = registration_actions.register(
            title=title, unit=unit, problem=problem, owner=owner, by=by
        )
        return _answer(row, FoundAnswer.IDEA, by)


def belongs(*, found: FoundModel, initiative: Initiative, by: User) -> FoundModel:
    """Place the model in a running initiative, whose people are asked to record it.

    They record it as a component. Raises ValidationError by field, Refused, Conflict.
    """
    running = visible_to(by).filter(stage__in=RUNNING_STAGES, withdrawn_at__isnull=True)
    if not running.filter(pk=initiative.pk).exists():
        raise ValidationError(
            {
                "initiative": phrase(
                    "{} is not a running initiative. Choose a running initiative.", initiative.ref
                )
            }
        )
    with act("place found model", by=by, register=True, reason="A model was found"):
        row = _waiting(found, by)
        row.initiative = initiative
        return _answer(row, FoundAnswer.BELONGS, by)


def not_ours(*, found: FoundModel, reason: str, by: User) -> FoundModel:
    """Record that the name is not AI, or not of this organisation, and why. Raises as `belongs`."""
    if not reason.strip():
        raise ValidationError(
            {
                "reason": "Explain why this is not AI, or not of your organisation. Your board is not asked about "
                "this name again."
            }
        )
    with act("dismiss found model", by=by, register=True, reason=reason):
        row = _waiting(found, by)
        row.reason = reason.strip()
        return _answer(row, FoundAnswer.NOT_OURS, by)


def _waiting(found: FoundModel, by: User) -> FoundModel:
    """Return the found model, read after the lock, while it has no answer."""
    rows = FoundModel.objects.select_for_update(of=("self",)).select_related("unit", "answered_by")
    row = rows.get(pk=found.pk)
    if row.answer != FoundAnswer.WAITING:
        who = (
            f"{row.answered_by} has already answered for"
            if row.answered_by
            else "An initiative already declares"
        )
        raise Conflict(f"{who} {row}.", "Read the answer.", row.get_absolute_url())
    permissions.may_answer(row, by).or_refuse()
    return row


def _answer(row: FoundModel, answer: FoundAnswer, by: User) -> FoundModel:
    row.answer, row.answered_by, row.answered_at = answer, by, clock.now()
    row.save()
    entries.record(
        EntryKind.FOUND_MODEL_ANSWERED,
        initiative=row.initiative,
        model=row.name,
        unit=row.unit.name,
        answer=str(answer.label).lower(),
        why=row.reason,
    )
    return row
