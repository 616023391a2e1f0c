"""Acts on answers: save, keep a draft, accept as not applicable, declare."""

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from governance import clock
from governance.audit_log import entries
from governance.files.plain_text import emptiness
from governance.gates.requirement_state import ACCEPTED_IN_PERSON, GENERATED_ONLY
from governance.models import ApiToken, Rulebook, User
from governance.permission_result import Conflict, no
from governance.vocabulary import AnswerKind, DeclaredResult, Stage, Tier
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import in_the_future, phrase
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.access.signers import accounts_of, first_lapsed
from initiatives.lifecycle.evidence.actions import create_evidence
from initiatives.lifecycle.initiative import permissions as initiative_permissions
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
    """Save one answer. `true_as_of` makes it an attestation if the rulebook takes one.

    `based_on` is the version that the person saw. Raises Conflict if someone saved another one meanwhile, so that no
    words are lost. Raises ValidationError by field.
    """
    with act("answer", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        rulebook = Rulebook.objects.current().parsed
        if requirement not in rulebook.requirements:
            raise ValidationError(
                {"requirement": phrase("The rulebook has no requirement named {}.", requirement)}
            )
        asked = rulebook.requirements[requirement]
        wrong = {}
        if requirement in GENERATED_ONLY:
            wrong["text"] = "Plumbline generates this answer, so it cannot be written here."
        if kind not in AnswerKind or kind == AnswerKind.NOT_REPORTED:
            wrong["kind"] = "Choose “Yes”, “Not yet” or “Not applicable”."
        if not text.strip():
            wrong["text"] = (
                "Explain why the requirement does not apply."
                if kind == AnswerKind.NOT_APPLICABLE
                else "Write the answer, or choose “Not yet”."
            )
        elif why := emptiness(text, asked.question):
            wrong["text"] = why
        if true_as_of is not None and true_as_of > clock.today():
            wrong["true_as_of"] = in_the_future(true_as_of, clock.today())
        if wrong:
            raise ValidationError(wrong)
        row = Answer.objects.filter(initiative=initiative, requirement=requirement).first()
        if row is not None and based_on is not None and based_on != row.version:
            raise Conflict(
                phrase("{} saved a different answer on {}: “{}”", row.by, clock.local_day(row.at), row.text),
                "Merge the two answers, then save again. Your text is kept as a draft.",
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
    """Void attestations of earlier words. Each belongs to its own answer."""
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
            cause="the attested answer was changed",
            effective_at=clock.now(),
            recorded_at=clock.now(),
        )
        for item in old.exclude(voidings__requirement=requirement, voidings__trigger="answer")
    )


def keep_draft(*, initiative: Initiative, requirement: str, fields: dict, by: User) -> AnswerDraft:
    """Keep unsaved input of a person as a private draft. The next one replaces it, and saving removes it."""
    initiative_permissions.may_collaborate(initiative, by).or_refuse()
    draft, _ = AnswerDraft.objects.update_or_create(
        initiative=initiative,
        requirement=requirement,
        person=by,
        defaults={"fields": fields, "at": clock.now(), "edited": True},
    )
    return draft


def discard_draft(*, initiative: Initiative, requirement: str, by: User) -> None:
    """Delete the draft of a person, typed or of a program."""
    AnswerDraft.objects.filter(initiative=initiative, requirement=requirement, person=by).delete()


def draft_by_program(
    *, initiative: Initiative, requirement: str, fields: dict, token: ApiToken
) -> AnswerDraft:
    """Keep what a program drafts for the owner of its token, who saves or discards it on the page of the requirement.

    It is added to what the program drafted before. Raises Refused where the owner may not answer or has typed a draft
    themselves, and ValidationError.
    """
    by = token.owner
    initiative_permissions.may_collaborate(initiative, by).or_refuse()
    if requirement not in Rulebook.objects.current().parsed.requirements:
        raise ValidationError(
            {"requirement": phrase("The rulebook has no requirement named {}.", requirement)}
        )
    if requirement in GENERATED_ONLY:
        no("Plumbline generates this answer, so it cannot be written here.").or_refuse()
    with transaction.atomic():
        draft, made = AnswerDraft.objects.select_for_update().get_or_create(
            initiative=initiative,
            requirement=requirement,
            person=by,
            defaults={"fields": fields, "at": clock.now(), "token": token},
        )
        if made:
            return draft
        if draft.edited or draft.token_id is None:
            no(
                phrase("{} has typed a draft for this requirement.", by),
                "Ask the person to save or discard that draft first.",
            ).or_refuse()
        draft.fields, draft.at, draft.token = draft.fields | fields, clock.now(), token
        draft.save()
    return draft


