"""The weekly digest of a unit: what is blocked, whose move it is and by when, what was decided, which gaps closed.

One mail a person, unit and week, claimed and retried like the day's (governance.notifications.daily_mail). After
weeks of silence it
is one, of everything since the last. Only initiatives that its reader may see; at most a few lines a section, so that
it is read in a minute, and the rest is counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import Count, F, Q, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator

from governance import clock, contributions
from governance.models import Delivery, Membership, Rulebook, Telling, Unit, User
from governance.notifications import mail, preferences
from governance.notifications.inbox import tasks_for
from governance.templatetags.plumbline import day, stage_word
from governance.vocabulary import RUNNING_STAGES, Layer, ReviewOutcome
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.facts import visible_progress
from initiatives.lifecycle.holds.reminders import DUE_WORDS
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.initiative.initiative_frame import goal_of
from initiatives.lifecycle.reviews import review_turn
from initiatives.models import (
    Condition,
    Effort,
    Gap,
    Hold,
    Initiative,
    Obligation,
    PastSupportedStage,
    Review,
    RoleAssignment,
)
from initiatives.portfolio.efforts.effort_import import monday
from initiatives.portfolio.efforts.queries import amount
from initiatives.portfolio.initiative_list import filters
from initiatives.portfolio.insights import decision_register

FROM_HOUR = 6  # on Monday, local time
WEEK = timedelta(days=7)
MOST_UNITS = 3  # of one person; with more, the unit above them all
AHEAD = timedelta(days=30)  # what is due later is nobody's move yet
SECTION = 3  # lines
READ = 40  # rows of one kind that are looked at in full; beyond that nobody reads on either


@dataclass(frozen=True)
class Line:
    """One line: the initiative, and what is to be said of it."""

    ref: str
    title: str
    link: str
    words: str


@dataclass(frozen=True)
class Move:
    """Something somebody has to do: by when, on which initiative, who and what in words; and what each of those people
    has to do, by their key.
    """

    due: date
    initiative: Initiative
    who: str
    what: str
    theirs: dict[int, str]


@dataclass(frozen=True)
class Section:
    """A heading with its first few lines, how many more there are, and where."""

    words: str
    lines: list[Line]
    more: int = 0
    link: str = ""


@dataclass(frozen=True)
class Digest:
    """What one mail says of a unit to one reader; `moves` counts what waits for the reader in it."""

    unit: Unit
    since: datetime
    initiatives: int
    short: int
    moves: int
    blocked: int
    sections: list[Section] = field(default_factory=list)
    link: str = ""


# --- Who gets one of which unit ----------------------------------------------------------------------------------


def units_of(person: User) -> list[Unit]:
    """The units whose digest the person gets now."""
    return followed([person]).get(person.pk, [])


def followed(people: list[User]) -> dict[int, list[Unit]]:
    """By person, the units whose digest they get: of their seats and roles, and their own where they asked for it.

    A unit below another of theirs is part of that one's.
    """
    chosen = dict(Telling.objects.filter(person__in=people).values_list("person", "digest"))
    paths: dict[int, set[str]] = {}
    seats = Membership.objects.held_at(clock.now()).filter(person__in=people)
    roles = RoleAssignment.objects.in_force().filter(person__in=people, initiative__stage__in=RUNNING_STAGES)
    roles = roles.filter(initiative__withdrawn_at__isnull=True)
    for person, path in [
        *seats.order_by().values_list("person", "board__unit__path").distinct(),
        *roles.order_by().values_list("person", "initiative__unit__path").distinct(),
    ]:
        paths.setdefault(person, set()).add(path)
    units = {unit.path: unit for unit in Unit.objects.all()}
    for person in people:
        if chosen.get(person.pk) == Telling.UNIT:
            own = [person.unit.path] if person.unit_id else [path for path in units if path.count("/") == 2]
            paths.setdefault(person.pk, set()).update(own)
        elif chosen.get(person.pk) == Telling.NEVER:
            paths.pop(person.pk, None)
    return {person: [units[path] for path in _topmost(found, units)] for person, found in paths.items()}


def _topmost(paths: set[str], units: dict[str, Unit]) -> list[str]:
    kept: list[str] = []
    for path in sorted(paths):
        if not any(path.startswith(above) for above in kept):
            kept.append(path)
    if len(kept) > MOST_UNITS:
        above = [path for path in units if all(one.startswith(path) for one in kept)]
        return [max(above, key=len)] if above else kept
    return kept


# --- When --------------------------------------------------------------------------------------------------------


def newest_day() -> date:
    """The Monday that the newest digests bear: of this week, from its first morning on."""
    local = timezone.localtime(clock.now(), timezone.get_default_timezone())
    day_of = local.date() if local.hour >= FROM_HOUR else local.date() - timedelta(days=1)
    return day_of - timedelta(days=day_of.weekday())


def prepare() -> None:
    """Make this week's row for everybody who gets a digest and has an address: one, however often it is asked."""
    monday = newest_day()
    people = list(User.objects.active().exclude(email="").select_related("unit"))
    known = set(Delivery.objects.filter(kind=Delivery.DIGEST, day=monday).values_list("person", "about"))
    rows = [
        Delivery(person_id=person, kind=Delivery.DIGEST, about=unit.code, day=monday)
        for person, units in followed(people).items()
        for unit in units
        if (person, unit.code) not in known
    ]
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)


