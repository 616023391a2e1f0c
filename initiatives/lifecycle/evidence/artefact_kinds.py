"""Artefacts: what each kind of evidence holds, asked in fields that only the thing fits. Pure: no database, no web.

A free file is a document, whatever its name. Which kinds are held to their form, and which come from a register of the
product and are never uploaded, the rulebook in force says (`evidence_carries`).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from governance.files.log_samples import Counted
from governance.files.plain_text import emptiness
from governance.tables.numbers import parse_number
from governance.vocabulary import (
    EvidenceKind,
    EvidenceRegister,
    EvidenceResult,
    ResearchMethod,
    ThresholdSide,
)

TEXT, COUNT, NUMBER, DAY, CHOICE = "text", "count", "number", "day", "choice"
LONGEST, MOST = 200, 1_000_000_000  # characters of a text; things counted
REGISTER = "register"  # the detail of what a register of the product wrote: which one


@dataclass(frozen=True)
class Detail:
    """One field of a kind's form: its name and type, its words, and the sentence when it is missing."""

    name: str
    type: str
    label: str
    missing: str
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Source:
    """Where a kind comes from that is never uploaded: a sentence, the name of a page of the initiative, and its
    words.
    """

    words: str
    url_name: str
    link: str


FORMS: dict[str, tuple[Detail, ...]] = {
    EvidenceKind.TEST_REPORT: (
        Detail(
            "data_set",
            TEXT,
            "Data set",
            "Name the data set it was tried on.",
            "With its version or day, so that somebody else can try the same.",
        ),
        Detail("n", COUNT, "How many were tried", "Say how many examples were tried."),
        Detail("metric", TEXT, "Metric", "Name what was measured, for instance accuracy."),
        Detail("figure", NUMBER, "Figure reached", "Give the figure that was reached, for instance 0.91."),
        Detail(
            "threshold",
            NUMBER,
            "Threshold declared before",
            "Give the threshold that was declared before, for instance 0.85.",
            "In the unit of the figure.",
        ),
        Detail(
            "side",
            CHOICE,
            "Good is",
            "Say whether the figure has to reach the threshold or to stay below it.",
            choices=tuple(ThresholdSide.choices),
        ),
    ),
    EvidenceKind.LOG_SAMPLE: (),
    EvidenceKind.DECISION_RECORD: (
        Detail("approver", TEXT, "Who decided", "Name the person who decided."),
        Detail("decided_on", DAY, "Decided on", "Give the day of the decision."),
        Detail("place", TEXT, "Board or ticket", "Name the board that met, or the ticket."),
    ),
    EvidenceKind.USER_RESEARCH: (
        Detail("n", COUNT, "How many took part", "Say how many people took part."),
        Detail("starts_on", DAY, "From", "Give the first day of the period."),
        Detail("ends_on", DAY, "To", "Give the last day of the period."),
        Detail(
            "method",
            CHOICE,
            "Method",
            "Say how people were asked or watched.",
            choices=tuple(ResearchMethod.choices),
        ),
    ),
}
LEDES = {
    EvidenceKind.TEST_REPORT: "A test report says what was tried, on how much, and against which threshold.",
    EvidenceKind.LOG_SAMPLE: (
        "A log sample is read when it is added: CSV, JSON lines or OTLP JSON, up to 5 MB, one row for each call, with "
        "columns for input, output and time; better also for actor and model version."
    ),
    EvidenceKind.DECISION_RECORD: "A decision record says who decided, when, and where it can be looked up.",
    EvidenceKind.USER_RESEARCH: "User research says how many took part, when, and how.",
}
SOURCES = {
    EvidenceKind.ATTESTATION: Source(
        "An attestation comes from saving an answer with a day on which it was true, or from accepting a role.",
        "requirements",
        "Open the requirements",
    ),
    EvidenceKind.CONTRACT_CLAUSE: Source(
        "A contract clause is a clause of the contract in force; a vendor's clause is a document.",
        "contract",
        "Open the contract",
    ),
    EvidenceKind.DRILL_RECORD: Source(
        "A drill record is a drill that was written down here.", "integration-drills", "Open the drills"
    ),
    EvidenceKind.TELEMETRY: Source(
        "Telemetry is the measurements of the initiative's measures.", "adoption", "Open the measures"
    ),
    EvidenceKind.SYSTEM_RECORD: Source(
        "A system record is the text of the integration register.", "integration", "Open the register"
    ),
}


