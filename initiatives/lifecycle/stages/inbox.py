"""Stages that end, in inbox and reminders: the chair continues or confirms them, roles are accepted again."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.contrib.postgres.expressions import ArraySubquery
from django.urls import reverse

from governance import clock
from governance.models import Rulebook, User
from governance.notifications.inbox import InboxTask
from governance.templatetags.plumbline import day, stage_word
from governance.vocabulary import HoldKind, Role, Stage
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.facts import stage_expiry, supported_stage
from initiatives.lifecycle.reminders.due_task import Act, Aside, DueTask, remind
from initiatives.lifecycle.reminders.recipients import Circle
from initiatives.models import Initiative, RoleAssignment

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look


def tasks(look: "Look") -> Iterator[InboxTask]:
    """Yield the ending stages that the chair decides on, and the roles to accept again."""
    if look.rulebook is None:
        return
    warn = look.rulebook.freshness.warn_days_before
    for initiative, due in look.ending:
        if initiative.pk in look.chaired:
            yield of_chair(initiative, due, warn, look.person, set(initiative.accepted_roles)).task()
    yield from _to_accept_again(look, warn)


def _to_accept_again(look: "Look", warn: tuple[int, ...]) -> Iterator[InboxTask]:
    """Yield the person's own roles to accept again: nobody accepts a role in the place of another person."""
    last = look.today + timedelta(days=max(warn))
    ends = [
        (row, supported_stage.reattest_by(row.initiative))
        for row in look.roles
        if row.accepted_at and row.person_id == look.person.pk and row.role in stage_expiry.ACCEPTING
    ]
    near = [(row, due) for row, due in ends if due is not None and due <= last]
    done = {(row.initiative_id, row.role) for row in look.rows("accepted_again")} if near else set()
    for row, due in near:
        if (row.initiative_id, row.role) not in done:
            yield of_role(row, due, warn).task()


def of_chair(
    initiative: Initiative, due: date, warn: tuple[int, ...], chair: User | None, accepted: set[str]
) -> DueTask:
    """Return the chair's task on a stage that ends on `due`: continue a trial, or confirm production again.

    The chair can confirm once the roles of `stage_expiry.ACCEPTING` are accepted again, and knows of it before.
    Messages to other readers name the decision of the chair and the acts of the owner.
    """
    if initiative.stage == Stage.PRODUCTION:
        return _again(
            initiative,
            due,
            warn,
            chair,
            initiative.title,
            Act(
                "decide",
                reverse("initiative-act", args=[initiative.ref, "confirm-production"]),
                phrase("Confirm production again")
                if accepted.issuperset(stage_expiry.ACCEPTING)
                else phrase("See who accepted again"),
            ),
            phrase(
                "The owner and the support owner accept their roles again, then you confirm production. "
                "After {}, the initiative is held at MVP.",
                day(due),
            ),
            to_know=not accepted.issuperset(stage_expiry.ACCEPTING),
        )
    over = due < clock.today()
    word = stage_word(initiative.stage)
    return DueTask(
        f"stage-end:{initiative.pk}:{due.isoformat()}",
        initiative,
        chair,
        initiative.title,
        Act(
            "decide",
            reverse("initiative-act", args=[initiative.ref, "continue"]),
            phrase("Stage time-box review"),
        ),
        phrase("{} since {}. Decide whether to continue, and until when.", word, day(initiative.since)),
        due - timedelta(days=max(warn)),
        due,
        phrase("this {} was to end on {}: continue or stop?", word, due)
        if over
        else phrase("this {} ends on {}: continue or stop?", word, due),
        ("continue or stop", "continue or stop"),
        matter=f"stage-end:{initiative.pk}",
        days=(*warn, 0),
        says_all=True,
        aside=Aside(
            phrase(
                "The chair decides whether it continues, and until when. The owner can stop the initiative, "
                "or ask for a review."
            )
            + (
                f" {phrase('Every page of the initiative shows that its end has passed until the chair decides.')}"
                if over
                else ""
            ),
            initiative.get_absolute_url(),
        ),
    )


def of_role(row: RoleAssignment, due: date, warn: tuple[int, ...]) -> DueTask:
    """Return the task of a person to accept a role again, before production is confirmed again by `due`."""
    return _again(
        row.initiative,
        due,
        warn,
        row.person,
        phrase("Accept again: {} of {}", label(Role(row.role).label, inside=True), row.initiative.title),
        Act("accept", reverse("row-act", args=["roles", row.pk, "accept-again"]), phrase("Accept again")),
        phrase(
            "Production must be confirmed again regularly. After {}, the initiative is held at MVP.", day(due)
        ),
    )


def _again(
    initiative: Initiative, due: date, warn, person: User | None, text: str, act: Act, why: str, **more
):
    return DueTask(
        f"{HoldKind.REATTESTATION}:{initiative.pk}:{due.isoformat()}",
        initiative,
        person,
        text,
        act,
        why,
        due - timedelta(days=max(warn)),
        due,
        phrase("production had to be confirmed again by {}", due)
        if due < clock.today()
        else phrase("production has to be confirmed again by {}", due),
        ("reattest", "reattest"),
        matter=f"{HoldKind.REATTESTATION}:{initiative.pk}",
        days=(*warn, 0),
        says_all=True,
        personal=True,
        aside=Aside(
            phrase(
                "The owner and the support owner accept their roles again. Then the chair confirms production."
            ),
            initiative.get_absolute_url(),
        ),
        **more,
    )


def reminders(moment: datetime):
    """Return the reminders of stages that end, by the days of the rulebook before, on the day and after it.

    A trial: owner and chair. Production: who has not accepted again, or the chair after that.
    """
    rulebooks = [Rulebook.objects.current().parsed, *(one.parsed for one in Rulebook.objects.kept_versions())]
    warn = rulebooks[0].freshness.warn_days_before
    moments = stage_expiry.moments(*rulebooks)
    initiatives = list(
        stage_expiry.soon(Initiative.objects.live(), moments.__getitem__)
        .annotate(continued=ArraySubquery(stage_expiry.going_on().values("until")))
        .select_related("unit")
        .order_by("pk")
    )
    circle = Circle(initiatives)
    accepted = stage_expiry.accepted_again(one.pk for one in initiatives if one.stage == Stage.PRODUCTION)
    roles: dict[int, list[RoleAssignment]] = {}
    for row in (
        RoleAssignment.objects.in_force()
        .filter(initiative__in=initiatives, role__in=stage_expiry.ACCEPTING, person__is_active=True)
        .select_related("person", "initiative__unit")
    ):
        roles.setdefault(row.initiative_id, []).append(row)
    found = []
    for initiative in initiatives:
        due = supported_stage.review_by(initiative, initiative.continued) or supported_stage.reattest_by(
            initiative
        )
        if due is None or due > moments["near"]:
            continue
        done = accepted.get(initiative.pk, set())
        decides = of_chair(initiative, due, warn, circle.chair(initiative), done)
        missing = [of_role(row, due, warn) for row in roles.get(initiative.pk, ()) if row.role not in done]
        # The chair is also told where a role has no holder who could accept it.
        found += missing if decides.to_know and missing else [decides]
    return remind(found, moment, _asked)


def _asked(circle: Circle, one: DueTask) -> list[User | None]:
    if one.kind == "reattest":
        return [one.person]
    return [*circle.in_charge(one.initiative), one.person]
