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
from initiatives.models import Evidence, Initiative
from initiatives.portfolio.insights.report_links import ENDING

if TYPE_CHECKING:
    from initiatives.inbox.rows.person_rows import Look

ACCEPTING = (Role.OWNER, Role.SUPPORT_OWNER)  # who accept again before the chair confirms production


def tasks(look: "Look") -> Iterator[InboxTask]:
    """Yield the ending stages that the chair decides on, and the roles to accept again."""
    if look.rulebook is None:
        return
    warn = look.rulebook.freshness.warn_days_before
    decided = [row for row in look.ending if row[0].pk in look.chaired]
    for initiative, due in decided:
        yield of_chair(initiative, due, warn, look.person).task()
    more = look.ending_in_all - len(look.ending)
    if more and decided:
        yield InboxTask(
            "decide",
            phrase("1 more stage ends") if more == 1 else phrase("{} more stages end", more),
            f"{reverse('portfolio')}?report={ENDING}",
            phrase("See all of them"),
            phrase(
                "You see the {} oldest tasks. The others appear when you have decided these tasks.",
                len(look.ending),
            ),
            since=min(due for _, due in look.ending) - timedelta(days=max(warn)),
        )
    yield from _to_accept_again(look, warn)


def _to_accept_again(look: "Look", warn: tuple[int, ...]) -> Iterator[InboxTask]:
    ends = {
        pk: (initiative, sorted(held & set(ACCEPTING)), supported_stage.reattest_by(initiative))
        for pk, (initiative, held) in look.working.items()
        if held & set(ACCEPTING) and initiative.stage == Stage.PRODUCTION and not initiative.imported
    }
    near = {pk: row for pk, row in ends.items() if row[2] <= look.today + timedelta(days=max(warn))}
    if not near:
        return
    since = look.today - timedelta(days=look.rulebook.freshness.grace_days)
    done = {
        (row.initiative_id, row.role)
        for row in look.rows("accepted_again")
        if row.who == look.person.pk and row.observed_on >= since
    }
    for pk, (initiative, held, due) in near.items():
        for role in held:
            if (pk, role) not in done:
                yield of_role(initiative, role, due, warn, look.person).task()


def of_chair(initiative: Initiative, due: date, warn: tuple[int, ...], chair: User | None) -> DueTask:
    """Return the chair's task on a stage that ends on `due`: continue a trial, or confirm production again.

    Other readers of its messages are told that the chair decides, and what the owner can do.
    """
    if initiative.stage == Stage.PRODUCTION:
        return _again(
            initiative,
            due,
            warn,
            chair,
            initiative.title,
            Act("decide", _confirmation(initiative), phrase("See who accepted again")),
            phrase(
                "The owner and the support owner accept their roles again, then you confirm production. "
                "After {}, the initiative is held at MVP.",
                day(due),
            ),
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


def of_role(initiative: Initiative, role: str, due: date, warn: tuple[int, ...], person: User) -> DueTask:
    """Return the task of a person to accept a role again, before production is confirmed again by `due`."""
    return _again(
        initiative,
        due,
        warn,
        person,
        phrase("Accept again: {} of {}", label(Role(role).label, inside=True), initiative.title),
        Act("accept", _confirmation(initiative), phrase("Accept again")),
        phrase(
            "Production must be confirmed again regularly. After {}, the initiative is held at MVP.", day(due)
        ),
    )


def _again(initiative: Initiative, due: date, warn, person: User | None, text: str, act: Act, why: str):
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
    )


def _confirmation(initiative: Initiative) -> str:
    return reverse("initiative-act", args=[initiative.ref, "confirm-production"])


def reminders(moment: datetime):
    """Return the reminders of stages that end, by the days of the rulebook before, on the day and after it.

    A trial: owner and chair. Production: who has not accepted again, and the chair once both have.
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
    circle, accepted = Circle(initiatives), _accepted_again(initiatives, rulebooks[0].freshness.grace_days)
    found = []
    for initiative in initiatives:
        due = supported_stage.review_by(initiative, initiative.continued) or supported_stage.reattest_by(
            initiative
        )
        if due is None or due > moments["near"]:
            continue
        missing = [role for role in ACCEPTING if (initiative.pk, role) not in accepted]
        if initiative.stage == Stage.PRODUCTION and missing:
            people = [(role, circle.role(initiative, role)) for role in missing]
            found += [of_role(initiative, role, due, warn, person) for role, person in people if person]
        else:
            found.append(of_chair(initiative, due, warn, circle.chair(initiative)))
    return remind(found, moment, _asked)


def _accepted_again(initiatives: list[Initiative], grace: int) -> set[tuple[int, str]]:
    """Return the roles that were accepted within the days of grace, each with its initiative."""
    rows = Evidence.objects.filter(
        initiative__in=[one for one in initiatives if one.stage == Stage.PRODUCTION],
        acceptance__role__in=ACCEPTING,
        acceptance__ended_at__isnull=True,
        observed_on__gte=clock.today() - timedelta(days=grace),
    )
    return set(rows.values_list("initiative", "acceptance__role"))


def _asked(circle: Circle, one: DueTask) -> list[User | None]:
    if one.kind == "reattest":
        return [one.person]
    return [*circle.in_charge(one.initiative), one.person]
