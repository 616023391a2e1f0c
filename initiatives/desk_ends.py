"""What waits on somebody's desk because a stage ends, and what an executive is asked to state."""

from datetime import timedelta

from django.urls import reverse

from governance.desk import Line
from governance.templatetags.plumbline import day, stage_word
from initiatives import standing
from initiatives.desk_look import Look
from initiatives.models import Evidence
from initiatives.models.initiative import PRODUCTION, ROLES


def ends(look: Look):
    """Stages that end: to decide as chair, to accept again as owner or support owner; dependences to state."""
    for case, due in look.ending:
        if case.pk in look.chaired:
            production = case.stage == PRODUCTION
            yield Line(
                "decide",
                case.title,
                reverse("case-reattest" if production else "case-continue", args=[case.ref]),
                "See who accepted again" if production else "Continue or stop",
                "Owner and support owner accept again, then you confirm; past its day it is held at MVP."
                if production
                else f"{stage_word(case.stage)} since {day(case.since)}: does it go on, and until when?",
                case.ref,
                due,
            )
    yield from _to_accept_again(look)
    for case, row in look.dependences:
        yield Line(
            "confirm",
            f"{row['who']} depends on {case.title}",
            reverse("dependant", args=[row["pk"]]),
            "Read and answer",
            f"{row['by']} named you to state it, and how long an outage is bearable. Nobody can do this for you.",
            case.ref,
        )


def _to_accept_again(look: Look):
    if look.book is None:
        return
    soon = look.today + timedelta(days=max(look.book.freshness.warn_days_before))
    due = {
        pk: (case, held & {"owner", "support_owner"}, standing.reattest_by(case))
        for pk, (case, held) in look.working.items()
        if held & {"owner", "support_owner"} and case.stage == PRODUCTION and not case.imported
    }
    due = {pk: row for pk, row in due.items() if row[2] <= soon}
    if not due:
        return
    since = look.today - timedelta(days=look.book.freshness.grace_days)
    done = set(
        Evidence.objects.filter(
            initiative__in=due,
            acceptance__person=look.person,
            acceptance__ended_at__isnull=True,
            observed_on__gte=since,
        ).values_list("initiative_id", "acceptance__role")
    )
    for pk, (case, roles_held, by) in due.items():
        for role in sorted(roles_held):
            if (pk, role) not in done:
                yield Line(
                    "accept",
                    f"{ROLES[role]} of {case.title}, again",
                    reverse("case-reattest", args=[case.ref]),
                    "Accept again",
                    f"Production is accepted again every so often. Past {day(by)} it is held at MVP.",
                    case.ref,
                    by,
                )
