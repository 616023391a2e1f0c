"""Catch-up plans: proposed and changed by who answers for an initiative, agreed to or sent back by the chair.

A plan is looked at by nothing that gates read: it changes no level, gap, supported stage, badge or decision.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError

from governance import clock
from governance.database.request_memo import one_look
from governance.ledger import record
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.cases.act import act, batched
from initiatives.catch_up import queries
from initiatives.catch_up.permissions import may_answer, may_propose
from initiatives.catch_up.waves import WAVES, proposed, wrong_days
from initiatives.facts import case_rows, rulebook_in_effect
from initiatives.models import CatchUpAnswer, CatchUpPlan, CatchUpWave, Initiative

MOST_AT_ONCE = 5000  # initiatives that one act over many takes; the next run takes the rest


@dataclass(frozen=True)
class Done:
    """What an act over many did: how many, and how many it left out, by why."""

    done: int
    left: Mapping[str, int]


def propose_plan(
    *,
    case: Initiative,
    days: Mapping[int, date],
    keys: Mapping[int, Iterable[str]],
    reason: str = "",
    by: User,
) -> CatchUpPlan:
    """Propose the plan of an initiative, or a new version of it: the day of each wave, and what belongs to it.

    Every gap of now is in one wave; what an earlier version named may stay. Raises ValidationError with what is wrong,
    Refused for who may not.
    """
    with act("propose catch-up plan", by=by, case=case, reason=reason.strip()) as case:
        may_propose(case, by).or_refuse()
        (now,) = queries.progress_of([case])
        chosen = {number: list(keys[number]) for number in sorted(keys) if list(keys[number])}
        _check(chosen, days, now)
        if now.plan is not None and not reason.strip():
            raise ValidationError({"reason": "Say why the plan changes: the earlier one is kept beside it."})
        if now.plan is not None and _same(now.plan, chosen, days):
            raise ValidationError("Nothing is changed: days and waves are those of the plan that stands.")
        (plan,) = _save([(case, chosen, now.plan)], days, reason.strip(), by)
    return plan


def _check(chosen: Mapping[int, list[str]], days: Mapping[int, date], now: queries.Progress) -> None:
    wrong: dict[str, str] = {}
    flat = [key for keys in chosen.values() for key in keys]
    allowed = {*now.gaps, *(key for wave in now.waves for key in wave.keys)}
    missing = [key for key in now.gaps if key not in flat]
    if not flat:
        raise ValidationError("Nothing is missing for the stage that it claims: there is nothing to plan.")
    if set(chosen) - set(WAVES) or len(flat) != len(set(flat)) or set(flat) - allowed:
        raise ValidationError("What is missing changed meanwhile. Look at the page again; nothing is saved.")
    if missing:
        raise ValidationError(
            f"{len(missing)} of what is missing stand in no wave. Choose a wave for each; nothing is saved."
        )
    for number in chosen:
        if days.get(number) is None:
            wrong[f"day_{number}"] = "Give the day by which this wave is to be met."
    mine = {number: day for number, day in days.items() if number in chosen and day is not None}
    wrong |= {f"day_{number}": words for number, words in wrong_days(mine, clock.today()).items()}
    if wrong:
        raise ValidationError(wrong)


def _same(plan: CatchUpPlan, chosen: Mapping[int, list[str]], days: Mapping[int, date]) -> bool:
    was = {row.number: (row.due, set(row.requirements)) for row in plan.waves.all()}
    return was == {number: (days[number], set(keys)) for number, keys in chosen.items()}


def _save(
    rows: Sequence[tuple[Initiative, Mapping[int, list[str]], CatchUpPlan | None]],
    days: Mapping[int, date],
    reason: str,
    by: User,
) -> list[CatchUpPlan]:
    """The next version of each of these plans with its waves and its entry, set-wise, inside the running act."""
    now = clock.now()
    plans = CatchUpPlan.objects.bulk_create(
        CatchUpPlan(
            initiative=case,
            number=before.number + 1 if before else 1,
            reason=reason if before else "",
            proposed_by=by,
            proposed_at=now,
        )
        for case, _, before in rows
    )
    CatchUpWave.objects.bulk_create(
        CatchUpWave(plan=plan, number=number, due=days[number], requirements=keys)
        for plan, (_, chosen, _) in zip(plans, rows, strict=True)
        for number, keys in chosen.items()
    )
    for kind, changed in ((EntryKind.CATCH_UP_PROPOSED, False), (EntryKind.CATCH_UP_CHANGED, True)):
        told = [
            (
                case,
                {
                    "plan": plan.number,
                    "waves": ", ".join(
                        f"{len(keys)} by {days[number]:%-d %B %Y}" for number, keys in chosen.items()
                    ),
                    "requirements": {str(number): keys for number, keys in chosen.items()},
                    **({"why": reason} if changed else {}),
                },
            )
            for plan, (case, chosen, before) in zip(plans, rows, strict=True)
            if (before is not None) == changed
        ]
        if told:
            record.record_many(kind, told)
    return plans


@dataclass(frozen=True)
class Preview:
    """What proposing plans for many would do: the keys of the initiatives it takes, and how many not, by why."""

    takes: tuple[int, ...]
    left: Mapping[str, int]


def preview_plans(*, cases: Iterable[queries.Progress], by: User) -> Preview:
    """Which of these would get a plan from `propose_plans`; nothing is changed."""
    takes, left = [], dict[str, int]()
    rows = list(cases)
    for start in range(0, len(rows), queries.TOGETHER):
        part = rows[start : start + queries.TOGETHER]
        with one_look():
            case_rows.read_together([now.case for now in part])
            for now in part:
                why = _why_not_proposed(now, by)
                if why:
                    left[why] = left.get(why, 0) + 1
                else:
                    takes.append(now.case.pk)
    return Preview(tuple(takes), left)


def propose_plans(*, cases: Iterable[int], days: Mapping[int, date], by: User) -> Done:
    """Propose the plans of these initiatives (keys) that have none, each with its gaps by wave, on the same days.

    What has a plan, or where `by` may not propose, is left out and counted. Each fifty are one transaction.
    """
    if set(days) != set(WAVES):
        raise ValidationError("Give the day of each wave.")
    if wrong := wrong_days(days, clock.today()):
        raise ValidationError({f"day_{number}": words for number, words in wrong.items()})
    done, left = 0, dict[str, int]()
    for keys in batched(sorted(set(cases))[:MOST_AT_ONCE]):
        with act("propose catch-up plans", by=by):
            rows = []
            with one_look():
                for now in queries.progress_of(_locked(keys)):
                    why = _why_not_proposed(now, by)
                    if why:
                        left[why] = left.get(why, 0) + 1
                    else:
                        book = rulebook_in_effect.rulebook_of(now.case).book
                        rows.append((now.case, proposed(book, now.gaps, now.case.tier), None))
            if rows:
                _save(rows, days, "", by)
            done += len(rows)
    return Done(done, left)


def _locked(keys: list[int]) -> list[Initiative]:
    Initiative.objects.all_locked(keys)
    return list(Initiative.objects.select_related("unit").filter(pk__in=keys).order_by("number"))


def _why_not_proposed(now: queries.Progress, by: User) -> str:
    if now.plan is not None:
        return "a plan stands already"
    if not now.gaps:
        return "nothing is missing"
    return "" if may_propose(now.case, by) else "the owner proposes the plan"


def answer_plan(*, plan: CatchUpPlan, agreed: bool, words: str = "", by: User) -> CatchUpAnswer:
    """Agree to the dates of a plan as chair, or send it back with what should change.

    Raises Conflict where a newer version was proposed or somebody answered meanwhile.
    """
    if not agreed and not words.strip():
        raise ValidationError({"words": "Say what should change, so that a better plan can be proposed."})
    with act("answer catch-up plan", by=by, case=plan.initiative_id, reason=words.strip()) as case:
        if not CatchUpPlan.objects.current().filter(pk=plan.pk).exists():
            raise Conflict("A newer version of this plan was proposed.", "Read that one.", _page(case))
        plan = queries.plans_of([case])[case.pk]
        if queries.state_of(plan) != "dated":
            raise Conflict("This plan was answered already.", "Read the answer.", _page(case))
        plan.initiative = case
        may_answer(plan, by).or_refuse()
        answer = CatchUpAnswer(plan=plan, agreed=agreed, words=words.strip(), by=by, at=clock.now())
        answer.save()
        if agreed:
            record.record(EntryKind.CATCH_UP_AGREED, case=case, plan=plan.number, waves=_days_of(plan))
        else:
            record.record(EntryKind.CATCH_UP_SENT_BACK, case=case, plan=plan.number, why=words.strip())
    return answer


def agree_plans(*, plans: Iterable[int], by: User) -> Done:
    """Agree as chair to the dates of these plans (keys) as they were read. Each fifty are one transaction.

    What was answered or changed meanwhile, or is not theirs to agree to, is left out and counted.
    """
    keys, done, left = sorted(set(plans))[:MOST_AT_ONCE], 0, dict[str, int]()
    of_case = dict(CatchUpPlan.objects.filter(pk__in=keys).values_list("initiative", "pk"))
    for part in batched(sorted(of_case)):
        with act("agree to catch-up plans", by=by):
            told = []
            cases = _locked(part)
            newest = queries.plans_of(cases)
            with one_look():
                case_rows.read_together(cases)
                for case in cases:
                    plan = newest[case.pk]
                    plan.initiative = case
                    why = _why_not_agreed(plan, of_case[case.pk], by)
                    if why:
                        left[why] = left.get(why, 0) + 1
                    else:
                        told.append((case, plan))
            CatchUpAnswer.objects.bulk_create(
                CatchUpAnswer(plan=plan, agreed=True, by=by, at=clock.now()) for _, plan in told
            )
            if told:
                record.record_many(
                    EntryKind.CATCH_UP_AGREED,
                    [(case, {"plan": plan.number, "waves": _days_of(plan)}) for case, plan in told],
                )
            done += len(told)
    return Done(done, left)


def _why_not_agreed(plan: CatchUpPlan, read: int, by: User) -> str:
    if plan.pk != read:
        return "changed since you read it"
    if queries.state_of(plan) != "dated":
        return "answered already"
    return "" if may_answer(plan, by) else "not yours to agree to"


def _days_of(plan: CatchUpPlan) -> str:
    return ", ".join(f"{len(row.requirements)} by {row.due:%-d %B %Y}" for row in plan.waves.all())


def _page(case: Initiative) -> str:
    return f"{case.get_absolute_url()}catch-up/"
