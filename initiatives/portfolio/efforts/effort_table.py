"""The reading of a table of effort: day, hours, layer and person of each line. Writes nothing.

The same table read again after the import changes nothing. A changed line is another line.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from governance import clock
from governance.organisation import table_lines
from governance.organisation.table_lines import Lines, read_lines
from governance.people.people_matching import active_people
from governance.tables.columns import named, parse_date, why_no_day
from governance.tables.numbers import why_no_number
from governance.tables.reader import Table
from governance.vocabulary import Layer
from governance.vocabulary.phrases import in_the_future
from initiatives.models import Effort, Initiative
from initiatives.portfolio.efforts.effort_cells import MOST_HOURS, read_hours

# Each column by the headings people give it; the first is ours.
COLUMNS = {
    "day": ("day", "date", "work date"),
    "hours": ("hours", "hours spent", "logged hours", "duration", "dauer", "aufwand"),
    "layer": ("layer",),
    "person": ("person", "author", "user", "user name"),
    "words": ("what", "description", "summary", "comment"),
}
NEEDED = ("day", "hours", "layer")
EXAMPLE = (
    "day,hours,layer,person,what\n2026-11-16,2.5,integration,,Map the customer field\n"
    "2026-11-17,1h 30m,policy,,Read the terms\n"
)
LONGEST_WORDS = Effort._meta.get_field("words").max_length or 0
EARLIEST = date(1990, 1, 1)
LAYERS = {word.casefold(): layer for layer, label in Layer.choices for word in (layer, str(label))}


@dataclass
class Line(table_lines.Line):
    """One line of the table: its work. `key` is the same for the same cells, and reveals none of them."""

    known: Effort | None = None
    day: date | None = None
    hours: Decimal | None = None
    layer: str = ""
    person: int | None = None
    key: str = ""


def read(table: Table, initiative: Initiative) -> Lines[Line]:
    """Read the table against the effort of the initiative.

    Raises ValidationError if it is not a table of effort. Each line has its own problems.
    """
    lines = read_lines(table, Line, COLUMNS, NEEDED)
    people, heading = active_people(), named(table.columns, COLUMNS)["hours"]
    for line in lines:
        line.day = _day(line)
        line.hours = _hours(line, heading)
        line.layer = LAYERS.get(line.cells["layer"].casefold(), "")
        if not line.layer:
            layers = ", ".join(Layer.values)
            line.problems.append(
                f"Layer {line.cells['layer'][:40]!r} does not exist. Write one of: {layers}."
            )
        if words := line.cells["person"]:
            line.person = people.match(words).person
            if line.person is None:
                line.problems.append(
                    f"{words[:60]!r} matches no active person, or several. Write a user name, or leave the "
                    "cell empty."
                )
        if len(line.cells["words"]) > LONGEST_WORDS:
            line.problems.append(f"The text is longer than {LONGEST_WORDS} letters. Shorten it.")
    _find_known(lines, initiative)
    return Lines(lines)


def _find_known(lines: list[Line], initiative: Initiative) -> None:
    """Give each line its key, numbered among equal lines, and the effort that entered by it earlier."""
    there = {
        row.source_key: row for row in Effort.objects.filter(initiative=initiative).exclude(source_key="")
    }
    places: Counter[str] = Counter()
    for line in lines:
        if line.problems:
            continue
        about = (str(line.day), str(line.hours), line.layer, line.cells["person"], line.cells["words"])
        digest = hashlib.sha256("\x1f".join(about).casefold().encode()).hexdigest()[:40]
        places[digest] += 1
        line.key = f"{digest}#{places[digest]}"
        line.known = there.get(line.key)
        if line.known is not None and line.known.withdrawn_at:
            line.remarks.append("This line was imported and withdrawn, and stays withdrawn.")


def _day(line: Line) -> date | None:
    read_as = parse_date(line.cells["day"])
    if len(read_as) != 10:
        line.problems.append(str(why_no_day(line.cells["day"])))
        return None
    day = date.fromisoformat(read_as)
    if day > clock.today():
        line.problems.append(in_the_future(day, clock.today()))
    elif day < EARLIEST:
        line.problems.append(f"{day:%-d %B %Y} is before 1990. Check the day.")
    return day


def _hours(line: Line, heading: str) -> Decimal | None:
    cell = line.cells["hours"]
    found = read_hours(cell, heading)
    if found.value is None:
        line.problems.append(
            f"{why_no_number(cell, found, '2.5, 2:30 or 2h 30m')} The most is {MOST_HOURS:,} hours."
        )
    return found.value