def fill(delivery: Delivery) -> None:
    """Nothing: a digest is written when it is sent."""


def compose(delivery: Delivery) -> EmailMultiAlternatives | None:
    """The mail; None when nothing happened and nothing waits, or the unit or the address is gone, or it is unwanted."""
    person = delivery.person
    unit = Unit.objects.filter(code=delivery.about).first()
    unwanted = Telling.objects.filter(person=person, digest=Telling.NEVER).exists()
    if unit is None or not person.email or unwanted:
        return None
    sent = Delivery.objects.filter(person=person, kind=Delivery.DIGEST, about=delivery.about)
    last = sent.filter(sent_at__isnull=False).order_by("-sent_at").values_list("sent_at", flat=True).first()
    told = written(unit, person, since=last or clock.now() - WEEK)
    if not told.sections:
        return None
    return mail.compose(
        "digest",
        to=person,
        subject=f"{unit}: {_subject(told, person)}",
        key=f"digest-{delivery.pk}.{delivery.day:%Y%m%d}",
        context={"digest": told, "settings": f"{settings.ADDRESS}{reverse('settings')}"},
        leave=reverse("digest-leave", args=[preferences.leave_token(person)]),
    )


def _subject(told: Digest, person: User) -> str:
    if told.moves:
        return f"{_count(told.moves, 'move is', 'moves are')} yours this week"
    if told.blocked:
        return f"{_count(told.blocked, 'initiative is', 'initiatives are')} blocked"
    return "the week; nothing waits for you" if not tasks_for(person) else "the week"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


DIGEST_MAIL = contributions.MailKind(newest_day=newest_day, prepare=prepare, fill=fill, compose=compose)


# --- What --------------------------------------------------------------------------------------------------------


def written(unit: Unit, person: User, *, since: datetime) -> Digest:
    """What happened in the unit and everything below it since then, and what stands there now, for this reader."""
    rulebook = Rulebook.objects.current()
    seen = initiative_permissions.visible_to(person).live().filter(unit__path__startswith=unit.path)
    running = filters.with_supported_stage(seen.filter(stage__in=RUNNING_STAGES), rulebook, clock.now())
    counts = running.order_by().aggregate(
        n=Count("pk"), short=Count("pk", filter=Q(unsupported_stages__gt=0))
    )
    here = f"{settings.ADDRESS}{reverse('portfolio')}?unit={unit.pk}"
    list_of_all = f"{settings.ADDRESS}{reverse('decisions')}?unit={unit.pk}"
    goes = f"{settings.ADDRESS}{reverse('insights-money')}"
    moves = _moves(seen)
    mine = _gathered(("", move.theirs[person.pk], move) for move in moves if person.pk in move.theirs)
    others = _gathered((f"{move.who}: ", move.what, move) for move in moves if person.pk not in move.theirs)
    blocked = _blocked(seen)
    sections = [
        _section("Your move", mine, f"{settings.ADDRESS}/"),
        _section("Blocked", blocked, f"{here}&held=on"),
        _section("Waiting for others", others, here),
        _section(f"Decided since {day(since)}", _decided(seen, since, rulebook.parsed), list_of_all),
        _section("Gaps closed", _closed(seen, running, since), here),
        _section("Integration work", _integration(seen, since), f"{goes}?unit={unit.pk}"),
    ]
    sections = [section for section in sections if section.lines]
    if sections:
        sections.append(_goals(running, rulebook.parsed, counts["n"], here))
    return Digest(
        unit,
        since,
        counts["n"],
        counts["short"],
        sum(person.pk in move.theirs for move in moves),
        len({line.ref for line in blocked}),
        sections,
        here,
    )


def _section(words: str, lines: list[Line], link: str) -> Section:
    return Section(words, lines[:SECTION], max(0, len(lines) - SECTION), link)


def _line(initiative: Initiative, words: str) -> Line:
    return Line(initiative.ref, initiative.title, f"{settings.ADDRESS}{initiative.get_absolute_url()}", words)


