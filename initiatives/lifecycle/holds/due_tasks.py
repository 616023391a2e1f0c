"""Tasks on an initiative with a day: obligations, conditions, gaps, waivers that end.

The line of an inbox, the messages of reminders, the day of a calendar and the line of a digest use this description.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.urls import reverse

from governance import clock
from governance.database.request_memo import one_look
from governance.models import Rulebook, User
from governance.permission_result import ended
from governance.vocabulary import CLOSED_STAGES, HoldKind, ObligationKind
from governance.vocabulary.phrases import phrase
from initiatives.contributions import contributed
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.access.visibility import COMPLETED_ELSEWHERE
from initiatives.lifecycle.findings import alerts
from initiatives.lifecycle.reminders.due_task import Act, DueTask, remind
from initiatives.lifecycle.reminders.recipients import Circle
from initiatives.lifecycle.reminders.wording import about
from initiatives.models import Condition, Gap, Initiative, Obligation, Waiver

NOUNS = {
    ObligationKind.POST_MORTEM: "its post-mortem",
    ObligationKind.RETROSPECTIVE: "its retrospective after go-live",
    ObligationKind.CRITERION: "a task that is due after the stage change",
    ObligationKind.STEP_BACK: "adding evidence for its stage",
    ObligationKind.STEPPED_BACK: "the answer to the step back",
    ObligationKind.VACANCY: "finding an owner",
    ObligationKind.SERVICE_ACCOUNT: "closing a service account",
    ObligationKind.MEASUREMENT: "a new measurement",
    ObligationKind.FEED: "the confirmation that a feed is switched off",
    ObligationKind.SHOWN_BY: "the evidence for its reported stage",
    ObligationKind.UNKNOWN: "the facts that the register does not have",
}
_REVIEWS_WAIT = phrase("While this is overdue, no MVP or production review of the same owner can be decided.")
BLOCKS: dict[str, str] = {
    ObligationKind.STEP_BACK: phrase(
        "The days of grace are over: the chair decides whether the initiative steps back."
    ),
    ObligationKind.STEPPED_BACK: phrase("No review of the initiative is approved before."),
    ObligationKind.CRITERION: _REVIEWS_WAIT,
    ObligationKind.POST_MORTEM: _REVIEWS_WAIT,
    ObligationKind.RETROSPECTIVE: _REVIEWS_WAIT,
    ObligationKind.UNKNOWN: phrase(
        "After this day, the requirement counts as missing and the supported stage can fall."
    ),
    ObligationKind.VACANCY: phrase("The chair can propose an owner, or demote the initiative."),
}
NEAR = timedelta(days=14)


def of_obligations(rows: Iterable[Obligation]) -> list[DueTask]:
    """Return the tasks of these obligations, without those that wait for others."""
    rows, acts = list(rows), {}
    for find in dict.fromkeys(contributed.obligation_acts.values()):
        mine = [row for row in rows if contributed.obligation_acts.get(row.kind) is find]
        acts |= find(mine) if mine else {}
    found = []
    for row in rows:
        act = acts.get(row.pk) if row.kind in contributed.obligation_acts else act_of(row)
        if act is None:
            continue
        outside = row.kind in COMPLETED_ELSEWHERE
        found.append(
            DueTask(
                f"obligation:{row.pk}",
                row.initiative,
                row.responsible,
                row.text,
                act,
                phrase(
                    "An obligation on {}. {}",
                    row.initiative.name_for_all if outside else row.initiative.title,
                    BLOCKS.get(row.kind, ""),
                ).strip(),
                clock.local_day(row.opened_at),
                row.due,
                NOUNS[row.kind],
                ("due", "overdue"),
                BLOCKS.get(row.kind, ""),
                _matter(row),
                weekly=True,
                outside=outside,
            )
        )
    return found


def act_of(row: Obligation) -> Act:
    """Return the act that completes an obligation which nothing has to be written for."""
    ref = row.initiative.ref
    if row.account_key is not None:
        return Act(
            "complete", reverse("row-act", args=["service-accounts", row.account_key, "close"]), "Close it"
        )
    if row.system_key is not None:
        return Act(
            "complete", reverse("feed-shut", args=[row.pk]), phrase("Confirm that the feed is switched off")
        )
    if row.kind in (ObligationKind.STEP_BACK, ObligationKind.SHOWN_BY):
        return Act(
            "complete",
            f"{reverse('requirements', args=[ref])}?gate=live&show=open",
            phrase("See what is open"),
        )
    if row.kind == ObligationKind.UNKNOWN:
        about, key, what = row.source.split(":")
        if what == "agreement":
            return Act("agree", reverse("link-answer", args=[key]), phrase("Read and answer"))
        return Act("complete", reverse("row-act", args=[f"{about}s", key, "change"]), "Record it")
    if row.kind == ObligationKind.VACANCY:
        return Act("complete", reverse("people", args=[ref]), phrase("Propose an owner"))
    return Act("complete", reverse("row-act", args=["obligations", row.pk, "complete"]), "Complete it")


def _matter(row: Obligation) -> str:
    """Return the matter of an obligation: support, vacancy, account or incident."""
    if row.kind in (ObligationKind.STEP_BACK, ObligationKind.SHOWN_BY):
        return support_of(row.initiative)
    if row.kind == ObligationKind.VACANCY:
        return f"{HoldKind.OWNER_VACANT}:{row.initiative_id}"
    if row.kind == ObligationKind.POST_MORTEM:
        return row.source
    return f"account:{row.account_key}" if row.account_key is not None else ""


def support_of(initiative: Initiative) -> str:
    """Return the matter of all that the support of this stage or the next lacks."""
    return f"support:{initiative.pk}"


def of_conditions(rows: Iterable[Condition]) -> list[DueTask]:
    """Return the tasks of these unmet conditions. They come with `review`."""
    return [
        DueTask(
            # A condition that was found not met is reminded of anew, whatever was sent before it was declared met.
            f"condition:{row.pk}{f':{clock.local_day(row.not_met_at)}' if row.not_met_at else ''}",
            row.review.initiative,
            row.owner,
            row.text,
            Act(
                "meet",
                reverse("row-act", args=["conditions", row.pk, "meet"]),
                phrase("Mark the condition as met"),
            ),
            phrase(
                "A condition of the decision on {}. If it is overdue, it blocks the next decision.",
                row.review.initiative.title,
            )
            if not row.not_met_reason
            else phrase(
                "A condition of the decision on {}. The board found that it is not met: {}",
                row.review.initiative.title,
                row.not_met_reason,
            ),
            clock.local_day(row.review.ended_at),
            row.due,
            "a condition",
            ("condition", "condition overdue"),
            phrase("While this is overdue, no decision on this initiative is possible."),
            matter=f"condition:{row.pk}",
        )
        for row in rows
    ]


def of_gaps(rows: Iterable[Gap]) -> list[DueTask]:
    """Return the tasks of these open gaps."""
    return [
        DueTask(
            f"gap:{row.pk}",
            row.initiative,
            row.owner,
            row.text,
            Act("complete", reverse("row-act", args=["gaps", row.pk, "close"]), phrase("Close the gap")),
            f"A gap of {row.initiative.title}. "
            + (
                "Close the gap with evidence, or ask the risk seat to accept the risk again."
                if row.ended_risk_id
                else "Close the gap with evidence, or accept the gap as its owner."
            ),
            clock.local_day(row.opened_at),
            row.due,
            "a gap",
            ("gap", "gap"),
        )
        for row in rows
    ]


def of_waivers(rows: Iterable[Waiver]) -> list[DueTask]:
    """Return the tasks of granted waivers that end soon: what they waive has to be met then."""
    rows = list(rows)
    rulebook = Rulebook.objects.current().parsed if rows else None
    asked = {**rulebook.criteria, **rulebook.requirements} if rulebook else {}
    return [
        DueTask(
            f"waiver:{row.pk}",
            row.initiative,
            row.requested_by,
            row.initiative.title,
            Act(
                "answer",
                reverse("requirement", args=[row.initiative.ref, row.key])
                if rulebook and row.key in rulebook.requirements
                else row.get_absolute_url(),
                phrase("Open the requirement"),
            ),
            phrase(
                "The waiver of “{}” ends. The requirement must be met after that day. A requirement cannot "
                "have two waivers in a row.",
                asked[row.key].question if row.key in asked else row.key,
            ),
            row.until - NEAR,
            row.until,
            phrase("a waiver ends on {}", row.until),
            ("waiver", "waiver"),
            days=(14, 3),
            says_all=True,
        )
        for row in rows
    ]


def reminders(moment: datetime):
    """Yield the reminders of all tasks, before, on and after their day.

    The first ones come 14 and 3 days before. The person of the task gets them. If that person is gone, the people in
    charge of the initiative and the chair do. The owner also gets those of an overdue condition and of an ending
    waiver. A step-back after its grace goes at once to the chair, who decides. Each person gets one message on it.
    """
    today = clock.local_day(moment)
    obligations = Obligation.objects.open().select_related("initiative__unit", "responsible").order_by("pk")
    conditions = (
        Condition.objects.filter(met_at__isnull=True, review__initiative__withdrawn_at__isnull=True)
        .exclude(review__initiative__stage__in=CLOSED_STAGES)
        .select_related("owner", "review__initiative__unit")
        .order_by("pk")
    )
    gaps = (
        Gap.objects.filter(closed_at__isnull=True, due__lte=today + NEAR)
        .exclude(initiative__basis="import")
        .select_related("owner", "initiative__unit")
        .order_by("pk")
    )
    waivers = (
        Waiver.objects.granted()
        .filter(until__range=(today, today + NEAR), initiative__withdrawn_at__isnull=True)
        .exclude(initiative__stage__in=CLOSED_STAGES)
        .select_related("requested_by", "initiative__unit")
        .order_by("pk")
    )
    found = [*of_obligations(obligations), *of_conditions(conditions), *of_gaps(gaps), *of_waivers(waivers)]
    told: dict[str, set[User]] = {}
    for due in remind(found, moment, _asked):
        told.setdefault(due.object_key, set()).add(due.person)
        yield due
    for one in found:
        if one.due < today and one.noun == NOUNS[ObligationKind.STEP_BACK]:
            yield from (due for due in _grace_over(one) if due.person not in told.get(one.key, ()))


def _asked(circle: Circle, one: DueTask) -> list[User | None]:
    initiative = one.initiative
    if one.person is None or not one.person.is_active:
        return [*circle.in_charge(initiative), circle.chair(initiative)]
    if one.kind == "waiver":
        return [one.person, *circle.in_charge(initiative)]
    return [one.person, circle.owner(initiative)] if one.kind == "condition overdue" else [one.person]


def _grace_over(one: DueTask):
    """Yield the messages on ended grace: to the chair, seats and dependants.

    The responsible person gets the usual message on an overdue task.
    """
    initiative = one.initiative
    rulebook = Rulebook.objects.current().parsed.at_tier(initiative.tier)
    with one_look():
        people = alerts.readers(initiative, alerts.affected_seats(rulebook, initiative.stage))
    lead = phrase("{} {}", ended(one.text), one.blocks)
    dues = {person.pk: (person, lead, reverse("initiative", args=[initiative.ref])) for person in people}
    for row in alerts.depending([initiative]):
        person = row.executive or row.stated_by
        if person.pk not in dues:
            plain = alerts.words_for(
                row, phrase("The days of grace are over. Ask the owner of the initiative what still works.")
            )
            seen = visibility.may_see(initiative, person)
            dues[person.pk] = (person, lead, initiative.get_absolute_url()) if seen else (person, plain, "")
    for person, text, link in dues.values():
        if person != one.person:
            yield about(
                initiative,
                one.kinds[1],
                one.key,
                phrase("the days of grace ended on {}", one.due),
                text=text,
                link=link,
                outside=not link,
                due_on=one.due,
            )(person, period="grace over")
