"""Tasks of the inbox on evidence that expires soon."""

from datetime import date, timedelta

from django.urls import reverse

from governance.gates.requirements import expiry
from governance.notifications.inbox import InboxTask
from governance.vocabulary.phrases import phrase
from initiatives.inbox.rows import around_queries
from initiatives.inbox.rows.person_rows import Look
from initiatives.lifecycle.evidence.renewal import Renewal, renewal_of
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.holds.due_tasks import support_of
from initiatives.models import Evidence, Initiative

AGEING_DAYS = 30


def ageing(look: Look):
    """Yield evidence that expires within 30 days, for the one person who renews it (`Renewal`)."""
    # Counted to the last day on which it is current, as pages say it: the next one is the first on which it is not.
    last = look.today + timedelta(days=AGEING_DAYS + 1)
    soon = {
        pk: span.next_expiry_on
        for pk, span in look.spans.items()
        if span.next_expiry_on and span.next_expiry_on <= last and look.working[pk][1] != {"sponsor"}
    }
    if not soon or look.rulebook is None:
        return
    near = _counting_from(look, soon)
    first_days = initiative_rows.first_days_of(near) if near else {}
    for pk, expires_on in soon.items():
        initiative, held = look.working[pk]
        ending = {
            item.title: (item, renewal_of(initiative, look.rulebook, key, item, soon))
            for item in near.get(pk, ())
            for key in item.covers
            if _last_day(look, key, first_days.get(item.pk, item.observed_on), initiative)
            == expires_on - timedelta(days=1)
        }
        mine = {title: one for title, (item, one) in ending.items() if _is_mine(look, held, item, one)}
        titles = list(mine)
        if not titles and (ending or "owner" not in held):
            continue
        if len(titles) > 1:
            why = phrase("“{}” and {} more expire.", titles[0], len(titles) - 1)
        else:
            why = (
                phrase("“{}” expires.", titles[0])
                if titles
                else phrase("Evidence of the initiative expires.")
            )
        link, button = _all_ageing(initiative)
        if len(titles) == 1:
            link, button = mine[titles[0]].address, mine[titles[0]].words
        behalf = look.standing_in_on.get(pk, "")
        current_until = expires_on - timedelta(days=1)
        yield InboxTask(
            "refresh",
            initiative.title,
            link,
            button,
            why,
            initiative.ref,
            current_until,
            on_behalf=behalf,
            since=current_until - timedelta(days=AGEING_DAYS),
            matter=support_of(initiative),
        )


def _counting_from(look: Look, soon: dict[int, date]) -> dict[int, list[Evidence]]:
    """Return by initiative the evidence that may expire on the day of the initiative, by its first day."""
    rules = look.rulebook.requirements.values()
    began = {
        day - timedelta(days=1 + days)
        for pk, day in soon.items()
        for days in {one.days(look.working[pk][0].tier) for one in rules}
        if days
    }
    found: dict[int, list[Evidence]] = {}
    if not began:
        return found
    for item in around_queries.AGEING.ask(list(soon), began=list(began), first=min(began))["items"]:
        found.setdefault(item.initiative_id, []).append(item)
    return found


def _is_mine(look: Look, held: set[str], item: Evidence, renewal: Renewal) -> bool:
    """Return whether renewing the item is the task of the person: of one alone, or of who stands in for that one."""
    people = {row["role"]: row["person"] for row in item.people}
    whose = renewal.whose(people)
    return whose in (None, look.person.pk) or any(people.get(role) == whose for role in held)


def _all_ageing(initiative: Initiative) -> tuple[str, str]:
    return f"{reverse('evidence', args=[initiative.ref])}?state=aging", phrase("See the evidence")


def _last_day(look: Look, key: str, first_day: date, initiative: Initiative) -> date | None:
    requirement = look.rulebook.requirements.get(key)
    return expiry(requirement, first_day, initiative.tier) if requirement else None
