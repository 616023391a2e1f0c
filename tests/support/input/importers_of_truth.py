"""Every importer of tables with its columns, the habits of their cells, and its answer in the words of `Found`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from adoption.measurements import table_import
from adoption.measurements.measurement_validation import Asked
from governance.organisation import people_import, table_lines, unit_import
from governance.tables.reader import read_table
from initiatives.models import Initiative
from initiatives.portfolio.efforts import effort_table
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from initiatives.portfolio.imports.inventories import header_synonyms
from initiatives.portfolio.imports.portfolio import actions as portfolio_actions
from initiatives.portfolio.imports.portfolio import portfolio_columns
from initiatives.portfolio.imports.portfolio.portfolio_plan import NEW_UNIT
from initiatives.portfolio.imports.systems import systems_table
from tests.support.input.sheets_with_truth import Field, Found, Habit

THOUSANDS = {
    "(in thousands)": Decimal(1000),
    "(k)": Decimal(1000),
    "in Mio.": Decimal(10**6),
    "[Tsd.]": Decimal(1000),
}
STAGES = {
    **{"Idea": "proposed", "Backlog": "proposed", "PoC": "prototype", "Pilot": "mvp", "Live": "production"},
    **{
        "In production": "production",
        "was live until 2024": "over",
        "not live": "not yet",
        "Pilot planned": "proposed",
    },
}
TIERS = {"high": "high", "Low": "minimal", "medium": "limited", "hoch": "high", "not high": "?", "kein": "?"}
KINDS = {
    "SaaS": "bought",
    "Eigenentwicklung": "home_grown",
    "Datenbank": "database",
    "wiki": "wiki",
    "Share": "file_share",
}
THINGS = ("reader", "triage", "forecast", "search; fast", "Übersicht", "notes, daily", "K\u00fcche")
NOBODY = -1


def sole(headers: dict[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    """The headings of a field that no other field has."""
    return tuple(one for one in headers[name] if sum(one in other for other in headers.values()) == 1)[:12]


def title(habit: Habit, place: int):
    text = f"Row {place} {habit.dice.choice(THINGS)}"
    return text, text


def among(*texts: str):
    def write(habit: Habit, place: int):
        text = habit.dice.choice(texts)
        return text, text

    return write


def meaning(words: dict):
    def write(habit: Habit, place: int):
        text = habit.dice.choice(list(words))
        return text, words[text]

    return write


def amount(habit: Habit, place: int):
    value = habit.decimal((7, 90, 1250, 30_000, 75_000, 1_250_000))
    value = value.quantize(Decimal(1 if habit.currency == "JPY" else "0.01")) if habit.currency else value
    value = value.normalize() if habit.dice.random() < 0.7 else value
    meant = value * habit.times
    text = habit.written(value)
    if habit.times == 1:
        form = habit.dice.choice(("{}", "{}", "{} {c}", "{c} {}", "ca. {}", "{}{c}"))
        text = form.format(text, c=habit.currency)
    return text, meant


def past(habit: Habit, place: int):
    day = date(habit.dice.randrange(2001, 2026), habit.dice.randrange(1, 13), habit.dice.randrange(1, 29))
    return habit.day_of(day), day


def hours(habit: Habit, place: int):
    dice, minutes = habit.dice, habit.dice.choice((15, 30, 45, 60, 90, 120, 150, 450, 480, 1815))
    value = Decimal(minutes) / 60
    forms = [f"{minutes // 60}:{minutes % 60:02}", f"{minutes // 60}h {minutes % 60}m", f"{minutes} min"]
    forms += [f"{habit.written(value)} h", f"{habit.written(value)} Std."]
    if habit.times != 1:
        value = (Decimal(minutes) * habit.times).quantize(Decimal("0.01"))
        return str(minutes), value
    return dice.choice([habit.written(value), *forms]), value


def count(habit: Habit, place: int):
    value = habit.dice.choice((3, 40, 1204, 25_000, 1_250_000))
    return habit.written(Decimal(value)), Decimal(value) * habit.times


def figure(habit: Habit, place: int):
    value = habit.decimal((0, 3, 12, 1204, 25_000))
    return habit.written(value), float(value * habit.times)


def person(people, by):
    def write(habit: Habit, place: int):
        one = habit.dice.choice(people)
        first, last = one.full_name.split(" ", 1)
        texts = [
            one.full_name,
            one.login,
            f"{last}, {first}",
            first,
            one.full_name.upper(),
            f"{one.full_name} (IT)",
        ]
        if one.email:
            texts += [one.email, one.email.upper(), f"{one.full_name} <{one.email}>"]
        if habit.dice.random() < 0.1:
            return "Bob Nobody", NOBODY
        return habit.dice.choice(texts), by(one)

    return write


@dataclass(frozen=True)
class Importer:
    """An importer: its columns, the column that names a row, and what reads a sheet."""

    key: str
    fields: Callable
    read: Callable


def _portfolio_fields(cast) -> tuple[Field, ...]:
    head = {name: sole(portfolio_columns.HEADERS, name) for name in portfolio_columns.FIELDS}
    people = [one for one in cast.people.values() if one.is_active]
    units = {
        cast.unit.name: str(cast.unit.pk),
        cast.elsewhere.name: str(cast.elsewhere.pk),
        "Küche": NEW_UNIT,
    }
    texts = among("Calls take long", 'He said "no", twice', "a; b; c", "1.250", "Zeile 1\nZeile 2")
    return (
        Field("title", head["title"], title, 0),
        Field("unit", head["unit"], meaning(units)),
        Field("owner", head["owner"], person(people, lambda one: one.pk)),
        Field("stage", head["stage"], meaning(STAGES), 0),
        Field("problem", head["problem"], texts),
        Field("vendor", head["vendor"], among("Acme", "Northwind AG", "O'Neil, Sons")),
        Field("tier", head["tier"], meaning(TIERS)),
        Field("budget", head["budget"], amount, units=THOUSANDS),
        Field("run_cost", head["run_cost"], amount, units=THOUSANDS),
        Field("currency", head["currency"], lambda habit, place: (habit.currency, habit.currency), 0),
        Field("go_live_on", head["go_live_on"], past),
        Field("ticket", head["ticket"], lambda habit, place: (f"P-{place}", f"P-{place}")),
    )


def _problems(row) -> str:
    read = (one["raw"] for one in row.mapped.get("read", ()))
    waits = row.raw.values() if row.decision != "import" else ()
    return " ".join([*(f"{one['text']} {one['value']}" for one in row.problems), *read, *waits])


def _portfolio(cast, content: bytes) -> list[Found]:
    batch = portfolio_actions.upload_portfolio(content=content, file_name="own.csv", by=cast.admin)
    found = []
    for row in batch.rows.all():
        said = row.mapped
        fields = {
            name: said[name] for name in ("title", "owner", "stage", "problem", "vendor", "tier", "currency")
        }
        fields |= {"unit": said["unit"] if said["bureau"] else "", "ticket": said["key"]}
        fields |= {name: Decimal(said[name]) if said[name] else None for name in ("budget", "run_cost")}
        fields["go_live_on"] = date.fromisoformat(said["go_live_on"]) if said["go_live_on"] else None
        if not any(fields[name] for name in ("budget", "run_cost")):
            del fields["currency"]
        told = _problems(row) + " ".join(
            word for word, one in batch.reading["people"].items() if not one["person"]
        )
        found.append(Found(said["title"], fields, row.decision != "import", told))
    return found


def _external_fields(cast) -> tuple[Field, ...]:
    head = {name: sole(header_synonyms.ALIASES, name) for name in header_synonyms.ALIASES}
    texts = among("Calls take long", 'He said "no", twice', "a; b; c", "1.250")
    return (
        Field("title", head["title"], title, 0),
        Field("organisation", head["organisation"], among("Ministry of Trees", "Amt für Wege"), 0),
        Field("bureau", head["bureau"], among("North", "South, East")),
        Field("key", head["key"], lambda habit, place: (f"U-{place}", f"U-{place}")),
        Field("stage", head["stage"], meaning(STAGES), 0),
        Field("problem", head["problem"], texts),
        Field("vendor", head["vendor"], among("Acme", "Northwind AG")),
        Field("began", head["began"], past),
    )


def _external(cast, content: bytes) -> list[Found]:
    batch = inventory_actions.upload_batch(content=content, file_name="t.csv", source="theirs", by=cast.admin)
    found = []
    for row in batch.rows.all():
        said = row.mapped
        names = ("title", "organisation", "bureau", "key", "stage", "problem", "vendor")
        fields = {name: said[name] for name in names}
        fields["began"] = (
            date.fromisoformat(said["began"]) if len(said["began"]) == 10 else said["began"] or None
        )
        found.append(Found(said["title"], fields, row.decision != "import", _problems(row)))
    return found


def _lines(table, lines, key: Callable, fields: Callable) -> list[Found]:
    raw = {line.number: " ".join(line.cells.values()) for line in table.lines}
    return [
        Found(
            key(line),
            fields(line),
            line.state in (table_lines.WRONG, table_lines.OUT),
            " ".join([*line.problems, *line.remarks, raw[line.number] if line.problems or line.out else ""]),
        )
        for line in lines
    ]


def _system_fields(cast) -> tuple[Field, ...]:
    head = {name: sole(systems_table.COLUMNS, name) for name in systems_table.COLUMNS}
    people = list(cast.people.values())
    regions = {"EU": ["EU"], "US; EU": ["US", "EU"], "DE, FR": ["DE", "FR"]}
    return (
        Field("name", head["name"], title, 0),
        Field("kind", head["kind"], meaning(KINDS), 0),
        Field("owner", head["owner"], person(people, lambda one: one.pk)),
        Field(
            "unit",
            head["unit"],
            meaning({cast.unit.name: cast.unit.pk, cast.elsewhere.code: cast.elsewhere.pk}),
        ),
        Field("purpose", head["purpose"], among("Orders", "a; b, c", "1.250")),
        Field("last_updated_on", head["last_updated_on"], past),
        Field("in_service_since", head["in_service_since"], past),
        Field("regions", head["regions"], meaning(regions)),
        Field("source_key", head["source_key"], lambda habit, place: (f"BS{place:04}", f"BS{place:04}")),
    )


def _systems(cast, content: bytes) -> list[Found]:
    def fields(line):
        said = {one.name: line.fields.get(one.name) for one in _system_fields(cast)}
        return said | {name: said[name].pk if said[name] else None for name in ("owner", "unit")}

    table = read_table(content, expected=systems_table.NEEDED)
    return _lines(
        table,
        systems_table.read(table, {}).lines,
        lambda line: line.name,
        fields,
    )


def _people_fields(cast) -> tuple[Field, ...]:
    head = {name: sole(people_import.COLUMNS, name) for name in people_import.COLUMNS}
    people = [one for one in cast.people.values() if one.is_active]
    units = {cast.unit.name: cast.unit.pk, cast.elsewhere.code: cast.elsewhere.pk, "Nowhere": NOBODY}
    return (
        Field("login", head["login"], lambda habit, place: (f"person-{place}",) * 2, 0),
        Field("full_name", head["full_name"], lambda habit, place: (f"Ana Ruiz {place}",) * 2, 0),
        Field("email", head["email"], lambda habit, place: (f"p{place}@example.org",) * 2),
        Field("unit", head["unit"], meaning(units)),
        Field("manager", head["manager"], person(people, lambda one: one.login), 0.5),
    )


def _people(cast, content: bytes) -> list[Found]:
    def fields(line):
        said = {name: line.cells[name] for name in ("login", "full_name", "email", "manager")}
        return said | {"unit": line.unit.pk if line.unit else None}

    table = read_table(content, expected=people_import.NEEDED_HEADINGS)
    return _lines(
        table, people_import.read(table, by=cast.admin).lines, lambda line: line.cells["login"], fields
    )


def _unit_fields(cast) -> tuple[Field, ...]:
    head = {name: sole(unit_import.COLUMNS, name) for name in unit_import.COLUMNS}
    return (
        Field("name", head["name"], title, 0),
        Field("code", head["code"], lambda habit, place: (f"u-{place}",) * 2),
        Field(
            "parent",
            head["parent"],
            meaning({cast.unit.name: cast.unit.name, cast.elsewhere.code: cast.elsewhere.name}),
        ),
    )


def _units(cast, content: bytes) -> list[Found]:
    table = read_table(content, expected=unit_import.NEEDED)
    lines = unit_import.read(table).lines
    return _lines(
        table,
        lines,
        lambda line: line.name,
        lambda line: (
            {"name": line.name, "parent": line.place}
            | ({"code": line.code} if line.code.startswith("u-") else {})
        ),
    )


MINUTES = {"(min)": 1 / Decimal(60), "in days": Decimal(8), "[hours]": Decimal(1), "(PT)": Decimal(8)}


def _effort_fields(cast) -> tuple[Field, ...]:
    head = effort_table.COLUMNS
    people = [one for one in cast.people.values() if one.is_active]
    layers = {"integration": "integration", "Policy": "policy", "model": "model"}
    layers |= {"MODEL": "model", "Integration": "integration", "policy": "policy", "Kitchen": "?"}
    return (
        Field("day", head["day"], past, 0),
        Field("hours", head["hours"][3:], hours, 0, MINUTES),
        Field("layer", head["layer"], meaning(layers), 0),
        Field("person", head["person"], person(people, lambda one: one.pk), 0.9),
        Field("words", head["words"], title, 0),
    )


def _effort(cast, content: bytes) -> list[Found]:
    initiative = Initiative.objects.order_by("pk").last()
    table = read_table(content, expected=effort_table.NEEDED)

    def fields(line):
        exact = None if line.hours is None else Decimal(line.hours)
        return {
            "day": line.day,
            "hours": exact,
            "layer": line.layer,
            "person": line.person,
            "words": line.cells["words"],
        }

    return _lines(table, effort_table.read(table, initiative).lines, lambda line: line.cells["words"], fields)


def _measurement_fields(cast) -> tuple[Field, ...]:
    head = table_import.HEADERS
    answers = {"yes": True, "ja": True, "no": False, "Nein": False, "perhaps": NOBODY, "oui": True}
    number = {"(in thousands)": Decimal(1000), "(k)": Decimal(1000)}
    return (
        Field("key", head["key"], title, 0),
        Field("measure", head["measure"], lambda habit, place: ("Speed", 1), 0),
        Field("starts_on", head["starts_on"], past, 0),
        Field("ends_on", head["ends_on"], past, 0),
        Field("n", ("n",), count, 0, number),
        Field("value", head["value"], figure, 0.1, number),
        Field("sd", head["sd"], figure),
        Field("team", head["team"], among("North", "South")),
        Field("others", head["others"], meaning(answers)),
    )


def _measurements(cast, content: bytes) -> list[Found]:
    asked = {1: Asked(1, "Speed", "Speed", share=False, weekly=True)}
    table = read_table(content, expected=table_import.EXPECTED)
    found = []
    lines = {line.number: line for line in table.lines}
    for row in table_import.read_rows(table, asked):
        told = row.fate.words if row.fate else ""
        sent = row.sent
        if sent is None:
            found.append(Found("", {}, True, " ".join([told, *lines[row.line].cells.values()])))
            continue
        fields = {
            name: getattr(sent, name)
            for name in ("key", "measure", "starts_on", "ends_on", "n", "value", "sd", "team")
        }
        found.append(Found(sent.key, fields | ({"others": sent.others} if sent.others else {}), False, told))
    return found


IMPORTERS = {
    "portfolio": Importer("title", _portfolio_fields, _portfolio),
    "external": Importer("title", _external_fields, _external),
    "systems": Importer("name", _system_fields, _systems),
    "people": Importer("login", _people_fields, _people),
    "units": Importer("name", _unit_fields, _units),
    "effort": Importer("words", _effort_fields, _effort),
    "measurements": Importer("key", _measurement_fields, _measurements),
}
