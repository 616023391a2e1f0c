"""Thirty days over the demo and thousands of imported initiatives.

    python -m tests.drills.company.thirty_days [IMPORTED] [--days N]

Every task of the beat runs at each moment of BEATS of every day, twice over now and then, and people go on living
(`LIFE`). Afterwards each message, hold, expiry and escalation is held against its day, worked out here from raw rows
and a table of thresholds of its own, written by hand from what the rules say; nothing may be missing, early, late or
told twice. The log of the days is printed as it would be told.

A change in governance/notifications, initiatives/lifecycle/reminders or a periodic task asks for it.
"""

import argparse
import contextlib
import csv
import io
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from governance.vocabulary import ReviewOutcome
from tests.drills.company import place

# Local hours at which the whole beat runs: after midnight, before and after the mail of the day, at night.
BEATS = ((0, 12), (7, 40), (9, 5), (18, 30))
AGAIN = 5  # each so many runs, everything runs twice
# Days before and after the day that a message names, by its kind: a message bears the threshold it reached.
BEFORE = {
    "due": (14, 3, 0),
    "condition": (14, 3, 0),
    "gap": (14, 3, 0),
    "waiver": (14, 3),
    "evidence": (30, 14, 3, 0),
    "review expires": (14, 3),
    "continue or stop": (30, 14, 3, 0),
    "reattest": (30, 14, 3, 0),
    "drill": (14, 3, 0),
}
ESCALATED = {"chair7d": 7, "board14d": 14}
FROM_THE_START = ("confirm post-mortem",)  # escalated so long after it began, whatever its day
# What a person may read as often as it is true: told for each new reason, not on a day.
FOR_REASONS = ("stale sign-off", "decided")


def main(imported: int, days: int) -> int:
    """Found, live, tell, compare; how many things were wrong."""
    with place.database():
        from governance import clock

        began = time.monotonic()
        start = clock.now()
        found(imported)
        print(f"demo and {imported} imported initiatives: {time.monotonic() - began:.0f} s")
        began = time.monotonic()
        seen = lived(start, days)
        print(f"{days} days, {seen.runs} runs of every task: {time.monotonic() - began:.0f} s\n")
        tell(start, days)
        wrong = [*early_or_late(seen), *missing(seen), *twice(seen), *of_initiatives(seen)]
        for line in wrong[:60]:
            print(f"WRONG {line}")
        print(f"{len(wrong)} things wrong; {counted(seen)}")
        return len(wrong)


def found(imported: int) -> None:
    """The demo, and the rows of its extract of a real inventory, over and over under other identifiers."""
    from django.core.management import call_command

    from adoption.demo import inventory
    from governance.models import User
    from initiatives.portfolio.imports.inventories.actions import confirm_batch, upload_batch

    call_command("demo", stdout=io.StringIO())
    header, *rows = csv.reader(io.StringIO(inventory.EXTRACT.read_text(encoding="utf-8-sig"), newline=""))
    key, name = header.index("id"), header.index("use_case_name")
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(header)
    for number in range(imported):
        row = list(rows[number % len(rows)])
        row[key], row[name] = f"{row[key] or 'ROW'}-{number}", f"{row[name]} ({number})"
        table.writerow(row)
    admin = User.objects.active().filter(is_admin=True).earliest("pk")
    batch = upload_batch(
        content=text.getvalue().encode(), file_name="inventory-large.csv", source=inventory.SOURCE, by=admin
    )
    confirm_batch(batch=batch, by=admin)


# --- Living ----------------------------------------------------------------------------------------------------------


@dataclass
class Seen:
    """The first and last moment of the days, and how often the beat ran."""

    first: datetime
    last: datetime
    runs: int = 0

    def day(self, moment: datetime) -> date:
        """The local day."""
        from governance import clock

        return clock.local_day(moment)


