"""Registering a case and saying what it is."""

import re

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q

from governance import clock, contributions
from governance.ledger import record
from governance.models import Unit, User
from governance.organisation.actions import open_to_own
from governance.permission_result import Conflict, no
from governance.vocabulary import ReviewOutcome, Tier
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.access import permissions as case_permissions
from initiatives.cases.act import act, settle_standing
from initiatives.components.actions import pull
from initiatives.findings.sync import follow, follow_more
from initiatives.integration.links.actions import end_links
from initiatives.models import BusinessCase, FormerTitle, Initiative, NotSimilar
from initiatives.models.portfolio.business_cases import AMOUNTS
from initiatives.roles.actions import create_role

BUSINESS_FIELDS = ("vendor", *AMOUNTS, "currency", "go_live_on", "ticket")


def next_numbers(count: int = 1) -> list[int]:
    """Numbers for new references, each handed out once even if the act that took it is rolled back.

    See docs/domain.md, invariant 2.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('plumbline_case_number') FROM generate_series(1, %s)", [count])
        return [row[0] for row in cursor.fetchall()]


def register(
    *,
    title: str,
    unit: Unit,
    problem: str,
    owner: User,
    successor_of: Initiative | None = None,
    reason: str = "",
    by: User,
) -> Initiative:
    """Register an idea with four fields. Whoever names themselves owner accepts by that; another person is asked.

    `reason`: why it is new although there are similar cases. Raises ValidationError naming the field; Refused for
    inactive people.
    """
    wrong = {}
    if not title.strip():
        wrong["title"] = "Give it a title that people will recognise."
    if not problem.strip():
        wrong["problem"] = "Say in a sentence or two which problem it should solve."
    if not owner.is_active:
        wrong["owner"] = f"{owner} is no longer active; name somebody else."
    if unit.imported:
        wrong["unit"] = unit.taken_over_first
    if successor_of is not None and not successor_of.closed:
        wrong["successor_of"] = (
            f"{successor_of.ref} still runs; a successor follows a stopped or retired initiative."
        )
    if wrong:
        raise ValidationError(wrong)
    open_to_own(unit, "unit")
    with act("register", by=by, reason=reason.strip() or "Registered"):
        case_permissions.may_register(by).or_refuse()
        case = Initiative(
            number=next_numbers()[0],
            title=title.strip(),
            unit=unit,
            problem=problem.strip(),
            registered_by=by,
            successor_of=successor_of,
        )
        case.save()
        record.record(
            EntryKind.REGISTERED,
            case=case,
            unit=unit.name,
            problem=case.problem,
            owner=owner.full_name,
            successor_of=successor_of.ref if successor_of else None,
        )
        create_role(case, "owner", owner, by, accepted=owner == by)
        settle_standing(case)
    return case


def rename(*, case: Initiative, title: str, reason: str, by: User) -> Initiative:
    """Give a case another name, as owner, with a reason. Its reference stays; search finds the old name for ever."""
    wrong = {}
    if not title.strip():
        wrong["title"] = "Give it a title that people will recognise."
    if not reason.strip():
        wrong["reason"] = "Say why, for whoever looks for it under its old name."
    if wrong:
        raise ValidationError(wrong)
    with act("rename", by=by, case=case, reason=reason) as case:
        case_permissions.may_describe(case, by).or_refuse()
        before = case.title
        if title.strip() == before:
            raise ValidationError({"title": "That is its name already."})
        FormerTitle(initiative=case, title=before, until=clock.now(), by=by, reason=reason.strip()).save()
        case.title = title.strip()
        case.save()
        record.record(EntryKind.RENAMED, case=case, before=before, after=case.title)
        follow_more(case)
    return case


def change_details(
    *,
    case: Initiative,
    problem: str,
    platform: str,
    confidential: bool,
    reason: str = "",
    by: User,
) -> Initiative:
    """Change problem, platform and confidentiality. Earlier words stay in the history. A new name is `rename`."""
    if not problem.strip():
        raise ValidationError({"problem": "An initiative needs its problem."})
    with act("change details", by=by, case=case, reason=reason) as case:
        case_permissions.may_describe(case, by).or_refuse()
        before = {name: getattr(case, name) for name in ("problem", "platform", "confidential")}
        case.problem, case.platform = problem.strip(), platform.strip()
        case.confidential = confidential
        after = {name: getattr(case, name) for name in before}
        if after["confidential"] != before["confidential"]:
            case_permissions.may_manage(case, by).or_refuse()
        if after != before:
            case.save()
            record.record(EntryKind.DETAILS_CHANGED, case=case, before=before, after=after)
            follow_more(case)
            if after["confidential"] != before["confidential"]:
                for tell in contributions.secrecy_changed:
                    tell(case)
    return case


def state_business_case(*, case: Initiative, said: dict, reason: str = "", by: User) -> BusinessCase:
    """State money and dates of a case, and its vendor: `said` by the fields of `BusinessCase`; others stay.

    Words of whoever states them: nothing is measured or decided by it. Raises ValidationError naming the field.
    """
    with act("state business case", by=by, case=case, reason=reason) as case:
        case_permissions.may_describe(case, by).or_refuse()
        row = BusinessCase.objects.filter(initiative=case).first() or BusinessCase(initiative=case)
        before = {name: getattr(row, name) for name in BUSINESS_FIELDS}
        for name, value in said.items():
            setattr(row, name, value)
        row.currency = row.currency.upper()
        check_business_case(row)
        after = {name: getattr(row, name) for name in BUSINESS_FIELDS}
        changed = [name for name in BUSINESS_FIELDS if before[name] != after[name]]
        if changed:
            row.save()
            record.record(
                EntryKind.BUSINESS_CASE_STATED,
                case=case,
                before={name: _plain(before[name]) for name in changed},
                after={name: _plain(after[name]) for name in changed},
            )
    return row


def check_business_case(row: BusinessCase) -> None:
    """Raise ValidationError, naming the field, for amounts below nothing, too large, or without a currency."""
    wrong: dict[str, str | list] = {
        name: "An amount is not below nothing." for name in AMOUNTS if (getattr(row, name) or 0) < 0
    }
    try:
        row.clean_fields(exclude=[each.name for each in row._meta.fields if each.name not in AMOUNTS])
    except ValidationError as digits:
        wrong |= digits.error_dict
    stated = any(getattr(row, name) is not None for name in AMOUNTS)
    if (row.currency or stated) and not re.fullmatch(r"[A-Z]{3}", row.currency):
        wrong["currency"] = "Name the currency by its three letters, for instance EUR."
    if wrong:
        raise ValidationError(wrong)


def _plain(value) -> str | None:
    """A field of the business case as an entry keeps it."""
    return None if value in (None, "") else str(value)


def propose_tier(*, case: Initiative, tier: str, worst_credible_harm: str, by: User) -> Initiative:
    """Propose a risk tier with the worst credible harm. The tier counts once the risk seat confirms it."""
    wrong = {}
    if tier not in Tier:
        wrong["tier"] = "Choose minimal, limited or high."
    if not worst_credible_harm.strip():
        wrong["worst_credible_harm"] = "Say what the worst credible harm of a wrong output is."
    if wrong:
        raise ValidationError(wrong)
    with act("propose tier", by=by, case=case) as case:
        case_permissions.may_describe(case, by).or_refuse()
        case.proposed_tier, case.worst_credible_harm = tier, worst_credible_harm.strip()
        case.save()
        record.record(
            EntryKind.RISK_TIER_PROPOSED, case=case, tier=tier, worst_credible_harm=case.worst_credible_harm
        )
    return case


def confirm_tier(*, case: Initiative, tier: str, by: User) -> Initiative:
    """Confirm the proposed tier as the risk seat. A different confirmed tier pulls the trigger `risk_tier`.

    `tier` is what the person saw proposed; raises Refused when it is no longer the proposal.
    """
    with act("confirm tier", by=by, case=case) as case:
        case_permissions.may_confirm_tier(case, by).or_refuse()
        if tier != case.proposed_tier:
            no(f"The proposal is {case.proposed_tier} now, not {tier}.", "Read it again.").or_refuse()
        before = case.tier
        case.tier, case.tier_confirmed_by, case.tier_confirmed_at = tier, by, clock.now()
        case.save()
        record.record(EntryKind.RISK_TIER_CONFIRMED, case=case, before=before, tier=tier)
        if before and before != tier:
            pull(case, ["risk_tier"], f"Risk tier {before} -> {tier}", by=by)
        if not follow([case]):  # what the tier leaves out holds nothing
            settle_standing(case)
    return case


def not_similar(*, case: Initiative, other: Initiative, by: User) -> NotSimilar:
    """Say, as somebody who works on a case, that another one is not similar: neither is shown beside the other again.

    `other` is a case of which everybody hears. Raises Refused, Conflict where it was said before.
    """
    with act("not similar", by=by, case=case) as case:
        case_permissions.may_collaborate(case, by).or_refuse()
        if other.pk == case.pk or not Initiative.objects.told().filter(pk=other.pk).exists():
            no("No such initiative is shown as similar.", "Look at the initiative again.").or_refuse()
        pair = Q(initiative=case, other=other) | Q(initiative=other, other=case)
        if NotSimilar.objects.filter(pair).exists():
            raise Conflict("That was said already.", "Go on.", case.get_absolute_url())
        row = NotSimilar(initiative=case, other=other, by=by, at=clock.now())
        row.save()
        record.record(EntryKind.NOT_SIMILAR, case=case, other=other.ref)
    return row


def withdraw(*, case: Initiative, reason: str, joined_to: Initiative | None = None, by: User) -> Initiative:
    """Withdraw an idea registered by mistake, or joined to another case. It is kept, marked; nothing is owed."""
    if not reason.strip() and joined_to is None:
        raise ValidationError({"reason": "Say why, or name the initiative it is joined to."})
    with act("withdraw", by=by, case=case, reason=reason, register=True) as case:
        case_permissions.may_withdraw(case, by).or_refuse()
        if joined_to is not None and joined_to.pk == case.pk:
            raise ValidationError({"joined_to": "An initiative is not joined to itself."})
        if case.reviews.filter(outcome=ReviewOutcome.OPEN).exists():
            no("A review is open.", "Withdraw the review first.").or_refuse()
        case.withdrawn_at, case.withdrawn_reason, case.joined_to = clock.now(), reason.strip(), joined_to
        case.save()
        record.record(EntryKind.WITHDRAWN, case=case, joined_to=joined_to.ref if joined_to else None)
        end_links(case, "The idea was withdrawn", owed=False, by=by)
        settle_standing(case)
    return case
