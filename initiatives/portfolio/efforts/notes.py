"""Notes on an initiative: events, money, observations, and taking one back. No stage and no supported stage moves."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary import Layer
from governance.vocabulary.currencies import wrong_amount, wrong_currency
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import in_the_future, phrase
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Event, FundingDecision, Initiative, Observation
from initiatives.models.notes import EVENT_KINDS, Note
from initiatives.portfolio.efforts import permissions as effort_permissions


def record_event(
    *, initiative: Initiative, kind: str, happened_on: date, words: str, once: UUID | None = None, by: User
) -> Event:
    """Record an announcement, a demo, a choice of model or a budget talk.

    The event changes no stage and proves nothing. The same `once` writes one note. Raises ValidationError or Refused.
    """
    wrong = _wrong(happened_on=happened_on, words=words)
    if kind not in EVENT_KINDS:
        wrong["kind"] = "Choose one of the kinds listed."
    if wrong:
        raise ValidationError(wrong)
    with act("record event", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_note(initiative, by).or_refuse()
        if (known := _known(Event, initiative, once)) is not None:
            return known
        row = Event(
            initiative=initiative,
            kind=kind,
            happened_on=happened_on,
            words=words.strip(),
            once=once,
            by=by,
            at=clock.now(),
        )
        row.save()
        entries.record(
            EntryKind.EVENT_RECORDED, initiative=initiative, event_kind=kind, on=happened_on, words=row.words
        )
    return row


def record_funding(
    *,
    initiative: Initiative,
    decided_on: date,
    decided_by: str,
    basis: str,
    amount: Decimal | None = None,
    currency: str = "",
    once: UUID | None = None,
    by: User,
) -> FundingDecision:
    """Record that money was given, with the approved and supported stage (S1-38).

    `decided_by` names the decider in words, because many have no account. `basis` is the reason. Both stages are
    frozen: an earlier day gets its approved stage at its end, and the supported stage computed then.
    """
    wrong = _wrong(decided_on=decided_on, decided_by=decided_by, basis=basis)
    if amount is not None and amount <= 0:
        wrong["amount"] = "Enter an amount above 0, or leave it out."
    currency = currency.strip().upper()
    if amount is not None and (unknown := wrong_currency(currency)):
        wrong["currency"] = unknown
    elif amount is not None and (too_fine := wrong_amount(amount, currency)):
        wrong.setdefault("amount", too_fine)
    if amount is None and currency:
        wrong["amount"] = "Enter the amount too, or leave out the currency."
    if wrong:
        raise ValidationError(wrong)
    with act("record funding", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_fund(initiative, by).or_refuse()
        if (known := _known(FundingDecision, initiative, once)) is not None:
            return known
        approved_stage, supported, label = supported_stage.said_on(initiative, decided_on)
        row = FundingDecision(
            initiative=initiative,
            decided_on=decided_on,
            decided_by=decided_by.strip(),
            basis=basis.strip(),
            amount=amount,
            currency=currency,
            approved_stage=approved_stage,
            supported=supported,
            label=label,
            once=once,
            by=by,
            at=clock.now(),
        )
        row.save()
        entries.record(
            EntryKind.FUNDING_RECORDED,
            initiative=initiative,
            on=decided_on,
            decided_by=row.decided_by,
            basis=row.basis,
            amount=str(amount) if amount is not None else None,
            currency=currency,
            approved_stage=approved_stage,
            supported=supported,
        )
    return row


def observe(
    *, initiative: Initiative, layer: str, observed_on: date, words: str, once: UUID | None = None, by: User
) -> Observation:
    """Record what someone on the initiative saw, on a day, in one layer (S1-39).

    An observation has no automatic effect.
    """
    wrong = _wrong(observed_on=observed_on, words=words)
    if layer not in Layer:
        wrong["layer"] = "Choose the layer of the note."
    if wrong:
        raise ValidationError(wrong)
    with act("observe", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_note(initiative, by).or_refuse()
        if (known := _known(Observation, initiative, once)) is not None:
            return known
        row = Observation(
            initiative=initiative,
            layer=layer,
            observed_on=observed_on,
            words=words.strip(),
            once=once,
            by=by,
            at=clock.now(),
        )
        row.save()
        entries.record(
            EntryKind.OBSERVED, initiative=initiative, layer=layer, on=observed_on, words=row.words
        )
    return row


def withdraw(*, note: Note, reason: str, by: User) -> Note:
    """Withdraw a note with a reason, as its author or the chair. It stays, struck out."""
    if not reason.strip():
        raise ValidationError({"reason": "Describe what was wrong with the note."})
    with act("withdraw note", by=by, initiative=note.initiative_id, reason=reason) as initiative:
        note = type(note).objects.get(pk=note.pk)
        if note.withdrawn_at:
            raise Conflict(
                phrase("This note was withdrawn on {} already.", clock.local_day(note.withdrawn_at))
            )
        effort_permissions.may_withdraw_note(initiative, note, by).or_refuse()
        note.withdrawn_at, note.withdrawn_by, note.withdrawn_reason = clock.now(), by, reason.strip()
        note.save()
        entries.record(
            EntryKind.NOTE_WITHDRAWN,
            initiative=initiative,
            note=note._meta.verbose_name,
            of=str(note),
            why=note.withdrawn_reason,
        )
    return note


def _known(model, initiative: Initiative, once: UUID | None):
    """Return the note that the same form wrote earlier, or None."""
    return model.objects.filter(initiative=initiative, once=once).first() if once else None


def _wrong(**fields) -> dict[str, str]:
    """Return the errors of days and words by name: a future day, or empty words."""
    return {
        name: in_the_future(value, clock.today()) if isinstance(value, date) else "Write a sentence or two."
        for name, value in fields.items()
        if (value > clock.today() if isinstance(value, date) else not value.strip())
    }
