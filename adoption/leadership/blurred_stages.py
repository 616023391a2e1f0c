"""Where stages are blurred: of each case that claims more than its proof supports, which of nine matters say so.

Source: S2-4.1 to S2-4.9. The standards are `governance.gates.standards`; here they are asked of many cases at once.
"""

from dataclasses import dataclass
from datetime import datetime

from governance.database.request_memo import one_look
from governance.gates import criteria
from governance.gates.gate_inputs import Facts
from governance.gates.standards import NOT_MET, standard_of
from governance.models import Rulebook
from initiatives.facts import case_rows, supported_stage
from initiatives.models import Initiative

MATTERS = {
    "funding": "Funding",
    "staffing": "Staffing",
    "support_ownership": "Support ownership",
    "logging": "Logging",
    "workflow_integration": "Workflow integration",
    "risk_management": "Risk management",
    "user_expectations": "User expectations",
    "governance": "Governance",
    "promotion_criteria": "Promotion criteria",
}
MOST = 100  # cases judged for one page; beyond that it says so


@dataclass(frozen=True)
class Judged:
    """A case with its facts and the state of every requirement at the moment asked for."""

    case: Initiative
    facts: Facts
    states: dict[str, criteria.State]
    book: object

    def missing(self, test: str) -> list[str]:
        """The questions of a scale test that are not satisfied, in the words of the rulebook."""
        items = self.book.scale_tests[test].items
        return [
            self.book.requirements[key].question
            for key in items
            if not self.states[key].satisfies("production")
        ]


@dataclass(frozen=True)
class Blurred:
    """A case that claims more than its proof supports, and the matters on which its stage expects more."""

    case: Initiative
    matters: tuple[str, ...]


def judged(cases: list[Initiative], rulebook: Rulebook, now: datetime) -> list[Judged]:
    """These cases with what a gate would look at, read together."""
    with one_look():
        case_rows.read_together(cases)
        found = []
        for case in cases:
            facts = supported_stage.facts_of(case)
            found.append(Judged(case, facts, criteria.states_at(facts, rulebook.book, now), rulebook.book))
    return found


def blurred(cases: list[Initiative], rulebook: Rulebook, now: datetime) -> list[Blurred]:
    """Of each of these cases the matters whose standard for the claimed stage is not met."""
    return [
        Blurred(
            one.case,
            tuple(
                matter
                for matter in MATTERS
                if standard_of(one.facts, one.book, one.states, matter, one.case.stage, now).mark == NOT_MET
            ),
        )
        for one in judged(cases, rulebook, now)
    ]