def accept_not_applicable(*, initiative: Initiative, requirement: str, version: int, by: User) -> Answer:
    """Accept, as a signing seat, that a requirement does not apply. It lasts as long as its evidence would."""
    with act("accept not applicable", by=by, initiative=initiative) as initiative:
        seats = Rulebook.objects.current().parsed.at_tier(initiative.tier).seats_asking(requirement)
        initiative_permissions.may_accept_exception(initiative, seats, by).or_refuse()
        row = Answer.objects.filter(initiative=initiative, requirement=requirement).first()
        if row is None or row.kind != AnswerKind.NOT_APPLICABLE:
            no("The owner's answer is no longer “not applicable”.").or_refuse()
        if row.version != version:
            raise Conflict("The answer changed after you opened it.", "Read the answer again.")
        held = roles_and_seats.seats_of(initiative, by)
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
    """Return True if an acceptance that still counts waits for a second person, at high risk."""
    if initiative.tier != Tier.HIGH or row.accepted_at is None or row.second_at:
        return False
    if row.accepted_by_id in accounts_of(person) or first_lapsed(initiative, row):
        return False
    days = Rulebook.objects.current().parsed.requirements[row.requirement].days(initiative.tier)
    return not days or clock.local_day(row.accepted_at) + timedelta(days=days) >= clock.today()


def declare(*, initiative: Initiative, key: str, text: str, by: User) -> DeclaredGoal:
    """Declare one thing the MVP will prove. It freezes when the MVP gate is decided (S2-24), later at once."""
    if not text.strip():
        raise ValidationError({"text": "Describe what will be shown, by when, and how it is measured."})
    with act("declare", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        if key not in declared_goal_keys():
            raise ValidationError(
                {
                    "key": phrase(
                        "The rulebook has no declaration named {}. Open the page of the declaration.", key
                    )
                }
            )
        row = DeclaredGoal.objects.filter(initiative=initiative, key=key).first()
        if row is not None and row.frozen_at:
            no(
                "The declaration was frozen at the MVP gate.", "Report the result beside the declaration."
            ).or_refuse()
        before = row.declared if row else None
        row = row or DeclaredGoal(initiative=initiative, key=key)
        row.declared, row.declared_at = text.strip(), clock.now()
        if initiative.stage in (Stage.MVP, Stage.PRODUCTION):
            row.frozen_at = row.declared_at
        row.save()
        entries.record(EntryKind.DECLARED, initiative=initiative, key=key, text=row.declared, before=before)
        rewrite_supported_stage(initiative)
    return row


def report_outcome(
    *, initiative: Initiative, key: str, result: str, outcome: str, evidence=None, by: User
) -> DeclaredGoal:
    """Report the result of one declared thing: met or missed, in words. Misses stay visible."""
    wrong = {}
    if result not in DeclaredResult:
        wrong["result"] = "Choose “met” or “missed”."
    if not outcome.strip():
        wrong["outcome"] = "Describe the result."
    if wrong:
        raise ValidationError(wrong)
    with act("report outcome", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        row = DeclaredGoal.objects.filter(initiative=initiative, key=key).first()
        if row is None or not row.frozen_at:
            no("No goal was declared for this at the MVP gate.", "First declare the goal.").or_refuse()
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


def declared_goal_keys(tier: str = "") -> list[str]:
    """Return goals to declare at the MVP gate and compare at production."""
    rulebook = Rulebook.objects.current().parsed.at_tier(tier)
    return [key for criterion in rulebook.criteria.values() for key in criterion.declared_goals]
