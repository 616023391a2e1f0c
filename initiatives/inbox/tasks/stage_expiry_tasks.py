"""Tasks of the inbox: stages that end, and dependences that an executive is asked to state."""

from datetime import timedelta

from django.urls import reverse

from governance.notifications.inbox import InboxTask
from governance.templatetags.plumbline import day, stage_word
from governance.vocabulary import Role, Stage
from initiatives.inbox.rows.person_rows import Look
from initiatives.lifecycle.facts import supported_stage
from initiatives.portfolio.insights.report_links import ENDING


def ends(look: Look):
    """Stages that end: to decide as chair, to accept again as owner or support owner; dependences to state."""
    for initiative, due in look.ending:
        if initiative.pk in look.chaired:
            production = initiative.stage == Stage.PRODUCTION
            yield InboxTask(
                "decide",
                initiative.title,
                reverse(
                    "initiative-reattest" if production else "initiative-continue", args=[initiative.ref]
                ),
                "See who accepted again" if production else "Stage time-box review",
                "Owner and support owner accept again, then you confirm; past its day it is held at MVP."
                if production
                else f"{stage_word(initiative.stage)} since {day(initiative.since)}: does it go on, and until when?",
                initiative.ref,
                due,
            )
    more = look.ending_in_all - len(look.ending)
    if more and any(initiative.pk in look.chaired for initiative, _ in look.ending):
        yield InboxTask(
            "decide",
            f"{more} more {'stage ends' if more == 1 else 'stages end'}",
            f"{reverse('portfolio')}?report={ENDING}",
            "See them all",
            f"The {len(look.ending)} oldest stand here; the others come up as these are decided.",
        )
    yield from _to_accept_again(look)
    for row in look.rows("dependants"):
        initiative = row.initiative
        yield InboxTask(
            "confirm",
            f"{row.who} depends on {initiative.title}",
            reverse("dependant", args=[row.pk]),
            "Read and answer",
            f"{row.stated_by} named you to state it, and how long an outage is bearable. Nobody can do this for you.",
            initiative.ref,
        )


def _to_accept_again(look: Look):
    if look.rulebook is None:
        return
    soon = look.today + timedelta(days=max(look.rulebook.freshness.warn_days_before))
    due = {
        pk: (initiative, held & {"owner", "support_owner"}, supported_stage.reattest_by(initiative))
        for pk, (initiative, held) in look.working.items()
        if held & {"owner", "support_owner"}
        and initiative.stage == Stage.PRODUCTION
        and not initiative.imported
    }
    due = {pk: row for pk, row in due.items() if row[2] <= soon}
    if not due:
        return
    since = look.today - timedelta(days=look.rulebook.freshness.grace_days)
    done = {
        (row.initiative_id, row.role)
        for row in look.rows("accepted_again")
        if row.who == look.person.pk and row.observed_on >= since
    }
    for pk, (initiative, roles_held, by) in due.items():
        for role in sorted(roles_held):
            if (pk, role) not in done:
                yield InboxTask(
                    "accept",
                    f"{Role(role).label} of {initiative.title}, again",
                    reverse("initiative-reattest", args=[initiative.ref]),
                    "Accept again",
                    f"Production is accepted again every so often. Past {day(by)} it is held at MVP.",
                    initiative.ref,
                    by,
                )
