"""Answers to the rulebook's requirements: saved one by one, kept as drafts, accepted as not applicable, declared."""

from datetime import date, timedelta

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.files.plain_text import emptiness
from governance.gates.requirement_state import ACCEPTED_IN_PERSON, GENERATED_ONLY
from governance.models import Rulebook, User
from governance.permission_result import Conflict, no
from governance.vocabulary import AnswerKind, DeclaredResult, Tier
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.access.signers import accounts_of
from initiatives.lifecycle.evidence.actions import create_evidence
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import Answer, AnswerDraft, Coverage, DeclaredGoal, Evidence, Initiative, Voiding


def answer(
    *,
    initiative: Initiative,
    requirement: str,
    kind: str,
    text: str,
    true_as_of: date | None = None,
    based_on: int | None = None,
    by: User,
) -> Answer:
    """Save one answer. `true_as_of` makes it an attestation where the rulebook takes one.

    `based_on`: the version the person saw; raises Conflict when somebody saved another meanwhile, so that
    nobody's words are lost. Raises ValidationError by field.
    """
    with act("answer", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        rulebook = Rulebook.objects.current().parsed
        if requirement not in rulebook.requirements:
            raise ValidationError({"requirement": f"The rulebook asks nothing named {requirement}."})
        asked = rulebook.requirements[requirement]
        wrong = {}
        if requirement in GENERATED_ONLY:
            wrong["text"] = "This answer is generated, not written."
        if kind not in AnswerKind or kind == AnswerKind.NOT_REPORTED:
            wrong["kind"] = "Say whether this is your answer, a no, or does not apply."
        if not text.strip():
            wrong["text"] = (
                "Say why it does not apply."
                if kind == AnswerKind.NOT_APPLICABLE
                else "Write the answer; an honest no is one too."
            )
        elif why := emptiness(text, asked.question):
            wrong["text"] = why
        if true_as_of is not None and true_as_of > clock.today():
            wrong["true_as_of"] = (
                f"{true_as_of:%-d %B %Y} lies in the future; give the day on which it was true."
            )
        if wrong:
            raise ValidationError(wrong)
        row = Answer.objects.filter(initiative=initiative, requirement=requirement).first()
        if row is not None and based_on is not None and based_on != row.version:
            raise Conflict(
                f"{row.by} saved another answer at {clock.local_day(row.at):%-d %B %Y}: “{row.text}”",
                "Your words are kept as a draft; put the two together and save again.",
            )
        before = {"kind": row.kind, "text": row.text} if row else None
        changed = before != {"kind": kind, "text": text.strip()}
        if row is None:
            row = Answer(initiative=initiative, requirement=requirement, version=0)
        if changed:
            row.kind, row.text, row.version = kind, text.strip(), row.version + 1
            row.by, row.at = by, clock.now()
            row.accepted_by, row.accepted_at, row.accepted_seat = None, None, ""
            row.second_by, row.second_at, row.second_seat = None, None, ""
            row.save()
            entries.record(
                EntryKind.ANSWERED,
                initiative=initiative,
                requirement=requirement,
                answer=kind,
                text=row.text,
                before=before,
            )
            _end_attestations(initiative, requirement)
        # Every answer is somebody's word as of a day: that is what stated means.
        if kind == AnswerKind.ANSWERED and (changed or true_as_of) and requirement not in ACCEPTED_IN_PERSON:
            create_evidence(
                initiative,
                kind="attestation",
                title=f"Attested by {by.full_name}",
                note=row.text,
                observed_on=true_as_of or clock.today(),
                covers=[requirement],
                by=by,
            )
        AnswerDraft.objects.filter(initiative=initiative, requirement=requirement, person=by).delete()
        rewrite_supported_stage(initiative)
    return row


def _end_attestations(initiative: Initiative, requirement: str) -> None:
    """Void what was attested of the words before: an attestation is for the answer it was saved with."""
    # Asked of the coverage first, by its column alone: mostly there is none, and this is in every answer.
    covering = Coverage.objects.filter(
        requirement=requirement,
        evidence__initiative=initiative,
        evidence__kind="attestation",
        evidence__acceptance__isnull=True,
    ).order_by()
    keys = list(covering.values_list("evidence_id", flat=True))
    if not keys:
        return
    old = Evidence.objects.filter(pk__in=keys)
    Voiding.objects.bulk_create(
        Voiding(
            evidence=item,
            requirement=requirement,
            trigger="answer",
            cause="the answer it attested was changed",
            effective_at=clock.now(),
            recorded_at=clock.now(),
        )
        for item in old.exclude(voidings__requirement=requirement, voidings__trigger="answer")
    )


def keep_draft(*, initiative: Initiative, requirement: str, fields: dict, by: User) -> AnswerDraft:
    """Keep what somebody typed and did not save. Private to the person; replaced by the next one, gone on saving."""
    initiative_permissions.may_collaborate(initiative, by).or_refuse()
    draft, _ = AnswerDraft.objects.update_or_create(
        initiative=initiative,
        requirement=requirement,
        person=by,
        defaults={"fields": fields, "at": clock.now()},
    )
    return draft


def accept_not_applicable(*, initiative: Initiative, requirement: str, version: int, by: User) -> Answer:
    """Accept, as a seat that signs for the requirement, that it does not apply. Lasts as long as its evidence would."""
    with act("accept not applicable", by=by, initiative=initiative) as initiative:
        seats = Rulebook.objects.current().parsed.at_tier(initiative.tier).seats_asking(requirement)
        initiative_permissions.may_accept_exception(initiative, seats, by).or_refuse()
        row = Answer.objects.filter(initiative=initiative, requirement=requirement).first()
        if row is None or row.kind != AnswerKind.NOT_APPLICABLE:
            no("The owner does not say that it does not apply.").or_refuse()
        if row.version != version:
            raise Conflict("The answer changed since you opened it.", "Read it again.")
        held = initiative_permissions.seats_of(initiative, by)
        seat = next(seat for seat in seats if seat in held)
        if waits_for_second(initiative, row, by):
            row.second_by, row.second_at, row.second_seat = by, clock.now(), seat
        else:
            row.accepted_by, row.accepted_at, row.accepted_seat = by, clock.now(), seat
            row.second_by, row.second_at, row.second_seat = None, None, ""
        row.save()
        entries.record(
            EntryKind.NOT_APPLICABLE_ACCEPTED,
            initiative=initiative,
            requirement=requirement,
            seat=seat,
            why=row.text,
        )
        rewrite_supported_stage(initiative)
    return row


def waits_for_second(initiative: Initiative, row: Answer, person: User) -> bool:
    """Whether what somebody else accepted within its days still waits for a second person, as at high risk."""
    if initiative.tier != Tier.HIGH or row.accepted_at is None or row.second_at:
        return False
    if row.accepted_by_id in accounts_of(person):
        return False
    days = Rulebook.objects.current().parsed.requirements[row.requirement].days(initiative.tier)
    return not days or clock.local_day(row.accepted_at) + timedelta(days=days) >= clock.today()


def declare(*, initiative: Initiative, key: str, text: str, by: User) -> DeclaredGoal:
    """Declare one thing the MVP will prove. Frozen when the MVP gate is decided (S2-24)."""
    if not text.strip():
        raise ValidationError({"text": "Say what will be shown, by when, and how it is measured."})
    with act("declare", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        if key not in declared_goal_keys():
            raise ValidationError({"key": f"The rulebook asks for no declaration named {key}."})
        row = DeclaredGoal.objects.filter(initiative=initiative, key=key).first()
        if row is not None and row.frozen_at:
            no(
                "What was declared at the MVP gate is frozen.", "Its result is reported beside it."
            ).or_refuse()
        before = row.declared if row else None
        row = row or DeclaredGoal(initiative=initiative, key=key)
        row.declared, row.declared_at = text.strip(), clock.now()
        row.save()
        entries.record(EntryKind.DECLARED, initiative=initiative, key=key, text=row.declared, before=before)
        rewrite_supported_stage(initiative)
    return row


def report_outcome(
    *, initiative: Initiative, key: str, result: str, outcome: str, evidence=None, by: User
) -> DeclaredGoal:
    """Report what came of one declared thing: met or missed, in words. Misses stay visible."""
    wrong = {}
    if result not in DeclaredResult:
        wrong["result"] = "Say whether it was met or missed."
    if not outcome.strip():
        wrong["outcome"] = "Say what was found, beside what was declared."
    if wrong:
        raise ValidationError(wrong)
    with act("report outcome", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        row = DeclaredGoal.objects.filter(initiative=initiative, key=key).first()
        if row is None or not row.frozen_at:
            no("Nothing was declared for this at the MVP gate.", "Declare it first.").or_refuse()
        before = {"result": row.result, "outcome": row.outcome}
        row.result, row.outcome, row.evidence, row.reported_at = (
            result,
            outcome.strip(),
            evidence,
            clock.now(),
        )
        row.save()
        entries.record(
            EntryKind.OUTCOME_REPORTED,
            initiative=initiative,
            key=key,
            result=result,
            outcome=row.outcome,
            before=before,
        )
        rewrite_supported_stage(initiative)
    return row


def declared_goal_keys() -> list[str]:
    """What the rulebook wants declared at the MVP gate and compared at the production gate."""
    rulebook = Rulebook.objects.current().parsed
    return [key for criterion in rulebook.criteria.values() for key in criterion.declared_goals]
