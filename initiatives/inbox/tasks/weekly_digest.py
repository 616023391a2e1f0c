"""The weekly digest of a person: decisions, other tasks and what there is to know.

The digest is one email a person and week. It is claimed and retried as the daily email is
(`governance.notifications.daily_mail`), and has what the other emails of the week left out. After weeks without a
digest, one digest has everything since the last one. Decisions and tasks are those of the inbox. The news of the units
of the person are to know. No line is repeated. After a limit, the digest shows the number of further lines.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import F, Q, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator

from governance import clock, contributions
from governance.models import Delivery, Membership, Notification, Preferences, Rulebook, Unit, User
from governance.notifications import closing, daily_mail, mail, preferences
from governance.notifications.inbox import InboxTask, tasks_for
from governance.templatetags.plumbline import day
from governance.vocabulary import RUNNING_STAGES, Layer
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.facts import open_requirements, visible_progress
from initiatives.lifecycle.facts.open_requirements import APPROVED
from initiatives.models import (
    Effort,
    Gap,
    Initiative,
    PastSupportedStage,
    RoleAssignment,
)
from initiatives.portfolio.efforts.effort_cells import monday
from initiatives.portfolio.efforts.queries import amount
from initiatives.portfolio.initiative_list import filters
from initiatives.portfolio.insights import decision_register

FROM_HOUR = 6  # on Monday, local time
WEEK = timedelta(days=7)
MOST_UNITS = 3  # of one person; with more, the unit above them all
MOST = 12  # lines
KEPT = 4  # of them for what there is to know, as far as there is something
LONGEST = 110  # characters of what is said in a line
# Verbs of tasks that a person decides or signs, listed before all others.
DECIDING = ("approve", "sign", "verify", "decide", "accept", "agree", "confirm")
READ = 40  # rows of one kind that are looked at in full; beyond that nobody reads on either


@dataclass(frozen=True)
class Line:
    """A line about an initiative. With `news`, its fact is apart from the rest of its page."""

    ref: str
    title: str
    link: str
    words: str
    news: bool = False


@dataclass(frozen=True)
class Section:
    """A heading with its lines."""

    words: str
    lines: list[Line]


@dataclass(frozen=True)
class Digest:
    """The content of a digest for one reader. `more` is the number of lines left out."""

    since: datetime
    decisions: int
    others: int
    sections: list[Section]
    more: int

    @property
    def subject(self) -> str:
        """Return the subject: the number of decisions and tasks, or that there are none."""
        waits = [_count(self.decisions, "decision", "decisions")] if self.decisions else []
        waits += [_count(self.others, "task", "tasks")] if self.others else []
        return f"Your week: {' and '.join(waits) or 'you have no tasks'}"


# --- Who gets one, with the news of which units ----------------------------------------------------------------------


def units_of(person: User) -> list[Unit]:
    """Return the units whose digest the person gets now."""
    return followed([person]).get(person.pk, [])


def followed(people: list[User]) -> dict[int, list[Unit]]:
    """Return, by person, the units whose digest they get: of seats, roles, own choice.

    A unit below another unit of the same person is left out.
    """
    chosen = dict(Preferences.objects.filter(person__in=people).values_list("person", "digest"))
    paths: dict[int, set[str]] = {}
    seats = Membership.objects.held_at(clock.now()).filter(
        person__in=people, board__decides_from__isnull=False
    )
    roles = RoleAssignment.objects.in_force().filter(person__in=people, initiative__stage__in=RUNNING_STAGES)
    roles = roles.filter(initiative__withdrawn_at__isnull=True)
    for person, path in [
        *seats.order_by().values_list("person", "board__unit__path").distinct(),
        *roles.order_by().values_list("person", "initiative__unit__path").distinct(),
    ]:
        paths.setdefault(person, set()).add(path)
    units = {unit.path: unit for unit in Unit.objects.all()}
    for person in people:
        if chosen.get(person.pk) == Preferences.UNIT:
            own = [person.unit.path] if person.unit_id else [path for path in units if path.count("/") == 2]
            paths.setdefault(person.pk, set()).update(own)
        elif chosen.get(person.pk) == Preferences.NEVER:
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
    """Return the Monday of the newest digests. A new week starts on its first morning."""
    local = timezone.localtime(clock.now(), timezone.get_default_timezone())
    day_of = local.date() if local.hour >= FROM_HOUR else local.date() - timedelta(days=1)
    return day_of - timedelta(days=day_of.weekday())


def prepare() -> None:
    """Create this week's row, once, for everyone who gets a digest and has an address."""
    monday = newest_day()
    people = list(User.objects.active().exclude(email="").select_related("unit"))
    known = set(Delivery.objects.filter(kind=Delivery.DIGEST, day=monday).values_list("person", flat=True))
    rows = [
        Delivery(person_id=person, kind=Delivery.DIGEST, day=monday)
        for person in followed(people)
        if person not in known
    ]
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)


def fill(delivery: Delivery) -> None:
    """Fill the email with what no other email of the week contains."""
    daily_mail.for_the_day().filter(person=delivery.person).update(delivery=delivery)