def _gathered(moves: Iterable[tuple[str, str, Move]]) -> list[Line]:
    """One line for all that the same people have to do on the same initiative, where its earliest stands."""
    found: dict[tuple[int, str], tuple[Initiative, list[str]]] = {}
    for who, what, move in moves:
        found.setdefault((move.initiative.pk, who), (move.initiative, []))[1].append(what)
    return [
        _line(initiative, f"{who}{whats[0]}" + (f"; {len(whats) - 1} more" if len(whats) > 1 else ""))
        for (_, who), (initiative, whats) in found.items()
    ]


def _moves(seen: QuerySet) -> list[Move]:
    """What somebody has to do within a month, the earliest first."""
    near = {"due__lte": clock.today() + AHEAD}
    found = [_of_review(review) for review in _open_reviews(seen)]
    asked = (
        RoleAssignment.objects.waiting().filter(initiative__in=seen).select_related("initiative", "person")
    )
    for row in asked.order_by("proposed_at")[:READ]:
        since = clock.local_day(row.proposed_at)
        what = f"accept or decline to be its {row.get_role_display().lower()}, asked on {day(since)}"
        found.append(Move(since, row.initiative, f"{row.person}", what, {row.person_id: what}))
    for row in _of(Obligation.objects.open().filter(**near), seen, "responsible"):
        what = f"{DUE_WORDS[row.kind]}, {_by(row.due)}"
        found.append(
            Move(
                row.due,
                row.initiative,
                f"{row.responsible or 'nobody named'}",
                what,
                {row.responsible_id: what},
            )
        )
    for row in _of(Gap.objects.filter(closed_at__isnull=True, **near), seen, "owner"):
        what = f"close the gap “{_short(row.text)}”, {_by(row.due)}"
        found.append(Move(row.due, row.initiative, f"{row.owner}", what, {row.owner_id: what}))
    unmet = Condition.objects.filter(met_at__isnull=True, review__initiative__in=seen, **near)
    for row in unmet.select_related("owner", "review__initiative").order_by("due", "pk")[:READ]:
        what = f"meet the condition “{_short(row.text)}”, {_by(row.due)}"
        found.append(Move(row.due, row.review.initiative, f"{row.owner}", what, {row.owner_id: what}))
    return sorted(found, key=lambda move: (move.due, move.initiative.number))


def _of_review(review: Review) -> Move:
    snapshot = review_state.snapshot_of(review, review.initiative)
    due = clock.local_day(review.expires_at)
    first, *rest = review_turn.moves(snapshot)
    more = f" (and {_count(len(rest), 'other', 'others')})" if rest else ""
    gate = snapshot.judged.rulebook.gates[review.gate].title

    def words(move: review_turn.Move) -> str:
        return f"{gate}, {move.what}, by {day(due)}"

    theirs = {
        pk: words(move)
        for move in reversed([first, *rest])  # whoever has two moves is told the first
        for pk in move.people
    }
    return Move(due, review.initiative, f"{first.who}{more}", words(first), theirs)


def _short(text: str) -> str:
    return Truncator(" ".join(text.split()).rstrip(".")).chars(50)


def _open_reviews(seen: QuerySet) -> list[Review]:
    rows = Review.objects.filter(outcome=ReviewOutcome.OPEN, initiative__in=seen)
    return list(
        rows.select_related("initiative__unit", "initiative__contract", "rulebook").order_by("expires_at")[
            :READ
        ]
    )


def _of(rows: QuerySet, seen: QuerySet, who: str) -> QuerySet:
    return rows.filter(initiative__in=seen).select_related("initiative", who).order_by("due", "pk")[:READ]


def _by(due: date) -> str:
    return f"overdue since {day(due)}" if due < clock.today() else f"by {day(due)}"


def _blocked(seen: QuerySet) -> list[Line]:
    """Initiatives that nothing moves: by holds, and by what is overdue and blocks decisions; each initiative once."""
    reasons: dict[int, list[str]] = {}
    initiatives: dict[int, Initiative] = {}
    for row in (
        Hold.objects.open()
        .filter(initiative__in=seen)
        .select_related("initiative")
        .order_by("opened_at", "pk")
    ):
        initiatives[row.initiative_id] = row.initiative
        kind = row.get_kind_display()
        said = f" (“{_short(row.reason)}”)" if row.opened_by_id else ""
        words = f"{kind[:1].lower()}{kind[1:]}{said}, since {day(row.opened_at)}"
        reasons.setdefault(row.initiative_id, []).append(words)
    late = Condition.objects.filter(met_at__isnull=True, due__lt=clock.today(), review__initiative__in=seen)
    for row in late.select_related("review__initiative").order_by("due", "pk"):
        initiative = initiatives.setdefault(row.review.initiative_id, row.review.initiative)
        reasons.setdefault(initiative.pk, []).append(f"a condition is overdue since {day(row.due)}")
    return [
        _line(
            initiative,
            reasons[pk][0] + (f", and {len(reasons[pk]) - 1} more" if len(reasons[pk]) > 1 else ""),
        )
        for pk, initiative in initiatives.items()
    ]


