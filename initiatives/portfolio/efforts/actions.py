"""Acts on effort: a week in one layer, typed or read from a table."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid5

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import User
from governance.organisation.table_lines import NEW, Lines
from governance.permission_result import Conflict
from governance.tables.reader import Table
from governance.vocabulary import Layer
from governance.vocabulary.currencies import wrong_amount, wrong_currency
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import in_the_future, phrase
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Effort, Initiative, System
from initiatives.portfolio.efforts import permissions as effort_permissions
from initiatives.portfolio.efforts.effort_cells import MOST_HOURS, monday
from initiatives.portfolio.efforts.effort_table import EARLIEST, Line, read

MOST_DAYS = 366
MOST_MONEY = Decimal(10) ** 11


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
        wrong["week"] = in_the_future(monday(week), clock.today())
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
    if money and (wrong := wrong_currency(currency)):
        return {"currency": wrong}
    if money and (wrong := wrong_amount(money, currency)):
        return {"money": wrong}
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
        effort_permissions.may_withdraw_note(initiative, effort, by).or_refuse()
        effort.withdrawn_at, effort.withdrawn_by, effort.withdrawn_reason = clock.now(), by, reason.strip()
        effort.save()
        entries.record(
            EntryKind.EFFORT_WITHDRAWN, initiative=initiative, why=effort.withdrawn_reason, **_facts(effort)
        )
    return effort


def import_efforts(*, initiative: Initiative, table: Table, file_name: str, by: User) -> Lines[Line]:
    """Import each new line of a table as effort, all or none, and return the lines.

    A line that entered earlier stays as it is. Raises ValidationError if a line is wrong, and Refused if `by` may not
    work on the initiative.
    """
    with act("import efforts", by=by, initiative=initiative) as initiative:
        initiative_permissions.may_collaborate(initiative, by).or_refuse()
        lines = read(table, initiative)
        lines.refuse_wrong()
        rows = [
            Effort(
                initiative=initiative,
                layer=line.layer,
                week=monday(line.day),
                hours=line.hours,
                words=line.cells["words"],
                worked_on=line.day,
                worked_by_id=line.person,
                source_key=line.key,
                by=by,
                at=clock.now(),
            )
            for line in lines.of(NEW)
            if line.day
        ]
        if rows:
            row_history.insert_many(Effort, rows)
            entries.record(
                EntryKind.EFFORTS_IMPORTED,
                initiative=initiative,
                file=file_name[:200],
                entered=len(rows),
                hours=str(sum((row.hours for row in rows if row.hours), Decimal(0))),
                since=min(row.week for row in rows),
                until=max(row.week for row in rows) + timedelta(days=6),
            )
    return lines
