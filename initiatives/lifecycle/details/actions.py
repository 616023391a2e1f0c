"""Acts on the description of an initiative: name, problem, tier, not similar."""

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.people.boards import board_for, members_now, seat_holders
from governance.permission_result import Conflict, ended, no
from governance.vocabulary import ReviewOutcome, Role, Seat, Tier
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from governance.vocabulary.readable_text import sentence_key
from initiatives.contributions import contributed
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.changes.actions import pull
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.facts.initiative_rows import scope_ahead
from initiatives.lifecycle.findings.sync import follow, follow_more
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, end_ties, rewrite_supported_stage
from initiatives.lifecycle.reminders import telling
from initiatives.models import FormerTitle, Initiative, NotSimilar


def rename(*, initiative: Initiative, title: str, reason: str, by: User) -> Initiative:
    """Rename an initiative as its owner, with a reason. Its reference stays, and search also finds the old name."""
    wrong = {}
    if not title.strip():
        wrong["title"] = "Give the initiative a title that people will recognise."
    if not reason.strip():
        wrong["reason"] = "Explain the new title for people who look for the earlier title."
    if wrong:
        raise ValidationError(wrong)
    with act("rename", by=by, initiative=initiative, reason=reason) as initiative:
        initiative_permissions.may_describe(initiative, by).or_refuse()
        before = initiative.title
        if title.strip() == before:
            raise ValidationError({"title": "The initiative already has this title."})
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
    """Change problem, platform and confidentiality. Earlier words stay in the history. `rename` changes the name."""
    if not problem.strip():
        raise ValidationError(
            {"problem": "The problem is empty. Describe the problem that the initiative solves."}
        )
    with act("change details", by=by, initiative=initiative, reason=reason) as initiative:
        initiative_permissions.may_describe(initiative, by).or_refuse()
        before = {name: getattr(initiative, name) for name in ("problem", "platform", "confidential")}
        initiative.problem, initiative.platform = problem.strip(), platform.strip()
        initiative.confidential = confidential
        after = {name: getattr(initiative, name) for name in before}
        if after["confidential"] != before["confidential"]:
            initiative_permissions.may_manage(initiative, by).or_refuse()
        if after != before:
            differs = sentence_key(initiative.problem) != sentence_key(initiative.tier_purpose)
            if not initiative.tier or not differs:
                initiative.purpose_changed_at = None
            elif initiative.purpose_changed_at is None:
                initiative.purpose_changed_at = clock.now()
            initiative.save()
            entries.record(EntryKind.DETAILS_CHANGED, initiative=initiative, before=before, after=after)
            follow_more(initiative)
            if after["problem"] != before["problem"] and initiative.tier:
                rewrite_supported_stage(initiative)
            if after["confidential"] != before["confidential"]:
                for tell in contributed.secrecy_changed:
                    tell(initiative)
    return initiative


def edit(*, initiative: Initiative, title: str, reason: str = "", by: User, **details) -> Initiative:
    """Change edited title and details, by `rename` and `change_details`."""
    with act("edit initiative", by=by, initiative=initiative, reason=reason) as initiative:
        if title.strip() != initiative.title:
            initiative = rename(initiative=initiative, title=title, reason=reason, by=by)
        return change_details(initiative=initiative, reason=reason, by=by, **details)


def propose_tier(*, initiative: Initiative, tier: str, worst_credible_harm: str, by: User) -> Initiative:
    """Propose a risk tier with the worst credible harm. The tier counts after the risk seat has confirmed it."""
    wrong = {}
    if tier not in Tier:
        wrong["tier"] = "Choose minimal, limited or high."
    if not worst_credible_harm.strip():
        wrong["worst_credible_harm"] = "Describe the worst credible harm of a wrong output."
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
        _tell_proposed(initiative, by)
    return initiative


def _tell_proposed(initiative: Initiative, by: User) -> None:
    """Notify the risk seat of a proposed tier, and the chair and the signers of an open review if a tier counts now.

    Imported initiatives cause no messages, because their tiers are proposed by the hundred. The inbox lists them.
    """
    if initiative.proposed_tier == initiative.tier or initiative.imported:
        return
    proposed = Tier.word(initiative.proposed_tier).lower()
    now = f" The confirmed tier is {Tier.word(initiative.tier).lower()}." if initiative.tier else ""
    members = members_now(board_for(initiative.unit))
    text = f"The worst credible harm: {ended(initiative.worst_credible_harm)}{now}"
    key, period = f"tier:{initiative.pk}", clock.now().isoformat(timespec="seconds")
    telling.tell(
        initiative,
        [member.person for member in seat_holders(members, Seat.RISK_COMPLIANCE)],
        "tier to confirm",
        key,
        f"confirm the risk tier, {proposed}",
        seat=Seat.RISK_COMPLIANCE,
        but=by,
        period=period,
        text=text,
        link=reverse("initiative-act", args=[initiative.ref, "confirm-tier"]),
    )
    if initiative.tier:
        review = next((row for row in initiative_rows.reviews(initiative) if row.is_open), None)
        signers = [row.person for row in initiative_rows.current_sign_offs(review)] if review else []
        telling.tell(
            initiative,
            [roles_and_seats.acting_chair(initiative, members)[0], *signers],
            "tier proposed",
            key,
            f"the risk tier {proposed} is proposed",
            but=by,
            period=period,
            text=text,
            link=initiative.get_absolute_url(),
        )


