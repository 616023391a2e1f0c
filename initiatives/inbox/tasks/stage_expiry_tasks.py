"""Tasks of the inbox on stages that end, and on dependences to state."""

from datetime import timedelta

from django.urls import reverse

from governance import clock
from governance.notifications.inbox import InboxTask
from governance.templatetags.plumbline import day, stage_word
from governance.vocabulary import HoldKind, Role, Stage
from governance.vocabulary.phrases import label, phrase
from initiatives.inbox.rows.person_rows import Look
from initiatives.lifecycle.facts import supported_stage
from initiatives.portfolio.insights.report_links import ENDING


def ends(look: Look):
    """Yield ending stages for chair and owners, and dependences to state."""
    warned = timedelta(days=max(look.rulebook.freshness.warn_days_before)) if look.rulebook else timedelta()
    for initiative, due in look.ending:
        if initiative.pk in look.chaired:
            production = initiative.stage == Stage.PRODUCTION
            yield InboxTask(
                "decide",
                initiative.title,
                reverse(
                    "initiative-act",
                    args=[initiative.ref, "confirm-production" if production else "continue"],
                ),
                phrase("See who accepted again") if production else phrase("Stage time-box review"),
                phrase(
                    "The owner and the support owner accept their roles again, then you confirm "
                    "production. After {}, the initiative is held at MVP.",
                    day(due),
                )
                if production
                else (
                    phrase(
                        "{} since {}. Decide whether to continue, and until when.",
                        stage_word(initiative.stage),
                        day(initiative.since),
                    )
                ),
                initiative.ref,
                due,
                since=due - warned,
                matter=f"{HoldKind.REATTESTATION if production else 'stage-end'}:{initiative.pk}",
            )
    more = look.ending_in_all - len(look.ending)
    if more and any(initiative.pk in look.chaired for initiative, _ in look.ending):
        yield InboxTask(
            "decide",
            phrase("1 more stage ends") if more == 1 else phrase("{} more stages end", more),
            f"{reverse('portfolio')}?report={ENDING}",
            phrase("See all of them"),
            phrase(
                "You see the {} oldest tasks. The others appear when you have decided these tasks.",
                len(look.ending),
            ),
            since=min(due for _, due in look.ending) - warned,
        )
    yield from _to_accept_again(look)
    for row in look.rows("dependants"):
        initiative = row.initiative
        yield InboxTask(
            "confirm",
            phrase("{} depends on {}", row.who, initiative.name_for_all),
            reverse("dependant", args=[row.pk]),
            phrase("Read and answer"),
            phrase(
                "{} asks you to confirm this dependence, and the longest outage that is acceptable. "
                "Only you can confirm the dependence.",
                row.stated_by,
            ),
            initiative.ref,
            since=clock.local_day(row.stated_at),
            matter=f"dependant:{row.pk}",
        )


def _to_accept_again(look: Look):
    if look.rulebook is None:
        return
    warned = timedelta(days=max(look.rulebook.freshness.warn_days_before))
    due = {
        pk: (initiative, held & {"owner", "support_owner"}, supported_stage.reattest_by(initiative))
        for pk, (initiative, held) in look.working.items()
        if held & {"owner", "support_owner"}
        and initiative.stage == Stage.PRODUCTION
        and not initiative.imported
    }
    due = {pk: row for pk, row in due.items() if row[2] <= look.today + warned}
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
                    phrase("Accept again: {} of {}", label(Role(role).label, inside=True), initiative.title),
                    reverse("initiative-act", args=[initiative.ref, "confirm-production"]),
                    phrase("Accept again"),
                    phrase(
                        "Production must be confirmed again regularly. After {}, the initiative is held at "
                        "MVP.",
                        day(by),
                    ),
                    initiative.ref,
                    by,
                    since=by - warned,
                    matter=f"{HoldKind.REATTESTATION}:{pk}",
                )
