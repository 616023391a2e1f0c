"""Artefacts: the content that each kind of evidence needs, in fields of a form. No database, no web.

A free file is a document under any name. The rulebook in force (`evidence_carries`) names the kinds that need their
form, and the kinds that come from a register of Plumbline and are never uploaded.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from governance.files.log_samples import Counted
from governance.files.plain_text import emptiness
from governance.gates import remarks
from governance.tables.numbers import parse_number
from governance.vocabulary import (
    EvidenceKind,
    EvidenceRegister,
    EvidenceResult,
    ResearchMethod,
    Tested,
    ThresholdSide,
)
from governance.vocabulary.phrases import in_the_future

TEXT, COUNT, NUMBER, DAY, CHOICE = "text", "count", "number", "day", "choice"
LONGEST, MOST = 200, 1_000_000_000  # characters of a text; things counted
REGISTER = "register"  # the detail of what a register of the product wrote: which one


@dataclass(frozen=True)
class Detail:
    """One field of a kind's form: name, type, words, sentence when missing."""

    name: str
    type: str
    label: str
    missing: str
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    usual: str = ""


@dataclass(frozen=True)
class Source:
    """The source of a kind that is never uploaded: a sentence and a page."""

    words: str
    url_name: str
    link: str


TESTED = Detail(
    "tested",
    CHOICE,
    "Subject",
    "Choose the subject. Some requirements accept only certain subjects.",
    choices=tuple(Tested.choices),
)
FORMS: dict[str, tuple[Detail, ...]] = {
    EvidenceKind.TEST_REPORT: (
        TESTED,
        Detail(
            "data_set",
            TEXT,
            "Data set",
            "Name the data set that was used for the test.",
            "Add its version or day, so that someone else can repeat the test.",
        ),
        Detail("n", COUNT, "Number of examples", "Enter the number of examples that were tried."),
        Detail(
            "metric",
            TEXT,
            "Metric",
            "Name the metric, for instance accuracy.",
            "If you measured something else, enter its name.",
            usual="share of correct results",
        ),
        Detail("figure", NUMBER, "Result value", "Enter the result value, for instance 0.91."),
        Detail(
            "threshold",
            NUMBER,
            "Threshold declared before",
            "Enter the threshold that was declared before, for instance 0.85.",
            "Use the unit of the result value.",
        ),
        Detail(
            "side",
            CHOICE,
            "Good is",
            "Choose whether the result must reach the threshold or stay below it.",
            choices=tuple(ThresholdSide.choices),
            usual=ThresholdSide.AT_LEAST,
        ),
    ),
    EvidenceKind.LOG_SAMPLE: (),
    EvidenceKind.DECISION_RECORD: (
        Detail("approver", TEXT, "Decided by", "Name the person who decided."),
        Detail("decided_on", DAY, "Decided on", "Enter the day of the decision."),
        Detail("place", TEXT, "Board or ticket", "Name the board that met, or the ticket."),
    ),
    EvidenceKind.USER_RESEARCH: (
        TESTED,
        Detail("n", COUNT, "Number of people", "Enter the number of people who took part."),
        Detail("starts_on", DAY, "From", "Enter the first day of the period."),
        Detail("ends_on", DAY, "To", "Enter the last day of the period."),
        Detail(
            "method",
            CHOICE,
            "Method",
            "Choose how people were asked or observed.",
            choices=tuple(ResearchMethod.choices),
        ),
    ),
}
LEDES = {
    EvidenceKind.TEST_REPORT: (
        "A test report contains the subject of the test, the number of examples and the threshold."
    ),
    EvidenceKind.LOG_SAMPLE: (
        "Plumbline reads a log sample when you add it. Use CSV, JSON lines or OTLP JSON, up to 5 MB, with "
        "one row for each call. Columns: input, output and time, and if possible actor and model version."
    ),
    EvidenceKind.DECISION_RECORD: "A decision record names the person who decided, the day, and the board or ticket.",
    EvidenceKind.USER_RESEARCH: "User research contains the number of people, the period and the method.",
}
SOURCES = {
    EvidenceKind.ATTESTATION: Source(
        "Save an answer with its “Valid from” day, or accept a role. Plumbline then records the attestation.",
        "requirements",
        "Open the requirements",
    ),
    EvidenceKind.CONTRACT_CLAUSE: Source(
        "A contract clause is a clause of the contract in force. A vendor's clause is a document.",
        "contract",
        "Open the contract",
    ),
    EvidenceKind.DRILL_RECORD: Source(
        "A drill record is a drill that was recorded on the drills page.",
        "integration-drills",
        "Open the drills",
    ),
    EvidenceKind.TELEMETRY: Source(
        "Telemetry consists of the initiative's measurements.", "adoption", "Open the measures"
    ),
    EvidenceKind.SYSTEM_RECORD: Source(
        "A system record is a text from the integration register.", "integration", "Open the register"
    ),
}


