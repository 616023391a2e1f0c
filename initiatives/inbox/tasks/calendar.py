"""Due days of a person's initiatives for their calendar: reference and title, nothing else.

Of an initiative that is confidential, or no longer theirs to see, the reference alone.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Max, OuterRef, Q
from django.urls import reverse

from governance import clock
from governance.models import User
from governance.notifications.calendar_feed import DueDay
from governance.vocabulary import ObligationKind, Stage
from initiatives.inbox.rows.person_rows import Look, look_of
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.reviews import inbox as review_inbox
from initiatives.lifecycle.reviews import review_turn
from initiatives.models import Condition, Continuation, Gap, Initiative, Obligation, SupportedStagePeriod

CALENDAR_WORDS = {
    review_turn.DECIDE: "Decide",
    review_turn.REOPEN: "Open a new review",
    review_turn.FIX: "Fix what is unmet",
    review_turn.ANSWER: "Answer an objection",
    review_turn.LOOK_AGAIN: "Look again",
    review_turn.SIGN: "Sign",
    review_turn.APPOINT: "Have a seat filled",
    review_turn.QUESTION: "Answer the board",
}


def days(person: User) -> list[DueDay]:
    """Every day on which something of an initiative is due to the person, whatever lies ahead or is overdue."""
    look = look_of(person)
    found = [row for part in PARTS for row in part(look)]
    initiatives = [initiative for _, _, initiative, _, _ in found]
    open_to = set(
        initiative_permissions.visible_to(person)
        .filter(pk__in=[initiative.pk for initiative in initiatives], confidential=False)
        .values_list("pk", flat=True)
    )
    return [
        DueDay(
            key,
            day,
            f"{what}: {initiative.ref}{f' {initiative.title}' if initiative.pk in open_to else ''}",
            link,
        )
        for key, day, initiative, what, link in found
    ]


Found = tuple[str, date, Initiative, str, str]  # key, day, initiative, what is due, where


def obligations(look: Look) -> Iterator[Found]:
    """What the person has to do: obligations, conditions, gaps."""
    open_obligations = Obligation.objects.open().filter(responsible=look.person).select_related("initiative")
    for row in open_obligations:
        yield (
            f"obligation-{row.pk}",
            row.due,
            row.initiative,
            ObligationKind(row.kind).label,
            reverse("account-close", args=[row.account_key])
            if row.account_key is not None
            else row.initiative.get_absolute_url(),
        )
    unmet = Condition.objects.filter(owner=look.person, met_at__isnull=True).select_related(
        "review__initiative"
    )
    for row in unmet:
        link = reverse("condition-meet", args=[row.pk])
        yield f"condition-{row.pk}", row.due, row.review.initiative, "Meet a condition", link
    gaps = Gap.objects.filter(owner=look.person, closed_at__isnull=True).select_related("initiative")
    for row in gaps:
        link = reverse("row-act", args=["gaps", row.pk, "close"])
        yield f"gap-{row.pk}", row.due, row.initiative, "Close a gap", link


def reviews(look: Look) -> Iterator[Found]:
    """Reviews at which the move is the person's: until the day on which they expire."""
    for move in review_inbox.moves(look):
        review = move.review
        day = clock.local_day(review.expires_at)
        key = f"review-{review.pk}-{move.seat or move.kind.split()[0]}"
        yield key, day, review.initiative, CALENDAR_WORDS[move.kind], review.get_absolute_url()


def evidence(look: Look) -> Iterator[Found]:
    """The first day on which evidence of an initiative that the person works on no longer counts."""
    ageing = SupportedStagePeriod.objects.covering(look.now).filter(
        initiative__in=look.working, next_expiry_on__isnull=False
    )
    for span in ageing:
        initiative, held = look.working[span.initiative_id]
        if held != {"sponsor"} and not initiative.imported:
            link = reverse("evidence", args=[initiative.ref])
            yield f"evidence-{initiative.pk}", span.next_expiry_on, initiative, "Evidence expires", link


def reattestation(look: Look) -> Iterator[Found]:
    """The day by which production is accepted again: for its owner and its support owner."""
    mine = [pk for pk, (_, held) in look.working.items() if held & {"owner", "support_owner"}]
    if not mine or look.rulebook is None:
        return
    rule = look.rulebook.stages["production"]
    initiatives = Initiative.objects.filter(pk__in=mine, stage=Stage.PRODUCTION).exclude(basis="import")
    promoted = Max("stage_changes__at", filter=Q(stage_changes__to_stage=Stage.PRODUCTION))
    for initiative in initiatives.annotate(promoted=promoted):
        start = max(filter(None, [initiative.promoted, initiative.reattested_at]), default=None)
        if start is not None:
            lasts = rule.reattest_days_high if initiative.high_risk else rule.reattest_days
            day = clock.local_day(start) + timedelta(days=lasts)
            link = reverse("initiative-reattest", args=[initiative.ref])
            yield f"reattest-{initiative.pk}", day, initiative, "Accept production again", link


def trials(look: Look) -> Iterator[Found]:
    """The day on which a prototype or an MVP ends unless the chair lets it go on: for its owner."""
    mine = [pk for pk, (_, held) in look.working.items() if "owner" in held]
    initiatives = Initiative.objects.filter(pk__in=mine, stage__in=(Stage.PROTOTYPE, Stage.MVP)).exclude(
        basis="import"
    )
    going_on = Continuation.objects.filter(initiative=OuterRef("pk"), at__gte=OuterRef("since"))
    for initiative in initiatives.annotate(continued=ArraySubquery(going_on.order_by().values("until"))):
        day = supported_stage.review_by(initiative, initiative.continued)
        if day is not None:
            yield (
                f"trial-{initiative.pk}",
                day,
                initiative,
                "Stage time-box review",
                initiative.get_absolute_url(),
            )


def ends(look: Look) -> Iterator[Found]:
    """The day on which a stage ends before a board that the person chairs: to continue or stop, or to confirm."""
    for initiative, day in look.ending:
        if initiative.pk in look.chaired:
            production = initiative.stage == Stage.PRODUCTION
            link = reverse(
                "initiative-reattest" if production else "initiative-continue", args=[initiative.ref]
            )
            words = "Confirm production again" if production else "Decide: continue or stop"
            yield f"end-{initiative.pk}", day, initiative, words, link


PARTS = [obligations, reviews, evidence, reattestation, trials, ends]
