"""Acts on effort: a week in one layer, typed or read from a tracker's table."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import replace as dataclass_replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid5

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import User
from governance.permission_result import Conflict
from governance.tables.reader import Table
from governance.vocabulary import Layer
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Effort, Initiative, System, SystemImportMapping
from initiatives.portfolio.efforts import queries
from initiatives.portfolio.efforts.effort_import import (
    GUESS,
    ISSUE,
    MOST_DAYS,
    MOST_HOURS,
    MOST_MONEY,
    How,
    Worked,
    headers_of,
    log_columns,
    monday,
    questions,
    read,
)
from initiatives.portfolio.efforts.notes import FUTURE

EARLIEST = date(1990, 1, 1)
# What becomes of a line of a table.
NEW, SAME, DIFFERS, WITHDRAWN, WRONG = "new", "same", "differs", "withdrawn", "wrong"


def note_effort(
    *,
    initiative: Initiative,
    layer: str,
    week: date,
    hours: Decimal | None = None,
    money: Decimal | None = None,
    currency: str = "",
    waited_days: Decimal | None = None,
    waits_for: User | None = None,
    waits_for_system: System | None = None,
    waits_for_words: str = "",
    words: str = "",
    once: UUID | None = None,
    by: User,
) -> Effort:
    """Note what a week took in one layer: hours, money or days waited (S1-8.2).

    `week` is any day of the week, kept as its Monday. A form sent again with the same `once` notes one effort. The
    effort changes no stage and proves nothing. Raises ValidationError by field, or Refused if `by` may not work on the
    initiative.
    """
    currency, waits_for_words = currency.strip().upper(), waits_for_words.strip()
    wrong = _wrong(layer, week, hours, money, waited_days) | _wrong_currency(money, currency)
    if (waits_for or waits_for_system or waits_for_words) and not waited_days:
        wrong.setdefault("waited_days", "Enter the days waited, or leave out the reason for waiting.")
    if wrong:
        raise ValidationError(wrong)
    with act("note effort", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        if once and (known := Effort.objects.filter(initiative=initiative, once=once).first()) is not None:
            return known
        row = Effort(
            initiative=initiative,
            layer=layer,
            week=monday(week),
            hours=hours or None,
            money=money or None,
            currency=currency,
            waited_days=waited_days or None,
            waits_for=waits_for,
            waits_for_system=waits_for_system,
            waits_for_words=waits_for_words[:160],
            words=words.strip()[:250],
            once=once,
            by=by,
            at=clock.now(),
        )
        row.save()
        entries.record(EntryKind.EFFORT_NOTED, initiative=initiative, **_facts(row))
    return row


def note_week(
    *,
    initiative: Initiative,
    week: date,
    hours: dict[str, Decimal | None],
    words: str = "",
    once: UUID | None = None,
    by: User,
) -> list[Effort]:
    """Note the hours of a week by layer, all or none, each as `note_effort` would.

    Raises ValidationError by field, a layer's hours under its name, or Refused if `by` may not work on the initiative.
    """
    given = {layer: value for layer, value in hours.items() if value}
    wrong = {} if given else {None: "Enter hours for at least one layer."}
    for layer, value in given.items():
        found = _wrong(layer, week, value, None, None)
        wrong |= {layer if name == "hours" else name: words for name, words in found.items()}
    if wrong:
        raise ValidationError(wrong)
    with act("note effort", by=by, initiative=initiative) as initiative:
        return [
            note_effort(
                initiative=initiative,
                layer=layer,
                week=week,
                hours=value,
                words=words,
                once=uuid5(once, layer)
                if once
                else None,  # a key for each line, the same when it is sent again
                by=by,
            )
            for layer, value in given.items()
        ]


def _facts(row: Effort) -> dict:
    """Return an effort as the audit log keeps it, with numbers as exact text."""
    return {
        "layer": row.layer,
        "week": row.week,
        "hours": str(row.hours) if row.hours else None,
        "money": str(row.money) if row.money else None,
        "currency": row.currency,
        "waited_days": str(row.waited_days) if row.waited_days else None,
        "waits_for": row.awaited,
        "words": row.words,
    }


def _wrong(layer: str, week: date, hours, money, waited_days) -> dict[str, str]:
    """Return the errors of a typed effort, by field."""
    wrong = {}
    if layer not in Layer:
        wrong["layer"] = "Choose the layer of the work."
    if monday(week) > clock.today():
        wrong["week"] = FUTURE
    elif week < EARLIEST:
        wrong["week"] = "Choose a day after 1989."
    for name, value, most, too_much in (
        (
            "hours",
            hours,
            MOST_HOURS,
            "The hours are too many for one week of one initiative. Enter the hours of each layer.",
        ),
        ("money", money, MOST_MONEY, "The amount is too large for one line. Check the amount."),
        (
            "waited_days",
            waited_days,
            MOST_DAYS,
            "The wait is longer than a year. Record the wait year by year.",
        ),
    ):
        if value is not None and value < 0:
            wrong[name] = "Enter a number of 0 or more."
        elif value is not None and value > most:
            wrong[name] = too_much
    if not (hours or money or waited_days) and not wrong:
        wrong["hours"] = "Enter hours, money or days waited."
    return wrong


def _wrong_currency(money, currency: str) -> dict[str, str]:
    if money and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        return {"currency": "Enter the currency as three letters, for example EUR."}
    if currency and not money:
        return {"money": "Enter the amount too, or leave out the currency."}
    return {}


def withdraw_effort(*, effort: Effort, reason: str, by: User) -> Effort:
    """Withdraw an effort with a reason, as its author or the chair. It stays, struck out, but does not count."""
    if not reason.strip():
        raise ValidationError({"reason": "Describe what was wrong with the line."})
    with act("withdraw effort", by=by, initiative=effort.initiative_id, reason=reason) as initiative:
        effort = Effort.objects.select_related("waits_for", "waits_for_system", "by").get(pk=effort.pk)
        if effort.withdrawn_at:
            raise Conflict(
                phrase("This effort was withdrawn on {} already.", clock.local_day(effort.withdrawn_at))
            )
        initiative_permissions.may_withdraw_note(initiative, effort, by).or_refuse()
        effort.withdrawn_at, effort.withdrawn_by, effort.withdrawn_reason = clock.now(), by, reason.strip()
        effort.save()
        entries.record(
            EntryKind.EFFORT_WITHDRAWN, initiative=initiative, why=effort.withdrawn_reason, **_facts(effort)
        )
    return effort


@dataclass(frozen=True)
class Fate:
    """The result for one line of a table, with the effort compared, if any."""

    worked: Worked
    state: str
    known: Effort | None = None


COUNTED = "The work logs of this issue were imported earlier, and include the hours of this line."


def fates(initiative: Initiative, lines: list[Worked]) -> list[Fate]:
    """Return the result for each line of a table in this initiative.

    A line enters once and replaces no earlier effort. Lines of one issue, day and author are matched by their amounts.
    A line with a guessed day and the work logs of the same issue never both count.
    """
    known: dict[str, list[Effort]] = defaultdict(list)
    issues: dict[str, list[Effort]] = defaultdict(list)
    wanted = {line.issue for line in lines if not line.problems}
    for row in Effort.objects.filter(initiative=initiative).exclude(source_key="").order_by("pk"):
        base = row.source_key.partition("#")[0]
        if base[:ISSUE] in wanted:
            known[base].append(row)
            if not row.withdrawn_at:
                issues[base[:ISSUE]].append(row)
    found: dict[int, Fate] = {}
    waiting: list[tuple[int, Worked]] = []
    for place, line in enumerate(lines):
        if line.problems:
            found[place] = Fate(line, WRONG)
            continue
        rows = known[line.key]
        alike = next((row for row in rows if _amounts(row) == line.amounts), None)
        if alike is None:
            waiting.append((place, line))
            continue
        rows.remove(alike)
        found[place] = Fate(line, WITHDRAWN if alike.withdrawn_at else SAME, alike)
    for place, line in waiting:
        rows = [row for row in known[line.key] if not row.withdrawn_at]
        other = next((row for row in issues[line.issue] if _is_guess(row) is not line.guessed), None)
        if rows:
            known[line.key].remove(rows[0])
            found[place] = Fate(line, DIFFERS, rows[0])
        elif other is None:
            found[place] = Fate(line, NEW)
        elif line.guessed:
            found[place] = Fate(dataclass_replace(line, problems=(COUNTED,)), WRONG)
        else:
            found[place] = Fate(line, DIFFERS, other)
    return [found[place] for place in range(len(lines))]


def _is_guess(row: Effort) -> bool:
    return row.source_key.partition("#")[0].endswith(GUESS)


def unknown_authors(lines: Iterable[Worked], people: dict[str, int | None]) -> list[str]:
    """Return the authors, as written, who match no one certain and have no answer."""
    authors = Counter(line.author for line in lines if line.author)
    known = queries.people_named(authors)
    return [
        author
        for author, _ in authors.most_common()
        if author.casefold() not in known and author.casefold() not in people
    ]


def _amounts(row: Effort) -> tuple:
    return row.week, row.layer, row.hours, row.waited_days, row.money, row.currency


def import_efforts(
    *, initiative: Initiative, table: Table, how: How, file_name: str, replace: bool = False, by: User
) -> dict[str, int]:
    """Import lines of an issue tracker's table as effort, and keep the mapping.

    Each line enters once. An effort that entered earlier stays, even if its line has other values now. With `replace`,
    the older effort is withdrawn, and both stay readable. Returns the number of lines by result. Raises ValidationError
    by field if the mapping is invalid or leaves a question open, and Refused if `by` may not work on the initiative.
    """
    _check(table, how)
    now, lines = clock.now(), read(table, how, clock.today())
    with act("import efforts", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        _remember(table, how, by)
        met = fates(initiative, lines)
        entering = [fate for fate in met if fate.state == NEW or (replace and fate.state == DIFFERS)]
        _check_authors(unknown_authors((fate.worked for fate in entering), how.people))
        people = how.people | queries.people_named({fate.worked.author for fate in entering})
        replaced = list({fate.known.pk: fate.known for fate in entering if fate.known is not None}.values())
        if replaced:
            row_history.update_where(
                Effort,
                [row.pk for row in replaced],
                withdrawn_at=now,
                withdrawn_by=by,
                withdrawn_reason=f"Replaced by {file_name[:150]}",
            )
        places = Counter(
            key.partition("#")[0]
            for key in Effort.objects.filter(initiative=initiative)
            .exclude(source_key="")
            .values_list("source_key", flat=True)
        )
        named = queries.named({fate.worked.waits_for for fate in entering})
        rows = []
        for fate in entering:
            places[fate.worked.key] += 1
            row = _entered(initiative, fate.worked, places[fate.worked.key], named, by, now)
            row.worked_by_id = people.get(fate.worked.author.casefold())
            rows.append(row)
        if rows:
            row_history.insert_many(Effort, rows)
        counts = Counter(fate.state for fate in met)
        if rows:
            entries.record(
                EntryKind.EFFORTS_IMPORTED,
                initiative=initiative,
                file=file_name[:200],
                entered=len(rows),
                replaced=len(replaced),
                left_out=counts[WRONG],
                hours=str(sum((row.hours for row in rows if row.hours), Decimal(0))),
                since=min(row.week for row in rows),
                until=max(row.week for row in rows) + timedelta(days=6),
            )
    return {"entered": len(rows), "replaced": len(replaced), **counts}


def _entered(initiative, line: Worked, place: int, named: dict, by: User, now) -> Effort:
    person_or_system = named.get(line.waits_for.casefold())
    return Effort(
        initiative=initiative,
        layer=line.layer,
        week=line.week,
        hours=line.hours,
        money=line.money,
        currency=line.currency,
        waited_days=line.waited,
        waits_for=person_or_system if isinstance(person_or_system, User) else None,
        waits_for_system=person_or_system if isinstance(person_or_system, System) else None,
        waits_for_words="" if person_or_system else line.waits_for,
        words=line.words,
        worked_on=None if line.guessed else line.day,
        source_key=f"{line.key}#{place}",
        by=by,
        at=now,
    )


def _check(table: Table, how: How) -> None:
    """Refuse a mapping without existing, distinct columns, a day and an amount."""
    wrong, used = {}, Counter(column for column in how.columns.values() if column)
    for role, column in how.columns.items():
        if column and column not in table.columns:
            wrong[role] = "Choose one of the columns of the file."
        elif column and used[column] > 1:
            wrong[role] = "Another field uses this column. Choose a different column for each field."
    logs = log_columns(table)  # they name their own day and time
    if not how.columns.get("date") and not logs:
        wrong["date"] = "Choose the column with the day of the work."
    if not logs and not any(how.columns.get(role) for role in ("spent", "waited", "money")):
        wrong.setdefault("spent", "Choose the column with the time spent, the days waited or the money.")
    if how.otherwise not in Layer:
        wrong["otherwise"] = "Choose the layer for lines without a layer."
    if wrong := wrong or questions(table, how):
        raise ValidationError(wrong)


def _check_authors(unknown: list[str]) -> None:
    if unknown:
        raise ValidationError(
            {
                "people": phrase(
                    "{} Answer the question below, then import the lines.", author_asked(unknown[0])
                )
            }
        )


def author_asked(author: str) -> str:
    """Return the question about an author of the file who matches no one here."""
    return f"“{author[:80]}” does not clearly match an account. Choose the person."


def _remember(table: Table, how: How, by: User) -> None:
    """Save the mapping of these headers for the next table that has them."""
    headers = headers_of(table)
    row = SystemImportMapping.objects.filter(kind="efforts", headers=headers).first()
    if row is not None and row.columns == how.kept():
        return
    row = row or SystemImportMapping(kind="efforts", headers=headers)
    row.columns, row.by, row.at = how.kept(), by, clock.now()
    row.save()
