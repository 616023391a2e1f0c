"""Acts on dependants: record and end as owner, state as executive."""

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.models import Rulebook, User
from governance.permission_result import Conflict, ended, no
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import EARLY_STAGES
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.evidence.actions import create_evidence, withdraw_row
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import Dependant, Initiative

# What an executive states answers this question of the production gate (rulebook; S2-13).
DEPENDS = "production.business_depends"


def statement_words(dependant: Dependant) -> str:
    """Return the statement of the executive, in the words of the page.

    The executive need not be able to open the initiative, so a confidential one is named by its reference alone.
    """
    initiative = dependant.initiative
    named = initiative.ref if initiative.confidential else f"{initiative.ref}, {initiative.title}"
    lines = [
        f"{dependant.who} depends on {named}.",
        f"Process: {dependant.process}" if dependant.process else "",
        f"What stops without it: {dependant.for_what}",
        f"Longest outage we can bear: {dependant.outage}",
    ]
    return "\n".join(ended(line) for line in lines if line)


def add_dependant(
    *,
    initiative: Initiative,
    who: str,
    for_what: str,
    bearable_outage_hours: int,
    executive: User,
    process: str = "",
    by: User,
) -> Dependant:
    """Record a team or system that depends on it, and ask its executive.

    `bearable_outage_hours` are hours of the clock. A prototype has no dependants. The executive states the
    dependence, not the owner of the initiative.
    """
    wrong = {}
    if not who.strip():
        wrong["who"] = "Name the team or system."
    if not for_what.strip():
        wrong["for_what"] = "Describe what stops working there."
    if not executive.is_active:
        wrong["executive"] = f"{executive} is no longer active. Name someone else."
    if wrong:
        raise ValidationError(wrong)
    with act("add dependant", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        if initiative.stage in EARLY_STAGES:
            no(
                phrase("An initiative that is {} has no dependants.", stage_word(initiative.stage).lower()),
                "First pass the MVP gate.",
            ).or_refuse()
        if initiative_permissions.is_owner(initiative, executive):
            raise ValidationError(
                {
                    "executive": (
                        "The owner of the initiative cannot state this. Name the person who is "
                        "responsible for the work there."
                    )
                }
            )
        if initiative.dependants.filter(
            ended_at__isnull=True, who__iexact=who.strip(), executive=executive
        ).exists():
            raise ValidationError(
                {"who": phrase("{} is already on the list, with {} as executive.", who.strip(), executive)}
            )
        dependant = Dependant(
            initiative=initiative,
            who=who.strip(),
            process=process.strip(),
            for_what=for_what.strip(),
            bearable_outage_hours=bearable_outage_hours,
            executive=executive,
            stated_by=by,
            stated_at=clock.now(),
        )
        dependant.save()
        entries.record(
            EntryKind.DEPENDANT_ADDED,
            initiative=initiative,
            who=dependant.who,
            hours=bearable_outage_hours,
            process=dependant.process,
            executive=executive.full_name,
        )
    return dependant


def state_dependence(*, dependant: Dependant, by: User) -> Dependant:
    """State a dependence in person, as the named executive. The statement attests that the business is ready."""
    with act("state dependence", by=by, initiative=dependant.initiative_id) as initiative:
        dependant = _asked(dependant, by)
        words = statement_words(dependant)
        dependant.confirmed_at = clock.now()
        if DEPENDS in Rulebook.objects.current().parsed.requirements:
            dependant.statement = create_evidence(
                initiative,
                kind="attestation",
                title=f"{dependant.who} depends on it, stated by {by.full_name}"[:200],
                note=words,
                observed_on=clock.today(),
                covers=[DEPENDS],
                by=by,
            )
        dependant.save()
        entries.record(EntryKind.DEPENDENCE_STATED, initiative=initiative, who=dependant.who, words=words)
        rewrite_supported_stage(initiative)
    return dependant


def decline_dependence(*, dependant: Dependant, reason: str, by: User) -> Dependant:
    """Decline a dependence, as the named executive, with what is wrong."""
    if not reason.strip():
        raise ValidationError({"reason": "Describe what is wrong, so that the owner can correct it."})
    with act("decline dependence", by=by, initiative=dependant.initiative_id, reason=reason) as initiative:
        dependant = _asked(dependant, by)
        dependant.declined_at, dependant.declined_reason = clock.now(), reason.strip()
        dependant.save()
        entries.record(
            EntryKind.DEPENDENCE_DECLINED,
            initiative=initiative,
            who=dependant.who,
            why=dependant.declined_reason,
        )
    return dependant


def _asked(dependant: Dependant, by: User) -> Dependant:
    """Return the current row, if this person may answer it and no one did."""
    row = Dependant.objects.select_related("initiative", "executive").get(pk=dependant.pk)
    initiative_permissions.may_state(row, by).or_refuse()
    if row.initiative.closed:
        no(phrase("This initiative is {}, so no one depends on it.", row.initiative.stage)).or_refuse()
    if not row.waiting:
        raise Conflict("This dependence was already answered, or it has ended.")
    return row


def close_dependant(*, dependant: Dependant, reason: str, by: User) -> Dependant:
    """Record that a dependence ended. The executive's statement ends with it."""
    with act("close dependant", by=by, initiative=dependant.initiative_id, reason=reason) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        dependant = Dependant.objects.select_related("statement").get(pk=dependant.pk)
        if dependant.ended_at:
            raise Conflict("This dependence has already ended.")
        end_row(
            initiative, dependant, reason.strip() or "The team or system no longer depends on the initiative"
        )
        entries.record(EntryKind.DEPENDANT_CLOSED, initiative=initiative, who=dependant.who)
        rewrite_supported_stage(initiative)
    return dependant


def end_row(initiative: Initiative, dependant: Dependant, why: str) -> None:
    """Close a dependence and its attestation inside the running act."""
    dependant.ended_at = clock.now()
    dependant.save()
    if dependant.statement is not None and dependant.statement.withdrawn_at is None:
        withdraw_row(initiative, dependant.statement, why)