def read(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the input of a kind's form as it is stored. Missing or unreadable fields are left out.

    Texts stay texts. Whole numbers are numbers. Plain decimals and ISO days are stored as texts.
    """
    found = {}
    for one in FORMS.get(kind, ()):
        value = _value(one, str(given.get(one.name) or "").strip())
        if value is not None:
            found[one.name] = value
    return found


def _value(one: Detail, said: str) -> str | int | None:
    if one.type == COUNT:
        # Parted into thousands or not, and never a sign: 1,204 and 1204. A count has no decimals.
        number = parse_number(said, ".") if not said.startswith("-") else None
        return int(number) if number is not None and number == int(number) and number < 10**10 else None
    if one.type == NUMBER:
        # A point is decimal, as the form says by its example; 0,91 is read, and 1,204 can be two numbers.
        number = parse_number(said, "" if "," in said else ".")
        return None if number is None else format(number.normalize(), "f")
    if one.type == DAY:
        try:
            return date.fromisoformat(said).isoformat()
        except ValueError:
            return None
    if one.type == CHOICE:
        return said if said in dict(one.choices) else None
    return " ".join(said.split()) or None


def check(
    kind: str, given: Mapping[str, Any], *, result: str = "", today: date | None = None
) -> dict[str, str]:
    """Return the errors of a kind's form by field, each with the way to fix it."""
    found, wrong = read(kind, given), {}
    for one in FORMS.get(kind, ()):
        value = found.get(one.name)
        if value is None:
            unreadable = one.type == NUMBER and str(given.get(one.name) or "").strip()
            wrong[one.name] = "Enter a plain number, for instance 0.91." if unreadable else one.missing
        elif one.type == TEXT and len(str(value)) > LONGEST:
            wrong[one.name] = f"Use at most {LONGEST} characters."
        elif one.type == TEXT and (why := emptiness(str(value))):
            wrong[one.name] = why
        elif one.type == COUNT and not 1 <= int(value) <= MOST:
            wrong[one.name] = "Enter 1 or more."
        elif one.type == DAY and today is not None and date.fromisoformat(str(value)) > today:
            wrong[one.name] = in_the_future(date.fromisoformat(str(value)), today)
    if not wrong and kind == EvidenceKind.USER_RESEARCH and found["starts_on"] > found["ends_on"]:
        wrong["ends_on"] = "The last day is before the first day. Correct one of the days."
    if (
        not wrong
        and kind == EvidenceKind.TEST_REPORT
        and result == EvidenceResult.PASS
        and not _reached(found)
    ):
        wrong["figure"] = (
            f"{found['figure']} misses the threshold of {found['threshold']}, so the result cannot be pass. "
            "Choose partial or fail."
        )
    return wrong


def result_of(kind: str, given: Mapping[str, Any]) -> str:
    """Return the result that a valid form implies, or "" if a person enters it."""
    if kind != EvidenceKind.TEST_REPORT:
        return ""
    return EvidenceResult.PASS if _reached(read(kind, given)) else EvidenceResult.FAIL


def _reached(found: Mapping[str, Any]) -> bool:
    figure, threshold = Decimal(found["figure"]), Decimal(found["threshold"])
    return figure >= threshold if found["side"] == ThresholdSide.AT_LEAST else figure <= threshold


def of_log(counted: Counted) -> dict[str, Any]:
    """Return the stored details of a log sample: its counts, and rows by model."""
    models = {"models": dict(counted.models)} if counted.models else {}
    return {"rows": counted.rows, "columns": list(counted.columns), "filled": counted.filled} | models


def of_file(rows: int | None, characters: int | None) -> dict[str, Any]:
    """Return the stored details of another file: its rows or few characters, if known."""
    found = {remarks.FILE_ROWS: rows, remarks.CHARACTERS: characters}
    return {name: count for name, count in found.items() if count is not None}


def of_register(register: EvidenceRegister, tested: str = "") -> dict[str, Any]:
    """Return the stored details of a register's item, with what a drill tested."""
    return {REGISTER: register.value} | ({"tested": tested} if tested else {})


def by_field(kind: str, wrong: Mapping[str, str]) -> dict[str, str]:
    """Return the errors of a kind's form by field names in a form of several kinds."""
    return {f"{kind}_{name}": said for name, said in wrong.items()}


def counts_as(
    kind: str, details: Mapping[str, Any], registers: Collection[str], *, written_here: bool = False
) -> str:
    """Return the kind an item counts as if `registers` are never uploaded.

    An earlier upload of these kinds counts as a document. `written_here` is True for an item that was generated, is a
    clause of the contract, or belongs to a drill.
    """
    own = kind == EvidenceKind.ATTESTATION or written_here or bool(details.get(REGISTER))
    return EvidenceKind.DOCUMENT if kind in registers and not own else kind


# In words


def in_words(kind: str, details: Mapping[str, Any]) -> str:
    """Return the details of an item in one compact line, or "" if it has none."""
    if details.get(REGISTER):
        return f"{_about(details)}from {EvidenceRegister.word(details[REGISTER]).lower()}"
    if kind == EvidenceKind.LOG_SAMPLE and "rows" in details:
        rows = "1 row" if details["rows"] == 1 else f"{details['rows']:,} rows"
        return f"{rows}, {', '.join(details['columns'])}, {details['filled']} % filled"
    if kind not in FORMS or any(one.name not in details for one in FORMS[kind]):
        return ""
    if kind == EvidenceKind.TEST_REPORT:
        if details.get(remarks.SUITE):
            suite = str(details["data_set"]).removeprefix(remarks.SUITE_OF)
            tests = "1 test" if details["n"] == 1 else f"{details['n']:,} tests"
            told = f", {details[remarks.TOLD]}" if details.get(remarks.TOLD) else ""
            return (
                f"{_about(details)}{tests} of the suite {suite}{told}, {details['metric']} {details['figure']}, "
                f"at least {details['threshold']} needed"
            )
        most = "at most " if details["side"] == ThresholdSide.AT_MOST else ""
        return (
            f"{_about(details)}data set {details['data_set']}, n {details['n']:,}, "
            f"{details['metric']} {details['figure']} against {most}{details['threshold']} declared"
        )
    if kind == EvidenceKind.DECISION_RECORD:
        return f"decided by {details['approver']} on {_day(details['decided_on'])}, {details['place']}"
    if kind == EvidenceKind.USER_RESEARCH:
        period = f"{_day(details['starts_on'])} to {_day(details['ends_on'])}"
        return (
            f"{_about(details)}{ResearchMethod.word(details['method']).lower()}, n {details['n']:,}, {period}"
        )
    return ""


def _about(details: Mapping[str, Any]) -> str:
    """Return the beginning of that line: what was tested."""
    return f"{Tested.word(details['tested']).lower()}: " if details.get("tested") else ""


def with_remarks(kind: str, title: str, details: Mapping[str, Any], known: remarks.KnownNames) -> str:
    """Return that line with the remarks on the item: other counts, a data set that is not recorded, an empty file."""
    return "; ".join(filter(None, (in_words(kind, details), remarks.of_item(kind, title, details, known))))


def line(kind: str, title: str, details: Mapping[str, Any], questions: int, known: remarks.KnownNames) -> str:
    """Return that line with remarks, and the number of requirements if several."""
    several = f"serves {questions} requirements" if questions > 1 else ""
    return "; ".join(filter(None, (with_remarks(kind, title, details, known), several)))


def lines(rows: Iterable[Any], known: remarks.KnownNames) -> dict[int, str]:
    """Return that line by key, for rows of evidence as `initiative_rows` reads them."""
    told = ((row.pk, line(row.kind, row.title, row.details, len(row.covers), known)) for row in rows)
    return {pk: said for pk, said in told if said}


def _day(said: Any) -> str:
    return f"{date.fromisoformat(str(said)):%-d %B %Y}"
