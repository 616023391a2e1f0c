"""The portfolio as a table for spreadsheets, with stage and goal on each row."""

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse

from governance import clock
from governance.audit_log import csv_export, workbook_export
from governance.gates.gate_inputs import without_words
from governance.models import Rulebook
from governance.rulebook import ParsedRulebook
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import ScaleTestOutcome, Stage
from initiatives.lifecycle.facts import open_requirements
from initiatives.lifecycle.facts.open_requirements import FOR
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
    "Basis of the approved stage",
    "Supported stage",
    "Not supported",
    "Governance test",
    "Integration test",
    "Adoption test",
    "Runs without",
    "Levels of answers",
    "Open requirements, approved stage",
    "Open requirements, next gate",
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
    """Return the portfolio as CSV. `filters` annotated support, people and contract."""
    return csv_export.stream("portfolio", HEADING, _rows(initiatives, rulebook), of=of, by=by)


def portfolio_workbook(
    initiatives: QuerySet, rulebook: ParsedRulebook | None, *, of: str = "", by
) -> HttpResponse:
    """Return the same as a workbook."""
    return workbook_export.workbook("portfolio", HEADING, _rows(initiatives, rulebook), of=of, by=by)


def annotated(initiatives: QuerySet, rulebook: Rulebook | None, moment) -> QuerySet:
    """Return initiatives with the fields of a row of the export."""
    initiatives = filters.with_supported_stage(initiatives, rulebook, moment)
    return filters.with_people(filters.with_contract(initiatives, moment))


def compared(initiative: Initiative, rulebook: ParsedRulebook | None) -> dict[str, str]:
    """Return the exported cells that no sheet changes, by header, as they are written.

    The days in stage are left out, because they change daily. `initiative` as `annotated` has it.
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
        "reported by an import, without evidence here"
        if initiative.imported
        else initiative.basis.replace("_", " "),
        supported_words(initiative),
        initiative.label if known else "",
        _test(initiative.governance, known),
        _test(initiative.integration, known),
        _test(initiative.adoption, known),
        runs_without_words(initiative) if known else "",
        profile_words(initiative.profile) if known else "",
        *(open_requirements.total(initiative.open_requirements, which) if known else "" for which in FOR),
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
    """Return the goal of the stage in the rulebook, or a default without a rule."""
    rule = rulebook.stages.get(stage) if rulebook else None
    return (rule.goal or rule.meaning) if rule else "describe it honestly"


def caution(initiative) -> str:
    """Return the cautions in words: withdrawn, not production-ready, or no contract."""
    words = []
    if initiative.withdrawn_at:
        words.append("withdrawn")
    if initiative.stage == Stage.PROTOTYPE:
        words.append("not production-ready")
        if not initiative.contracted:
            words.append("no contract in force")
    return "; ".join(words)


def supported_words(initiative) -> str:
    """Return the supported stage in words."""
    if initiative.supported == "recomputing":
        return "being recomputed"
    return stage_word(initiative.supported) if initiative.supported != Stage.PROPOSED else "no stage yet"


def owner_words(initiative) -> str:
    """Return the name of the accepted owner, or why there is none."""
    return initiative.owner_name or ("vacant" if initiative.ever_owned else "no owner here yet")


def runs_without_words(initiative) -> str:
    """Return what production runs without, in words, or "" for other stages."""
    return without_words(initiative.runs_without or ()) if initiative.stage == Stage.PRODUCTION else ""


def _test(outcome: str | None, known: bool) -> str:
    return ScaleTestOutcome.word(outcome) if known and outcome else "not known"
