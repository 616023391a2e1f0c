"""Reminders of expiring evidence and missing files."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.urls import reverse

from governance import clock
from governance.gates.evidence_rules import expiry_of
from governance.gates.levels import RENEWAL_DAYS
from governance.gates.requirement_state import State
from governance.gates.requirements import BY_VERIFYING, states_at
from governance.models import Rulebook
from governance.notifications.due import Due, before, of_each, since
from governance.vocabulary import ReviewOutcome, Stage
from initiatives.lifecycle.evidence.renewal import Renewal, renewal_of
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.reminders.recipients import Circle, told
from initiatives.lifecycle.reminders.wording import about
from initiatives.models import Evidence, Initiative, Review, SupportedStagePeriod

RUNNING = (Stage.PROTOTYPE, Stage.MVP, Stage.PRODUCTION)
RENEWAL_WAITS = 7  # days after which seat and chair are told of what waits to be verified (docs/domain.md)
LISTED = 12  # requirements in one message; the page of requirements has the rest


def evidence(moment: datetime):
    """Yield reminders of expiring or expired gate evidence.

    The person who renews it gets them (`Renewal`). Only blocking requirements of the gates up to the approved stage,
    and of the gate under review, count.
    """
    today, rules = clock.local_day(moment), [one.parsed.freshness for one in Rulebook.objects.kept_versions()]
    furthest = max((days for one in rules for days in one.warn_days_before), default=0)
    initiatives = _initiatives_near(moment, today + timedelta(days=furthest))
    reviews = {
        row.initiative_id: row
        for row in Review.objects.filter(outcome=ReviewOutcome.OPEN, initiative__in=initiatives)
    }
    circle = Circle(initiatives)

    def of_initiative(initiative: Initiative) -> Iterator[Due]:
        judged = supported_stage.judged(initiative, at=moment)
        facts, told_of = judged.facts, set()
        asked = {judged.rulebook: set(supported_stage.asked(facts, judged.rulebook))}
        if initiative.pk in reviews:
            review = reviews[initiative.pk]
            rulebook = Rulebook.objects.kept(review.rulebook_id).parsed
            gate = rulebook.gates[review.gate]
            asked.setdefault(rulebook, set()).update(set(gate.requirements()) - rulebook.deferred(gate))
        for rulebook, keys in asked.items():
            states = judged.states if rulebook == judged.rulebook else states_at(facts, rulebook, moment)
            ageing: dict[date, list[str]] = defaultdict(list)
            for key in rulebook.requirements:
                if key not in keys or key in told_of or not rulebook.requirements[key].blocking:
                    continue
                if day := expires_on(facts, rulebook, states[key]):
                    ageing[day].append(key)
                    told_of.add(key)
            for day, found in ageing.items():
                renewals = {
                    key: renewal_of(initiative, rulebook, key, next(iter(states[key].items), None))
                    for key in found
                }
                yield from _of_day(initiative, circle, rulebook, renewals, day, today)

    yield from of_each(initiatives, of_initiative)


def _initiatives_near(moment: datetime, horizon: date) -> list[Initiative]:
    """Return initiatives with evidence that is missing or expires by then. Only their supported stage is read."""
    near = SupportedStagePeriod.objects.covering(moment).filter(Q(next_expiry_on__lte=horizon) | ~Q(gaps={}))
    turning = SupportedStagePeriod.objects.filter(
        from_at__gt=moment, from_at__lte=clock.midnight_after(horizon)
    )
    live = Initiative.objects.live().exclude(basis="import")
    under_review = Review.objects.filter(outcome=ReviewOutcome.OPEN).values("initiative")
    running = Q(stage__in=RUNNING) & (
        Q(pk__in=near.values("initiative")) | Q(pk__in=turning.values("initiative"))
    )
    return list(live.filter(running | Q(pk__in=under_review)).select_related("unit").order_by("pk"))


def expires_on(facts, rulebook, state: State) -> date | None:
    """Return the first day on which evidence is expired, or None if it never is."""
    if state.state in ("met", "below", "not_applicable"):
        return state.last_day + timedelta(days=1) if state.last_day else None
    if state.state == "expired":
        requirement = rulebook.requirements.get(state.key)
        last = expiry_of(facts, requirement, state.items[0])
        return last + timedelta(days=1) if last else None
    return None


def _of_day(initiative, circle: Circle, rulebook, renewals: dict[str, Renewal], day: date, today: date):
    """Yield the messages on evidence that expires on one day, one for each person."""
    last = day - timedelta(days=1)  # days are counted to the last on which it is current, as pages say it
    period = "0d" if day <= today else before(last, today, rulebook.freshness.warn_days_before)
    if not period:
        return
    keys, roles = list(renewals), circle.roles(initiative)
    accounts = {person.pk: person for person in roles.values()}
    of_person: dict = defaultdict(list)
    for key, renewal in renewals.items():
        whose = renewal.whose({role: person.pk for role, person in roles.items()})
        for person in [accounts[whose]] if whose else circle.in_charge(initiative):
            of_person[person].append(key)
    stale = day <= today

    def make(found):
        items = "one item of evidence" if len(found) == 1 else f"{len(found)} items of evidence"
        expires = "expire" if len(found) > 1 else "expires"
        words = (
            f"{items} expired on {day:%-d %B %Y}" if stale else f"{items} {expires} after {last:%-d %B %Y}"
        )
        return about(
            initiative,
            "evidence",
            f"support:{initiative.pk}:{day.isoformat()}",
            words,
            text=_listed(rulebook, found) + _until(len(found), stale),
            link=renewals[found[0]].address
            if len(found) == 1
            else reverse("requirements", args=[initiative.ref]),
            due_on=last,
        )

    for person, found in of_person.items():
        yield from told([person], period, make(found))
    already = {person.pk for person in of_person}
    higher, people = circle.escalated(initiative, last, today)
    yield from told([], "", make(keys), (higher, [person for person in people if person.pk not in already]))


def _until(count: int, stale: bool) -> str:
    it, counts = ("It", "counts") if count == 1 else ("They", "count")
    return (
        f"{it} no longer {counts}."
        if stale
        else f"{it} {counts} until then. Add newer evidence before that day."
    )


def _listed(rulebook, keys: list[str]) -> str:
    if len(keys) == 1:
        return f"{rulebook.requirements[keys[0]].question}\n"
    lines = [f"- {rulebook.requirements[key].question}" for key in keys[:LISTED]]
    if len(keys) > LISTED:
        lines.append(f"- and {len(keys) - LISTED} more")
    return "\n".join(lines) + "\n"


def renewals(moment: datetime):
    """Yield verified evidence whose replacement waited a week for its seat. Seat and chair get it."""
    today = clock.local_day(moment)
    waited = today - timedelta(days=RENEWAL_WAITS)
    rows = Evidence.objects.filter(
        supersedes__isnull=False,
        withdrawn_at__isnull=True,
        superseded_by__isnull=True,
        added_at__lt=clock.midnight_after(waited),
        added_at__gte=clock.midnight_before(today - timedelta(days=RENEWAL_DAYS)),
        initiative__in=SupportedStagePeriod.objects.covering(moment)
        .filter(to_verify__isnull=False)
        .values("initiative"),
    ).order_by("pk")
    newer: dict[Initiative, dict[int, Evidence]] = defaultdict(dict)
    for row in rows.select_related("initiative__unit"):
        newer[row.initiative][row.pk] = row
    circle = Circle(newer)

    def of_initiative(initiative: Initiative) -> Iterator[Due]:
        judged, found = supported_stage.judged(initiative, at=moment), newer[initiative]
        rulebook = judged.rulebook
        told_of: set[int] = set()
        for key, state in judged.states.items():
            row = next((found[item.id] for item in state.items if item.id in found), None)
            if row is None or row.pk in told_of or state.place != BY_VERIFYING or not state.renewed:
                continue
            told_of.add(row.pk)
            seats = [
                person for seat in rulebook.seats_asking(key) for person in circle.holders(initiative, seat)
            ]
            last = clock.local_day(row.added_at) + timedelta(days=RENEWAL_DAYS)
            yield from told(
                [*seats, circle.chair(initiative)],
                since(clock.local_day(row.added_at), today, (RENEWAL_WAITS,)),
                about(
                    initiative,
                    "renewal",
                    f"evidence:{row.pk}",
                    f"“{row.title[:80]}” needs to be verified",
                    text=(
                        f"This evidence replaces verified evidence and counts until {last:%-d %B %Y}. "
                        "Verify it before then, or the supported stage can fall."
                    ),
                    link=reverse("evidence-verify-first", args=[initiative.ref]),
                    due_on=last,
                ),
            )

    yield from of_each(newer, of_initiative)


def files_missing(moment: datetime):
    """Yield evidence whose file is missing in storage, to admins and owner."""
    rows = list(
        Evidence.objects.filter(
            missing_since__isnull=False, withdrawn_at__isnull=True, superseded_by__isnull=True
        )
        .select_related("initiative__unit")
        .order_by("pk")
    )
    circle = Circle(row.initiative for row in rows)
    for row in rows:
        initiative, day = row.initiative, clock.local_day(row.missing_since)
        yield from told(
            [*circle.admins, circle.owner(initiative)],
            day.isoformat(),
            about(
                initiative,
                "file missing",
                f"evidence:{row.pk}",
                f"the file of “{row.title[:80]}” is missing",
                text=(
                    "The item counts as voided until the file is back. An admin can restore the file from "
                    "a backup. Otherwise, the owner adds the evidence again."
                ),
                link=reverse("evidence-item", args=[initiative.ref, row.pk]),
            ),
        )
