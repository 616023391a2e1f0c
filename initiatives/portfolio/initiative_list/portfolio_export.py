"""The portfolio as a table for spreadsheets: stage and goal on every row, approved beside supported."""

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse

from governance import clock
from governance.audit_log import csv_export, workbook_export
from governance.models import Rulebook
from governance.rulebook import ParsedRulebook
from governance.templatetags.plumbline import layer_word, stage_word
from governance.vocabulary import Stage
from initiatives.lifecycle.facts.wording import profile_words
from initiatives.models import Initiative
from initiatives.portfolio.initiative_list import filters

HEADING = [
    "Reference",
    "Title",
    "Unit",
    "Approved stage",
    "Goal of the stage",
    "Note",
    "Approved stage rests on",
    "Supported stage",
    "Not supported",
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
    "stage": "Approved stage",
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


def portfolio(
    initiatives: QuerySet, rulebook: ParsedRulebook | None, *, of: str = "", by
) -> StreamingHttpResponse:
    """The initiatives of the portfolio, as `filters.with_supported_stage`, `with_people` and `with_contract` annotated
    them.
    """
    return csv_export.stream("portfolio", HEADING, _rows(initiatives, rulebook), of=of, by=by)


def portfolio_workbook(
    initiatives: QuerySet, rulebook: ParsedRulebook | None, *, of: str = "", by
) -> HttpResponse:
    """The same as a workbook."""
    return workbook_export.workbook("portfolio", HEADING, _rows(initiatives, rulebook), of=of, by=by)


def annotated(initiatives: QuerySet, rulebook: Rulebook | None, moment) -> QuerySet:
    """Initiatives with all that a row of the export says of them."""
    initiatives = filters.with_supported_stage(initiatives, rulebook, moment)
    return filters.with_people(filters.with_contract(initiatives, moment))


def compared(initiative: Initiative, rulebook: ParsedRulebook | None) -> dict[str, str]:
    """What the export says of the initiative that no sheet changes, by header, as its cells are written.

    Without the days in stage, which are others tomorrow. `initiative` as `annotated` has it.
    """
    words = {EXPORTED_AS[role] for role in WORDS} | {"Reference", "Days in stage"}
    cells = zip(HEADING, _row(initiative, rulebook, clock.now()), strict=True)
    return {header: str(csv_export.safe(cell)) for header, cell in cells if header not in words}


def _rows(initiatives: QuerySet, rulebook: ParsedRulebook | None):
    now = clock.now()
    for initiative in initiatives.select_related("business_case").iterator(chunk_size=CHUNK):
        yield _row(initiative, rulebook, now)


def _row(initiative: Initiative, rulebook: ParsedRulebook | None, now) -> list:
    known = initiative.supported != "recomputing"
    said = getattr(initiative, "business_case", None)
    return [
        initiative.ref,
        initiative.title,
        initiative.unit_name,
        stage_word(initiative.stage),
        goal_of(rulebook, initiative.stage),
        caution(initiative),
        "an import, not evidenced here" if initiative.imported else initiative.basis.replace("_", " "),
        supported_words(initiative),
        initiative.label if known else "",
        _test(initiative.governance, known),
        _test(initiative.integration, known),
        _test(initiative.adoption, known),
        profile_words(initiative.profile) if known else "",
        gap_words(initiative.gap_counts) if known else "",
        initiative.held,
        owner_words(initiative),
        initiative.get_tier_display() or "not confirmed",
        clock.local_day(initiative.since),
        (now - initiative.since).days,
        initiative.next_due,
        initiative.problem,
        *(getattr(said, name, None) for name in WORDS[2:]),
    ]


def goal_of(rulebook: ParsedRulebook | None, stage: str) -> str:
    """What the rulebook says the stage is for; ideas and closed initiatives have no goal of their own."""
    rule = rulebook.stages.get(stage) if rulebook else None
    return (rule.goal or rule.meaning) if rule else "describe it honestly"


def caution(initiative) -> str:
    """What nobody may overlook: prototypes are not production-ready, and whether a contract binds."""
    words = []
    if initiative.withdrawn_at:
        words.append("withdrawn")
    if initiative.stage == Stage.PROTOTYPE:
        words.append("not production-ready")
        if not initiative.contracted:
            words.append("no contract in force")
    return "; ".join(words)


def supported_words(initiative) -> str:
    """The supported stage in words."""
    if initiative.supported == "recomputing":
        return "being recomputed"
    return stage_word(initiative.supported) if initiative.supported != Stage.PROPOSED else "nothing yet"


def gap_words(counts: dict | None) -> str:
    """ "3 integration, 1 policy": how much is missing, by layer, most first."""
    rows = sorted((counts or {}).items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count} {layer_word(layer).lower()}" for layer, count in rows)


def owner_words(initiative) -> str:
    """The accepted owner by name, or which kind of nobody."""
    return initiative.owner_name or ("vacant" if initiative.ever_owned else "no owner here yet")


def _test(outcome: bool | None, known: bool) -> str:
    return ("passes" if outcome else "does not pass") if known and outcome is not None else "not known"
