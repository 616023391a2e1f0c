"""Dependants of an initiative: recorded by its owner, stated by a named executive in person, ended by the owner."""

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.models import Rulebook, User
from governance.permission_result import Conflict, ended, no
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import EARLY_STAGES
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.evidence.actions import create_evidence, withdraw_row
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import Dependant, Initiative

# What an executive states answers this question of the production gate (rulebook; S2-13).
DEPENDS = "production.business_depends"


def statement_words(dependant: Dependant) -> str:
    """What the executive states, in the words seen before pressing."""
    initiative = dependant.initiative
    lines = [
        f"{dependant.who} depends on {initiative.ref}, {initiative.title}.",
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
    """Record a team or system that depends on the initiative, and ask the named executive to state it. A prototype has
    none.

    `bearable_outage_hours`: hours of the clock. Nobody who owns the initiative states it: those who depend do.
    """
    wrong = {}
    if not who.strip():
        wrong["who"] = "Name the team or system."
    if not for_what.strip():
        wrong["for_what"] = "Say what stops working there."
    if not executive.is_active:
        wrong["executive"] = f"{executive} is no longer active; name somebody else."
    if wrong:
        raise ValidationError(wrong)
    with act("add dependant", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        if initiative.stage in EARLY_STAGES:
            no(
                f"A {stage_word(initiative.stage).lower()} has no dependants.", "Pass the MVP gate first."
            ).or_refuse()
        if initiative_permissions.is_owner(initiative, executive):
            raise ValidationError(
                {
                    "executive": "Whoever owns the initiative does not state this; name who answers for the work there."
                }
            )
        if initiative.dependants.filter(
            ended_at__isnull=True, who__iexact=who.strip(), executive=executive
        ).exists():
            raise ValidationError({"who": f"{who.strip()} is on the list already, asked of {executive}."})
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
    """State a dependence in person, as the named executive: an attestation that the business is ready for it."""
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
    """Decline to state a dependence, as the named executive, with what is wrong with it."""
    if not reason.strip():
        raise ValidationError({"reason": "Say what is not so, so that the owner can put it right."})
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
    """The row as it stands now, if this person may answer it and nobody did."""
    row = Dependant.objects.select_related("initiative", "executive").get(pk=dependant.pk)
    initiative_permissions.may_state(row, by).or_refuse()
    if row.initiative.closed:
        no(f"This initiative is {row.initiative.stage}; nobody depends on it any more.").or_refuse()
    if not row.waiting:
        raise Conflict("This was answered, or has ended, already.")
    return row


def close_dependant(*, dependant: Dependant, reason: str, by: User) -> Dependant:
    """Record that somebody no longer depends on the initiative; what the executive stated ends with it."""
    with act("close dependant", by=by, initiative=dependant.initiative_id, reason=reason) as initiative:
        initiative_permissions.may_manage(initiative, by).or_refuse()
        dependant = Dependant.objects.select_related("statement").get(pk=dependant.pk)
        if dependant.ended_at:
            raise Conflict("It has ended already.")
        end_row(initiative, dependant, reason.strip() or "Nobody depends on it there any more")
        entries.record(EntryKind.DEPENDANT_CLOSED, initiative=initiative, who=dependant.who)
        rewrite_supported_stage(initiative)
    return dependant


def end_row(initiative: Initiative, dependant: Dependant, why: str) -> None:
    """Close a dependence inside the running act, with the attestation that it was."""
    dependant.ended_at = clock.now()
    dependant.save()
    if dependant.statement is not None and dependant.statement.withdrawn_at is None:
        withdraw_row(initiative, dependant.statement, why)
