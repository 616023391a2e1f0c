"""Lines of the desk on catch-up plans: waves overdue, plans sent back or not dated; for chairs, dates to agree to."""

from django.urls import reverse

from governance.notices.desk import Line
from initiatives.catch_up import queries
from initiatives.worklist.person_worklist import Look


def lines(look: Look):
    """What waits for the owner of initiatives that an import claims a stage for, and for the chair of their board."""
    yield from _of_owner(look)
    yield from _of_chair(look)


def _of_owner(look: Look):
    mine = {
        pk: case
        for pk, (case, held) in look.working.items()
        if case.imported and case.stage in queries.CLAIMED and held & {"owner", "deputy"}
    }
    if not mine:
        return
    plans = queries.plans_of(mine.values())
    undated = [case for pk, case in mine.items() if pk not in plans and "owner" in look.working[pk][1]]
    if undated:
        several = len(undated) > 1
        yield Line(
            "write",
            f"{len(undated)} catch-up plans" if several else f"Catch-up plan of {undated[0].title}",
            reverse("catch-ups-propose") if several else reverse("case-catch-up", args=[undated[0].ref]),
            "Propose dates",
            "Nobody dated yet by when what is missing is shown. Nothing is decided by it.",
            "" if several else undated[0].ref,
        )
    for pk, plan in plans.items():
        if queries.state_of(plan) == "sent back":
            yield Line(
                "answer",
                f"Catch-up plan of {mine[pk].title}",
                reverse("case-catch-up-propose", args=[mine[pk].ref]),
                "Change the plan",
                f"{plan.answer.by} sent it back: {plan.answer.words}",
                mine[pk].ref,
                on_behalf=look.standing_in_on.get(pk, ""),
            )
    late = [mine[pk] for pk, plan in plans.items() if any(row.due < look.today for row in plan.waves.all())]
    for one in queries.progress_of(late, shown=True) if late else ():
        for wave in one.overdue(look.today)[:1]:
            yield Line(
                "refresh",
                one.case.title,
                reverse("case-catch-up", args=[one.case.ref]),
                "See what is missing",
                f"Wave {wave.number} of the catch-up plan ({wave.name.lower()}): {wave.met} of {len(wave.keys)} met.",
                one.case.ref,
                wave.due,
                on_behalf=look.standing_in_on.get(one.case.pk, ""),
            )


def _of_chair(look: Look):
    waiting = sum(
        look.chairs_now(row.case_unit)
        for row in look.rows("dated_plans")
        if row.proposed_by_id != look.person.pk
    )
    if waiting:
        yield Line(
            "agree",
            f"Dates of {waiting} catch-up plan{'' if waiting == 1 else 's'}",
            f"{reverse('catch-ups')}?plan=dated",
            "Read and answer",
            "By when imported initiatives mean to show what they lack. It counts as agreed once you say so.",
        )