def read(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given for a kind's form as it is kept: texts, whole numbers, plain decimals and ISO days as texts.

    What is missing or cannot be read is left out.
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
    """What is missing or wrong in a kind's form, by field, each as a sentence that says how to fix it."""
    found, wrong = read(kind, given), {}
    for one in FORMS.get(kind, ()):
        value = found.get(one.name)
        if value is None:
            unreadable = one.type == NUMBER and str(given.get(one.name) or "").strip()
            wrong[one.name] = "Give a plain number, for instance 0.91." if unreadable else one.missing
        elif one.type == TEXT and len(str(value)) > LONGEST:
            wrong[one.name] = f"Use at most {LONGEST} characters."
        elif one.type == TEXT and (why := emptiness(str(value))):
            wrong[one.name] = why
        elif one.type == COUNT and not 1 <= int(value) <= MOST:
            wrong[one.name] = "It is one or more."
        elif one.type == DAY and today is not None and date.fromisoformat(str(value)) > today:
            wrong[one.name] = f"{_day(value)} lies in the future."
    if not wrong and kind == EvidenceKind.USER_RESEARCH and found["starts_on"] > found["ends_on"]:
        wrong["ends_on"] = "The last day lies before the first."
    if (
        not wrong
        and kind == EvidenceKind.TEST_REPORT
        and result == EvidenceResult.PASS
        and not _reached(found)
    ):
        wrong["figure"] = (
            f"{found['figure']} misses the threshold of {found['threshold']}: this is not a pass. Say what it came to."
        )
    return wrong


def _reached(found: Mapping[str, Any]) -> bool:
    figure, threshold = Decimal(found["figure"]), Decimal(found["threshold"])
    return figure >= threshold if found["side"] == ThresholdSide.AT_LEAST else figure <= threshold


def of_log(counted: Counted) -> dict[str, Any]:
    """What is kept of a log sample: its counts."""
    return {"rows": counted.rows, "columns": list(counted.columns), "filled": counted.filled}


def of_register(register: EvidenceRegister) -> dict[str, Any]:
    """What is kept of what a register of the product wrote: which one."""
    return {REGISTER: register.value}


def by_field(kind: str, wrong: Mapping[str, str]) -> dict[str, str]:
    """Problems of a kind's form by the names that its fields have beside those of other kinds."""
    return {f"{kind}_{name}": said for name, said in wrong.items()}


def counts_as(
    kind: str, details: Mapping[str, Any], registers: Collection[str], *, written_here: bool = False
) -> str:
    """As which kind an item counts where the kinds of `registers` are never uploaded.

    What was uploaded as one of them before is a document. `written_here`: it was generated, is a clause of the
    contract, or a drill refers to it.
    """
    own = kind == EvidenceKind.ATTESTATION or written_here or bool(details.get(REGISTER))
    return EvidenceKind.DOCUMENT if kind in registers and not own else kind


# In words


def in_words(kind: str, details: Mapping[str, Any]) -> str:
    """The details of an item in one compact line; "" where it has none."""
    if details.get(REGISTER):
        return f"from {EvidenceRegister.word(details[REGISTER]).lower()}"
    if kind == EvidenceKind.LOG_SAMPLE and "rows" in details:
        rows = "1 row" if details["rows"] == 1 else f"{details['rows']:,} rows"
        return f"{rows}; {', '.join(details['columns'])}; {details['filled']} % filled"
    if kind not in FORMS or any(one.name not in details for one in FORMS[kind]):
        return ""
    if kind == EvidenceKind.TEST_REPORT:
        most = "at most " if details["side"] == ThresholdSide.AT_MOST else ""
        return (
            f"data set {details['data_set']}, n {details['n']:,}, {details['metric']} {details['figure']} against "
            f"{most}{details['threshold']} declared"
        )
    if kind == EvidenceKind.DECISION_RECORD:
        return f"decided by {details['approver']} on {_day(details['decided_on'])}, {details['place']}"
    if kind == EvidenceKind.USER_RESEARCH:
        period = f"{_day(details['starts_on'])} to {_day(details['ends_on'])}"
        return f"{ResearchMethod.word(details['method']).lower()}, n {details['n']:,}, {period}"
    return ""


def line(kind: str, details: Mapping[str, Any], questions: int) -> str:
    """That line, and how many requirements the item serves where they are several."""
    several = f"serves {questions} requirements" if questions > 1 else ""
    return "; ".join(part for part in (in_words(kind, details), several) if part)


def lines(rows: Iterable[Any]) -> dict[int, str]:
    """That line by key, of rows of evidence as `initiative_rows` reads them."""
    return {row.pk: said for row in rows if (said := line(row.kind, row.details, len(row.covers)))}


def _day(said: Any) -> str:
    return f"{date.fromisoformat(str(said)):%-d %B %Y}"