def confirm_tier(*, initiative: Initiative, tier: str, scope: int | None = None, by: User) -> Initiative:
    """Confirm the proposed tier as risk seat, for the planned or present scope.

    A different confirmed tier pulls the trigger `risk_tier`. `tier` is the proposal that the person saw. `scope` is
    the number of the scope they saw, 0 for none (None: not compared). Raises Refused if either differs now.
    """
    with act("confirm tier", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_confirm_tier(initiative, by).or_refuse()
        _still_proposed(initiative, tier)
        ahead = scope_ahead(initiative)
        number = ahead.number if ahead else 0
        if scope is not None and scope != number:
            no(
                phrase("The scope is now {}, not {}.", number, scope),
                "Read the proposal again.",
            ).or_refuse()
        before = initiative.tier
        initiative.tier, initiative.tier_confirmed_by, initiative.tier_confirmed_at = tier, by, clock.now()
        initiative.tier_scope = number or None
        initiative.tier_purpose, initiative.purpose_changed_at = initiative.problem, None
        initiative.save()
        entries.record(
            EntryKind.RISK_TIER_CONFIRMED,
            initiative=initiative,
            before=before,
            tier=tier,
            scope=number,
            users=f"{ahead.user_count}: {ahead.users}" if ahead else "",
            data_classes=ahead.data_classes if ahead else [],
            purpose=initiative.problem,
        )
        if before and before != tier:
            pull(initiative, ["risk_tier"], f"Risk tier {before} -> {tier}", by=by)
            for tell in contributed.tier_changed:
                tell(initiative)
        if not follow([initiative]):  # what the tier leaves out holds nothing
            rewrite_supported_stage(initiative)
        if before and before != tier:
            now, was = Tier.word(tier).lower(), Tier.word(before).lower()
            _tell_owner_and_chair(
                initiative,
                "tier changed",
                f"the risk tier is {now} now, and was {was}",
                f"{by} confirmed it. The worst credible harm: {ended(initiative.worst_credible_harm)}",
                by,
            )
    return initiative


def refuse_tier(*, initiative: Initiative, tier: str, reason: str, by: User) -> Initiative:
    """Refuse the proposed tier as risk seat, with a reason. The confirmed tier stays.

    `tier` is the proposal that the person saw. Raises Refused if it differs now.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Explain why the proposed tier does not fit."})
    with act("refuse tier", by=by, initiative=initiative, reason=reason) as initiative:
        initiative_permissions.may_refuse_tier(initiative, by).or_refuse()
        _still_proposed(initiative, tier)
        initiative.proposed_tier = initiative.tier
        initiative.save()
        entries.record(
            EntryKind.RISK_TIER_REFUSED,
            initiative=initiative,
            proposed=tier,
            tier=initiative.tier,
            why=reason.strip(),
        )
        stays = f" The risk tier stays {Tier.word(initiative.tier).lower()}." if initiative.tier else ""
        _tell_owner_and_chair(
            initiative,
            "tier refused",
            f"the risk tier {Tier.word(tier).lower()} is refused",
            f"{by} refused the proposed tier: {ended(reason.strip())}{stays}",
            by,
        )
    return initiative


def _still_proposed(initiative: Initiative, tier: str) -> None:
    """Raise Refused if another tier is proposed now than the person saw."""
    if tier != initiative.proposed_tier:
        no(
            phrase("The proposed tier is now {}, not {}.", initiative.proposed_tier, tier),
            "Read the proposal again.",
        ).or_refuse()


def _tell_owner_and_chair(initiative: Initiative, kind: str, title: str, text: str, by: User) -> None:
    """Notify the owner and the chair of what the risk seat decided on the tier."""
    owner = roles_and_seats.accepted(initiative, Role.OWNER)
    telling.tell(
        initiative,
        [owner.person if owner else None, roles_and_seats.acting_chair(initiative)[0]],
        kind,
        f"tier:{initiative.pk}",
        title,
        but=by,
        period=clock.now().isoformat(timespec="seconds"),
        text=text,
        link=initiative.get_absolute_url(),
    )


def not_similar(*, initiative: Initiative, other: Initiative, by: User) -> NotSimilar:
    """Record that another initiative is not similar, so that pages hide it.

    The actor works on the initiative, and everyone may see `other`. Raises Refused, and Conflict on a repetition.
    """
    with act("not similar", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        if other.pk == initiative.pk or not Initiative.objects.told().filter(pk=other.pk).exists():
            no(
                "Plumbline does not list this initiative as similar.", "Open the initiative again."
            ).or_refuse()
        pair = Q(initiative=initiative, other=other) | Q(initiative=other, other=initiative)
        if NotSimilar.objects.filter(pair).exists():
            raise Conflict(
                "This initiative was already marked as not similar.",
                "Open the next similar initiative.",
                initiative.get_absolute_url(),
            )
        row = NotSimilar(initiative=initiative, other=other, by=by, at=clock.now())
        row.save()
        entries.record(EntryKind.NOT_SIMILAR, initiative=initiative, other=other.ref)
    return row


def withdraw(
    *, initiative: Initiative, reason: str, joined_to: Initiative | None = None, by: User
) -> Initiative:
    """Withdraw an idea registered by mistake or joined to another one. Its row is kept without obligations."""
    if not reason.strip() and joined_to is None:
        raise ValidationError({"reason": "Give a reason, or name the initiative that replaces this one."})
    with act("withdraw", by=by, initiative=initiative, reason=reason, register=True) as initiative:
        initiative_permissions.may_withdraw(initiative, by).or_refuse()
        if joined_to is not None and joined_to.pk == initiative.pk:
            raise ValidationError(
                {"joined_to": "An initiative cannot be joined to itself. Name another initiative."}
            )
        if initiative.reviews.filter(outcome=ReviewOutcome.OPEN).exists():
            no("A review of this initiative is open.", "First withdraw the review.").or_refuse()
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