def _decided(seen: QuerySet, since: datetime, rulebook) -> list[Line]:
    rows = decision_register.decisions(seen, decision_register.Wanted(since=since))[:READ]
    return [
        Line(
            row.ref,
            row.title,
            f"{settings.ADDRESS}{row.link}",
            f"{row.words[:1].lower()}{row.words[1:]}{f' ({row.about})' if row.about else ''}, {row.who}",
        )
        for row in decision_register.told(rows, rulebook)
    ]


def _closed(seen: QuerySet, running: QuerySet, since: datetime) -> list[Line]:
    """Gaps that were closed, and answers that lacked current evidence then and have it now."""
    rows = Gap.objects.filter(initiative__in=seen, closed_at__gte=since).select_related(
        "initiative", "closed_by"
    )
    lines = [
        _line(row.initiative, f"{row.closed_by or row.owner} closed “{_short(row.text)}”")
        for row in rows.order_by("-closed_at")[:READ]
    ]
    changed = running.filter(supported_stage__computed_at__gte=since).order_by(
        "-supported_stage__computed_at"
    )
    now = {initiative.pk: initiative for initiative in changed[: READ * 5]}
    then = PastSupportedStage.objects.filter(initiative__in=list(now), computed_at__lt=since)
    for row in then.order_by("initiative_id", "-id").distinct("initiative_id"):
        initiative = now[row.initiative_id]
        before, left = _gaps_then(row, since), sum((initiative.gap_counts or {}).values())
        if initiative.supported != "recomputing" and before > left:
            words = f"{_count(before - left, 'answer has', 'answers have')} current evidence again, "
            words += f"{left or 'none'} left"
            lines.append(_line(initiative, words))
    return lines


def _integration(seen: QuerySet, since: datetime) -> list[Line]:
    """Initiatives whose integration was worked on, which nobody sees from outside: how much, and when they last
    moved.
    """
    rows = Effort.objects.current().filter(
        initiative__in=seen, layer=Layer.INTEGRATION, at__gte=since, week__gte=monday(clock.local_day(since))
    )
    sums = rows.values("initiative").annotate(hours_of=Sum("hours"), waited_of=Sum("waited_days"))
    found = list(
        sums.order_by(F("hours_of").desc(nulls_last=True), F("waited_of").desc(nulls_last=True), "initiative")
    )[:READ]
    keys = [row["initiative"] for row in found]
    initiatives, moved = Initiative.objects.in_bulk(keys), visible_progress.newest(keys) if keys else {}
    lines = []
    for row in found:
        took = [f"{amount(row['hours_of'])} hours"] if row["hours_of"] else []
        took += [f"{amount(row['waited_of'])} days waited"] if row["waited_of"] else []
        move = moved.get(row["initiative"])
        words = f"last visible movement {day(move.at)}" if move else "nothing visible moved yet"
        lines.append(_line(initiatives[row["initiative"]], f"{', '.join(took) or 'money spent'}; {words}"))
    return lines


def _gaps_then(row: PastSupportedStage, moment: datetime) -> int:
    for span in reversed(row.spans):
        if datetime.fromisoformat(span["from_at"]) <= moment:
            return sum(span["gaps"].values())
    return 0


def _goals(running: QuerySet, rulebook, count: int, link: str) -> Section:
    """How the initiatives stand, the furthest from their approved stage first: the goal of the stage, what evidence
    supports.
    """
    rows = list(
        running.order_by(F("unsupported_stages").desc(), F("next_due").asc(nulls_last=True), "number")[
            :SECTION
        ]
    )
    lines, told = [], set()  # the goal of a stage is said once
    for initiative in rows:
        gaps = sum((initiative.gap_counts or {}).values())
        words = stage_word(initiative.stage)
        if initiative.stage not in told:
            goal = goal_of(initiative, rulebook)[0]
            words += f" ({goal[:1].lower()}{goal[1:]})"
        told.add(initiative.stage)
        if initiative.unsupported_stages:
            words += f"; evidence supports {stage_word(initiative.supported)}"
        if gaps:
            words += f"; {_count(gaps, 'answer', 'answers')} not met"
        elif not initiative.unsupported_stages:
            words += "; supported"
        lines.append(_line(initiative, words))
    return Section("Where they stand", lines, max(0, count - len(lines)), link)
