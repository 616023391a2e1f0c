"""The portfolio as a table for spreadsheets: stage and goal on every row, claimed beside supported."""

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse

from governance import clock
from governance.ledger import csv_export, workbook_export
from governance.models import Rulebook
from governance.rulebook import Book
from governance.templatetags.plumbline import layer_word, stage_word
from governance.vocabulary import Stage
from initiatives.facts.wording import profile_words
from initiatives.models import Initiative
from initiatives.portfolio import filters

HEADING = [
    "Reference",
    "Title",
    "Unit",
    "Claimed stage",
    "Goal of the stage",
    "Note",
    "Claim rests on",
    "Supported stage",
    "Shortfall",
    "Governance test",
    "Integration test",
    "Adoption test",
    "Levels of answers",
    "Gaps by layer",
    "Held",
    "Owner",
    "Risk tier",
    "In stage since",
    "Days in stage",
    "Next due",
    "Problem",
    "Vendor",
    "Budget",
    "Run cost a year",
    "Benefit a year",
    "Currency",
    "Go-live",
    "Ticket",
]
# Where an import reads what is a person's words, by what it calls it; the other columns are worked out here.
EXPORTED_AS = {
    "reference": "Reference",
    "title": "Title",
    "unit": "Unit",
    "owner": "Owner",
    "stage": "Claimed stage",
    "tier": "Risk tier",
    "problem": "Problem",
    "vendor": "Vendor",
    "budget": "Budget",
    "run_cost": "Run cost a year",
    "benefit": "Benefit a year",
    "currency": "Currency",
    "go_live_on": "Go-live",
    "ticket": "Ticket",
}
WORDS = ("title", "problem", "vendor", "budget", "run_cost", "benefit", "currency", "go_live_on", "ticket")
CHUNK = 500


def portfolio(cases: QuerySet, book: Book | None, *, of: str = "", by) -> StreamingHttpResponse:
    """The cases of the portfolio, as `filters.with_standing`, `with_people` and `with_contract` annotated them."""
    return csv_export.stream("portfolio", HEADING, _rows(cases, book), of=of, by=by)


def portfolio_workbook(cases: QuerySet, book: Book | None, *, of: str = "", by) -> HttpResponse:
    """The same as a workbook."""
    return workbook_export.workbook("portfolio", HEADING, _rows(cases, book), of=of, by=by)


def annotated(cases: QuerySet, rulebook: Rulebook | None, moment) -> QuerySet:
    """Cases with all that a row of the export says of them."""
    cases = filters.with_standing(cases, rulebook, moment)
    return filters.with_people(filters.with_contract(cases, moment))


def compared(case: Initiative, book: Book | None) -> dict[str, str]:
    """What the export says of the case that no sheet changes, by header, as its cells are written.

    Without the days in stage, which are others tomorrow. `case` as `annotated` has it.
    """
    words = {EXPORTED_AS[role] for role in WORDS} | {"Reference", "Days in stage"}
    cells = zip(HEADING, _row(case, book, clock.now()), strict=True)
    return {header: str(csv_export.safe(cell)) for header, cell in cells if header not in words}


def _rows(cases: QuerySet, book: Book | None):
    now = clock.now()
    for case in cases.select_related("business_case").iterator(chunk_size=CHUNK):
        yield _row(case, book, now)


def _row(case: Initiative, book: Book | None, now) -> list:
    known = case.supported != "recomputing"
    said = getattr(case, "business_case", None)
    return [
        case.ref,
        case.title,
        case.unit_name,
        stage_word(case.stage),
        goal_of(book, case.stage),
        caution(case),
        "an import, not evidenced here" if case.imported else case.basis.replace("_", " "),
        supported_words(case),
        case.label if known else "",
        _test(case.governance, known),
        _test(case.integration, known),
        _test(case.adoption, known),
        profile_words(case.profile) if known else "",
        gap_words(case.gap_counts) if known else "",
        case.held,
        owner_words(case),
        case.get_tier_display() or "not confirmed",
        clock.local_day(case.since),
        (now - case.since).days,
        case.next_due,
        case.problem,
        *(getattr(said, name, None) for name in WORDS[2:]),
    ]


def goal_of(book: Book | None, stage: str) -> str:
    """What the rulebook says the stage is for; ideas and closed cases have no goal of their own."""
    rule = book.stages.get(stage) if book else None
    return (rule.goal or rule.meaning) if rule else "describe it honestly"


def caution(case) -> str:
    """What nobody may overlook: prototypes are not production-ready, and whether a contract binds."""
    words = []
    if case.withdrawn_at:
        words.append("withdrawn")
    if case.stage == Stage.PROTOTYPE:
        words.append("not production-ready")
        if not case.contracted:
            words.append("no contract in force")
    return "; ".join(words)


def supported_words(case) -> str:
    """The supported stage in words."""
    if case.supported == "recomputing":
        return "being recomputed"
    return stage_word(case.supported) if case.supported != Stage.PROPOSED else "nothing yet"


def gap_words(counts: dict | None) -> str:
    """ "3 integration, 1 policy": how much is missing, by layer, most first."""
    rows = sorted((counts or {}).items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count} {layer_word(layer).lower()}" for layer, count in rows)


def owner_words(case) -> str:
    """The accepted owner by name, or which kind of nobody."""
    return case.owner_name or ("vacant" if case.ever_owned else "no owner here yet")


def _test(outcome: bool | None, known: bool) -> str:
    return ("passes" if outcome else "does not pass") if known and outcome is not None else "not known"
