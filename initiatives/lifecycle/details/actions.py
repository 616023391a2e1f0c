"""Acts on what an initiative is: its name, problem, risk tier, and what it is not similar to."""

from django.core.exceptions import ValidationError
from django.db.models import Q

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Conflict, no
from governance.vocabulary import ReviewOutcome, Tier
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contributions import contributed
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.changes.actions import pull
from initiatives.lifecycle.findings.sync import follow, follow_more
from initiatives.lifecycle.initiative.act import act, end_ties, rewrite_supported_stage
from initiatives.models import FormerTitle, Initiative, NotSimilar


def rename(*, initiative: Initiative, title: str, reason: str, by: User) -> Initiative:
    """Give an initiative another name, as owner, with a reason.

    Its reference stays; search finds the old name for ever.
    """
    wrong = {}
    if not title.strip():
        wrong["title"] = "Give it a title that people will recognise."
    if not reason.strip():
        wrong["reason"] = "Say why, for whoever looks for it under its old name."
    if wrong:
        raise ValidationError(wrong)
    with act("rename", by=by, initiative=initiative, reason=reason) as initiative:
        initiative_permissions.may_describe(initiative, by).or_refuse()
        before = initiative.title
        if title.strip() == before:
            raise ValidationError({"title": "That is its name already."})
        FormerTitle(
            initiative=initiative, title=before, until=clock.now(), by=by, reason=reason.strip()
        ).save()
        initiative.title = title.strip()
        initiative.save()
        entries.record(EntryKind.RENAMED, initiative=initiative, before=before, after=initiative.title)
        follow_more(initiative)
    return initiative


def change_details(
    *,
    initiative: Initiative,
    problem: str,
    platform: str,
    confidential: bool,
    reason: str = "",
    by: User,
) -> Initiative:
    """Change problem, platform and confidentiality. Earlier words stay in the history. A new name is `rename`."""
    if not problem.strip():
        raise ValidationError({"problem": "An initiative needs its problem."})
    with act("change details", by=by, initiative=initiative, reason=reason) as initiative:
        initiative_permissions.may_describe(initiative, by).or_refuse()
        before = {name: getattr(initiative, name) for name in ("problem", "platform", "confidential")}
        initiative.problem, initiative.platform = problem.strip(), platform.strip()
        initiative.confidential = confidential
        after = {name: getattr(initiative, name) for name in before}
        if after["confidential"] != before["confidential"]:
            initiative_permissions.may_manage(initiative, by).or_refuse()
        if after != before:
            initiative.save()
            entries.record(EntryKind.DETAILS_CHANGED, initiative=initiative, before=before, after=after)
            follow_more(initiative)
            if after["confidential"] != before["confidential"]:
                for tell in contributed.secrecy_changed:
                    tell(initiative)
    return initiative


def propose_tier(*, initiative: Initiative, tier: str, worst_credible_harm: str, by: User) -> Initiative:
    """Propose a risk tier with the worst credible harm. The tier counts once the risk seat confirms it."""
    wrong = {}
    if tier not in Tier:
        wrong["tier"] = "Choose minimal, limited or high."
    if not worst_credible_harm.strip():
        wrong["worst_credible_harm"] = "Say what the worst credible harm of a wrong output is."
    if wrong:
        raise ValidationError(wrong)
    with act("propose tier", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_describe(initiative, by).or_refuse()
        initiative.proposed_tier, initiative.worst_credible_harm = tier, worst_credible_harm.strip()
        initiative.save()
        entries.record(
            EntryKind.RISK_TIER_PROPOSED,
            initiative=initiative,
            tier=tier,
            worst_credible_harm=initiative.worst_credible_harm,
        )
    return initiative


def confirm_tier(*, initiative: Initiative, tier: str, by: User) -> Initiative:
    """Confirm the proposed tier as the risk seat. A different confirmed tier pulls the trigger `risk_tier`.

    `tier` is what the person saw proposed; raises Refused when it is no longer the proposal.
    """
    with act("confirm tier", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_confirm_tier(initiative, by).or_refuse()
        if tier != initiative.proposed_tier:
            no(f"The proposal is {initiative.proposed_tier} now, not {tier}.", "Read it again.").or_refuse()
        before = initiative.tier
        initiative.tier, initiative.tier_confirmed_by, initiative.tier_confirmed_at = tier, by, clock.now()
        initiative.save()
        entries.record(EntryKind.RISK_TIER_CONFIRMED, initiative=initiative, before=before, tier=tier)
        if before and before != tier:
            pull(initiative, ["risk_tier"], f"Risk tier {before} -> {tier}", by=by)
        if not follow([initiative]):  # what the tier leaves out holds nothing
            rewrite_supported_stage(initiative)
    return initiative


def not_similar(*, initiative: Initiative, other: Initiative, by: User) -> NotSimilar:
    """Say, as somebody who works on an initiative, that another one is not similar: neither is shown beside the other
    again.

    `other` is an initiative of which everybody hears. Raises Refused, Conflict where it was said before.
    """
    with act("not similar", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        if other.pk == initiative.pk or not Initiative.objects.told().filter(pk=other.pk).exists():
            no("No such initiative is shown as similar.", "Look at the initiative again.").or_refuse()
        pair = Q(initiative=initiative, other=other) | Q(initiative=other, other=initiative)
        if NotSimilar.objects.filter(pair).exists():
            raise Conflict("That was said already.", "Go on.", initiative.get_absolute_url())
        row = NotSimilar(initiative=initiative, other=other, by=by, at=clock.now())
        row.save()
        entries.record(EntryKind.NOT_SIMILAR, initiative=initiative, other=other.ref)
    return row


def withdraw(
    *, initiative: Initiative, reason: str, joined_to: Initiative | None = None, by: User
) -> Initiative:
    """Withdraw an idea registered by mistake, or joined to another initiative. It is kept, marked; nothing is due."""
    if not reason.strip() and joined_to is None:
        raise ValidationError({"reason": "Say why, or name the initiative it is joined to."})
    with act("withdraw", by=by, initiative=initiative, reason=reason, register=True) as initiative:
        initiative_permissions.may_withdraw(initiative, by).or_refuse()
        if joined_to is not None and joined_to.pk == initiative.pk:
            raise ValidationError({"joined_to": "An initiative is not joined to itself."})
        if initiative.reviews.filter(outcome=ReviewOutcome.OPEN).exists():
            no("A review is open.", "Withdraw the review first.").or_refuse()
        initiative.withdrawn_at, initiative.withdrawn_reason, initiative.joined_to = (
            clock.now(),
            reason.strip(),
            joined_to,
        )
        initiative.save()
        entries.record(
            EntryKind.WITHDRAWN, initiative=initiative, joined_to=joined_to.ref if joined_to else None
        )
        end_ties(initiative, "The idea was withdrawn", with_obligations=False, by=by)
        rewrite_supported_stage(initiative)
    return initiative