def lived(start: datetime, days: int) -> Seen:
    """Day by day: people act in the morning, the beat runs at its moments."""
    from governance import clock

    first = clock.local_day(start) + timedelta(days=1)
    moments = [
        clock.midnight_before(first + timedelta(days=day)) + timedelta(hours=hour, minutes=minute)
        for day in range(days)
        for hour, minute in BEATS
    ]
    seen = Seen(moments[0], moments[-1])
    for number, moment in enumerate(moments):
        if number % len(BEATS) == 1:
            with clock.simulated(moment - timedelta(minutes=20)):
                live(number // len(BEATS))
        with clock.simulated(moment):
            for _ in range(2 if number % AGAIN == 0 else 1):
                run_beat()
                seen.runs += 1
    return seen


def run_beat() -> None:
    """Run every task that the beat sends, in the order of its table."""
    from django.conf import settings

    from governance.celery import app

    app.loader.import_default_modules()
    for one in settings.CELERY_BEAT_SCHEDULE.values():
        app.tasks[one["task"]].apply(throw=True)


def live(day: int) -> None:
    """What people do on this day, where the demo lets them."""
    for on, act in LIFE:
        if on == day:
            act()


def _ask_for_a_deputy() -> None:
    """Somebody is asked to be deputy and does not answer: told at once, after three and seven days."""
    from initiatives.lifecycle.roles import actions as role_actions

    initiative = _imported("mvp")
    owner = _owner(initiative)
    person = next(one for one in _people() if not initiative.roles.filter(person=one).exists())
    role_actions.propose_role(initiative=initiative, role="deputy", person=person, by=owner)


def _forbid_a_region() -> None:
    """A term that forbids what runs, from ten days on: the hold opens on its day, not on the day of filing."""
    from governance import clock
    from initiatives.integration.residency import actions as residency_actions
    from initiatives.models import Transfer

    transfer = (
        Transfer.objects.filter(vendor__isnull=False, link__ended_at__isnull=True)
        .exclude(region="")
        .select_related("vendor", "link__initiative")
        .earliest("pk")
    )
    by = _seat(transfer.link.initiative, "security_privacy")
    residency_actions.file_vendor_term(
        vendor=transfer.vendor,
        kind="region",
        forbidden=[transfer.region],
        reference="Amendment 7",
        starts_on=clock.today() + timedelta(days=10),
        by=by,
    )


def _leave() -> None:
    """An owner of an MVP leaves: the initiative is vacant that day, the chair hears after a week, the board after
    two.
    """
    from initiatives.portfolio.units import leaving

    initiative = _imported("mvp")
    leaving.deactivate(
        person=_owner(initiative), reason="Left the company", by=_people(is_admin=True).earliest("pk")
    )


def _hold() -> None:
    """Somebody is worried, and holds an initiative."""
    from initiatives.lifecycle.holds import deeds as hold_deeds

    initiative = _imported("production")
    hold_deeds.hold(
        initiative=initiative,
        reason="Three customers got the letter of another.",
        by=_seat(initiative, "risk_compliance"),
    )


LIFE = ((1, _ask_for_a_deputy), (2, _forbid_a_region), (4, _leave), (6, _hold))


def _imported(stage: str):
    """The first initiative of the demo at this stage that has an owner who is there."""
    from initiatives.models import Initiative, RoleAssignment

    owned = RoleAssignment.objects.in_force().filter(role="owner", person__is_active=True)
    initiatives = Initiative.objects.live().filter(stage=stage, pk__in=owned.values("initiative"))
    return initiatives.exclude(basis="import").select_related("unit").earliest("pk")


def _owner(initiative):
    return initiative.roles.in_force().get(role="owner").person


def _people(**asked):
    from governance.models import User

    return User.objects.active().filter(**asked).order_by("pk")


def _seat(initiative, seat: str):
    """Whoever holds the seat of the initiative's board, and is on no team."""
    from initiatives.lifecycle.reminders.recipients import Circle

    return Circle([initiative]).holders(initiative, seat)[0]


# --- Telling ---------------------------------------------------------------------------------------------------------


def tell(start: datetime, days: int) -> None:
    """Print the days: what people and the beat did, as sentences, and how many were told what."""
    from governance import clock
    from governance.audit import search as audit_search
    from governance.models import Delivery, Entry, Notification

    acts = Entry.objects.acts().filter(at__gt=start).select_related("body").order_by("pk")
    by_day: dict[date, list] = defaultdict(list)
    for entry in acts:
        by_day[clock.local_day(entry.at)].append(entry)
    for number in range(days):
        day = clock.local_day(start) + timedelta(days=number + 1)
        print(f"{day:%A %-d %B %Y}")
        lines = Counter(
            f"{told.entry.initiative_ref or 'house':>8}  {told.who or 'Plumbline'} {told.what}"
            for told in audit_search.tell(by_day[day])
        )
        for line, often in list(lines.items())[:12]:
            print(f"  {line[:150]}{f'  ({often} times)' if often > 1 else ''}")
        if len(lines) > 12:
            print(f"  and {len(lines) - 12} more acts")
        between = (clock.midnight_before(day), clock.midnight_after(day))
        kinds = Counter(
            Notification.objects.filter(created_at__gte=between[0], created_at__lt=between[1]).values_list(
                "kind", flat=True
            )
        )
        mails = Delivery.objects.filter(day=day, sent_at__isnull=False).count()
        said = ", ".join(f"{kind} {often}" for kind, often in sorted(kinds.items())) or "nothing new"
        print(f"  told: {said}; {mails} mails\n")


# --- Comparing ------------------------------------------------------------------------------------------------------


def _told(seen: Seen) -> list:
    from governance.models import Notification

    return list(
        Notification.objects.filter(created_at__gte=seen.first, created_at__lte=seen.last).order_by(
            "created_at", "pk"
        )
    )


def early_or_late(seen: Seen) -> Iterator[str]:
    """Messages that bear a threshold and were due on another day than that threshold's."""
    from governance.models import Notification

    first_day = seen.day(seen.first)
    earlier = Counter(
        Notification.objects.filter(created_at__lt=seen.first).values_list("person", "kind", "object_key")
    )
    moved = _readers_changed(seen)
    begun: dict[tuple, date] = {}
    for notification in _told(seen):
        due, day = notification.due_on, seen.day(notification.created_at)
        thing = (notification.person_id, notification.kind, notification.object_key)
        new = thing not in begun and not earlier[thing]
        begun.setdefault(thing, day)
        if notification.kind in FOR_REASONS or due is None:
            continue
        expected = _day_of(notification, due)
        if expected is None or day == expected:
            continue
        # What was past its threshold when it, or its reader, came into being is told then, once.
        if day > expected and (new or (notification.initiative_ref, day) in moved):
            continue
        yield (
            f"{notification.kind} {notification.object_key} {notification.period}: due on {day}, not on {expected} "
            f"({first_day=})"
        )


def _readers_changed(seen: Seen) -> set[tuple[str, date]]:
    """The initiatives and days on which somebody took on or laid down a role: who is told is another then."""
    from governance.models import Entry

    acts = Entry.objects.acts().filter(at__gte=seen.first, kind__in=["role ended", "role accepted"])
    return {(ref, seen.day(at)) for ref, at in acts.values_list("initiative_ref", "at")}


def _day_of(notification, due: date) -> date | None:
    period = notification.period.rpartition(":")[2]
    if period in ESCALATED and notification.kind in FROM_THE_START:
        return None
    if period in ESCALATED:
        return due + timedelta(days=ESCALATED[period])
    if period.startswith("late"):
        return due + timedelta(days=1 + 7 * int(period.removeprefix("late")))
    if period.endswith("d") and period[:-1].isdecimal():
        return due - timedelta(days=int(period[:-1]))
    return None


def missing(seen: Seen) -> Iterator[str]:
    """Thresholds that fell into these days, of what stood open then, of which nobody was told on the day."""
    told = {
        (notification.object_key, notification.period.rpartition(":")[2], seen.day(notification.created_at))
        for notification in _told(seen)
    }
    first, last = seen.day(seen.first), seen.day(seen.last)
    for key, kind, due, opened, ended in _open_things():
        days = {f"{before}d": due - timedelta(days=before) for before in BEFORE[kind]}
        if kind in ("due", "condition", "gap"):
            days["late0"] = due + timedelta(days=1)
        if kind == "due":
            days |= {f"late{week}": due + timedelta(days=1 + 7 * week) for week in range(1, 5)}
        for period, day in days.items():
            if not first <= day <= last:
                continue
            # An act of the same morning completes it before anybody is told of the day.
            if (
                seen.day(opened) < day
                and (ended is None or seen.day(ended) > day)
                and (key, period, day) not in told
            ):
                yield f"{kind} {key}: nobody was told {period} on {day}"


def _open_things() -> Iterator[tuple[str, str, date, datetime, datetime | None]]:
    """What has a day, from raw rows: key in messages, kind, day, since when and until when it stood open."""
    from initiatives.models import Condition, Gap, Initiative, Obligation, Review, Waiver

    ended = dict(Initiative.objects.filter(stage__in=["stopped", "retired"]).values_list("pk", "since"))
    for row in Obligation.objects.select_related("post_mortem"):
        written = getattr(row, "post_mortem", None)
        # Once it is handed in, the seat that confirms it is told, and no longer who due it.
        handed_in = written.handed_in_at if written is not None else None
        yield f"obligation:{row.pk}", "due", row.due, row.opened_at, handed_in or row.completed_at
    for row in Condition.objects.select_related("review"):
        end = row.met_at or ended.get(row.review.initiative_id)
        yield f"condition:{row.pk}", "condition", row.due, row.review.ended_at, end
    for row in Gap.objects.exclude(initiative__basis="import"):
        yield f"gap:{row.pk}", "gap", row.due, row.opened_at, row.closed_at
    for row in Waiver.objects.filter(chair_at__isnull=False, risk_at__isnull=False, refused_at__isnull=True):
        yield f"waiver:{row.pk}", "waiver", row.until, row.granted_at, ended.get(row.initiative_id)
    for row in Review.objects.all():
        from governance import clock

        until = clock.local_day(row.expires_at)
        yield f"review:{row.pk}", "review expires", until, row.opened_at, row.ended_at


def twice(seen: Seen) -> Iterator[str]:
    """Anything told twice: a message a day about one thing to one person, one mail a day and matter."""
    from governance.models import Delivery

    a_day = Counter(
        (
            notification.person_id,
            notification.kind,
            notification.object_key,
            seen.day(notification.created_at),
        )
        for notification in _told(seen)
        if notification.kind not in FOR_REASONS
    )
    yield from (f"told {often} times on one day: {thing}" for thing, often in a_day.items() if often > 1)
    mails = Counter(Delivery.objects.values_list("person", "kind", "about", "day"))
    yield from (f"{often} mails: {thing}" for thing, often in mails.items() if often > 1)
    failed = Delivery.objects.filter(sent_at__isnull=True, day__lt=seen.day(seen.last)).count()
    if failed:
        yield f"{failed} mails never went out"


def of_initiatives(seen: Seen) -> Iterator[str]:
    """Holds that opened on another day than their cause, reviews past their day, supported stages that are not so."""
    from django.db.models import Q

    from governance import clock
    from governance.gates import criteria
    from governance.models import Rulebook
    from initiatives.lifecycle.facts import supported_stage
    from initiatives.models import Hold, Initiative, RequirementFinding, Review

    for row in RequirementFinding.objects.exclude(hold="").filter(since__gt=seen.first, since__lte=seen.last):
        if row.ended_at is not None and row.ended_at <= row.since:
            continue
        day = seen.day(row.since)
        opened = Hold.objects.filter(initiative=row.initiative_id, kind=row.hold, opened_by__isnull=True)
        current_then = opened.filter(opened_at__lt=clock.midnight_after(day)).filter(
            Q(lifted_at__isnull=True) | Q(lifted_at__gt=row.since)
        )
        if not current_then.exists():
            yield f"{row.hold} of initiative {row.initiative_id}: not open on {day}"
    for row in Review.objects.filter(
        outcome=ReviewOutcome.OPEN, expires_at__lt=seen.last - timedelta(hours=1)
    ):
        yield f"review {row.pk} is open after its day"
    with clock.simulated(seen.last):
        rulebook, every = Rulebook.objects.current().parsed, 0
        initiatives = Initiative.objects.live().select_related("unit", "contract").order_by("pk")
        for initiative in initiatives.iterator(chunk_size=200):
            every += 1
            if initiative.imported and every % 20:
                continue
            now = clock.now()
            facts = supported_stage.facts_of(initiative)
            said = initiative.spans.covering(now).first()
            truth = criteria.judge(facts, rulebook, now).support.supported
            if said is None or said.supported != truth:
                yield f"{initiative.ref}: its supported stage says {said and said.supported}, its evidence {truth}"


def counted(seen: Seen) -> str:
    """How much was told and done in these days."""
    from governance.models import Delivery, Entry

    acts = Entry.objects.acts().filter(at__gte=seen.first, at__lte=seen.last).count()
    mails = Delivery.objects.filter(sent_at__isnull=False).count()
    return f"{len(_told(seen))} messages, {mails} mails, {acts} acts"


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("imported", type=int, nargs="?", default=2000)
    asked.add_argument("--days", type=int, default=30)
    given = asked.parse_args()
    with contextlib.suppress(BrokenPipeError):
        sys.exit(bool(main(given.imported, given.days)))