def compose(delivery: Delivery) -> EmailMultiAlternatives | None:
    """Return the email, or None if it is empty, unwanted or without an address."""
    person = delivery.person
    units = units_of(person)
    if not units or not person.email:
        return None
    sent = Delivery.objects.filter(person=person, kind=Delivery.DIGEST, sent_at__isnull=False)
    last = sent.order_by("-sent_at").values_list("sent_at", flat=True).first()
    told = written(units, person, since=last or clock.now() - WEEK)
    if not told.sections:
        return None
    return mail.compose(
        "digest",
        to=person,
        subject=told.subject,
        key=f"digest-{delivery.pk}.{delivery.day:%Y%m%d}",
        context={"digest": told, "settings": f"{settings.ADDRESS}{reverse('settings')}"},
        leave=reverse("digest-leave", args=[preferences.leave_token(person)]),
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


DIGEST_MAIL = contributions.MailKind(newest_day=newest_day, prepare=prepare, fill=fill, compose=compose)


# --- What --------------------------------------------------------------------------------------------------------


def written(units: list[Unit], person: User, *, since: datetime) -> Digest:
    """Return the digest for this reader: what waits now, and the news since then."""
    tasks = tasks_for(person)
    mine = [task for task in tasks if task.waits]
    decisions = [_of_task(task) for task in mine if task.verb in DECIDING]
    others = [_of_task(task) for task in mine if task.verb not in DECIDING]
    known = [_of_task(task) for task in tasks if task.to_know]
    known += [_of_notification(row) for row in closing.to_know(person, tasks)]
    known += _news(units, person, since)
    seen: set[str] = set()
    found = [
        (words, _once(lines, seen)) for words, lines in zip(HEADINGS, (decisions, others, known), strict=True)
    ]
    left = MOST - min(KEPT, len(found[-1][1]))
    sections = []
    for words, lines in found:
        room = left if words != HEADINGS[-1] else MOST - sum(len(section.lines) for section in sections)
        if shown := lines[:room]:
            sections.append(Section(words, shown))
            left -= len(shown)
    more = sum(len(lines) for _, lines in found) - sum(len(section.lines) for section in sections)
    return Digest(since, len(decisions), len(others), sections, more)


HEADINGS = ("For you to decide", "For you to do", "To know")


def _once(lines: list[Line], seen: set[str]) -> list[Line]:
    """Return the lines whose page is not `seen` in lines above."""
    kept = []
    for line in lines:
        if line.news or line.link not in seen:
            seen.add(line.link)
            kept.append(line)
    return kept


def _of_task(task: InboxTask) -> Line:
    when = f", {_by(task.due)}" if task.due else f", since {day(task.since)}"
    why = Truncator(task.why.rstrip(".")).chars(LONGEST)
    return Line(task.ref, task.text, f"{settings.ADDRESS}{task.link}", f"{why}{when}")


def _of_notification(row: Notification) -> Line:
    title, _, words = row.subject.removeprefix(row.initiative_ref).strip().rstrip(".").partition(": ")
    return Line(row.initiative_ref, title, f"{settings.ADDRESS}{row.link}", words)


def _news(units: list[Unit], person: User, since: datetime) -> list[Line]:
    """Return decisions, closed gaps and integration work in the units and below."""
    of_units = Q(*(("unit__path__startswith", unit.path) for unit in units), _connector=Q.OR)
    seen = visibility.visible_to(person).live().filter(of_units)
    running = filters.with_supported_stage(
        seen.filter(stage__in=RUNNING_STAGES), Rulebook.objects.current(), clock.now()
    )
    return [
        *_decided(seen, since, Rulebook.objects.current().parsed),
        *_closed(seen, running, since),
        *_integration(seen, since),
    ]


def _line(initiative: Initiative, words: str, *, news: bool = True) -> Line:
    return Line(
        initiative.ref, initiative.title, f"{settings.ADDRESS}{initiative.get_absolute_url()}", words, news
    )


def _short(text: str) -> str:
    return Truncator(" ".join(text.split()).rstrip(".")).chars(50)


def _by(due: date) -> str:
    return f"overdue since {day(due)}" if due < clock.today() else f"by {day(due)}"


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
    """Return closed gaps, and initiatives with fewer open requirements than earlier."""
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
        left = open_requirements.total(initiative.open_requirements, APPROVED)
        if initiative.supported != "recomputing" and _open_then(row, since) > left:
            now_open = open_requirements.words(initiative.open_requirements, APPROVED)
            lines.append(_line(initiative, f"requirements have current evidence again. {now_open}"))
    return lines


def _integration(seen: QuerySet, since: datetime) -> list[Line]:
    """Return initiatives whose integration was worked on: how much, and when last."""
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
        took += [f"{amount(row['waited_of'])} days of waiting"] if row["waited_of"] else []
        move = moved.get(row["initiative"])
        words = f"last visible progress {day(move.at)}" if move else "no visible progress yet"
        lines.append(_line(initiatives[row["initiative"]], f"{', '.join(took) or 'money spent'}, {words}"))
    return lines


def _open_then(row: PastSupportedStage, moment: datetime) -> int:
    for span in reversed(row.spans):
        if datetime.fromisoformat(span["from_at"]) <= moment:
            return open_requirements.total(span.get("open_requirements"), APPROVED)
    return 0
