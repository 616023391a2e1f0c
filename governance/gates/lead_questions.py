"""The three questions that an initiative leads with: is its contract clear, are its layers auditable, is its adoption
honest.

Source: S0-30 (ask these, not whether the plan is ambitious). Pure, like `gates`: worked out from the states of the
requirements, so the answer of another day is the answer of that day's facts.
"""

from dataclasses import dataclass
from datetime import datetime

from governance.gates.gate_inputs import Facts
from governance.gates.requirements import State
from governance.permission_result import ended
from governance.rulebook import ParsedRulebook
from governance.rulebook.pairings import PAIRINGS

YES, NOT_YET, NO = "yes", "not yet", "no"
# S0-30, by the groups of the rulebook.
GROUPS = PAIRINGS["lead_questions"]
# States in which somebody has said or shown that it is not so; all others are open.
DENIED = ("no", "failing")


@dataclass(frozen=True)
class Lead:
    """One of the three questions with its answer, the reason in a sentence, and the requirement that fixes it.

    `fix` is "" where nothing is to be fixed, and "contract" where there is no contract at all yet. `denied`: somebody
    said so; else a *no* comes from an approved stage that asks for what is not there.
    """

    group: str
    question: str
    answer: str
    reason: str
    fix: str = ""
    denied: bool = False


def leads(
    facts: Facts, rulebook: ParsedRulebook, states: dict[str, State], asked: set[str], at: datetime
) -> tuple[Lead, ...]:
    """The three questions, answered at `at`. `asked`: keys that the approved stage asks for (`supported_stage.asked`).

    *Yes*: everything of its group is shown. *No*: somebody says that it is not so, or the approved stage rests on it
    and it is not there. *Not yet* else; for imported stages too, which accuse nobody before anything was asked here.
    """
    return tuple(_lead(facts, rulebook, states, asked, at, group) for group in GROUPS)


def _lead(
    facts: Facts,
    rulebook: ParsedRulebook,
    states: dict[str, State],
    asked: set[str],
    at: datetime,
    group: str,
) -> Lead:
    question = GROUPS[group]
    keys = [key for key, row in rulebook.requirements.items() if row.group == group]
    if not keys:
        return Lead(group, question, NOT_YET, "This rulebook asks nothing about it.")
    shown = [key for key in keys if states[key].satisfied and states[key].state != "waived"]
    if len(shown) == len(keys):
        return Lead(group, question, YES, f"All {len(keys)} requirements on it are answered and met.")
    missing = [key for key in keys if key not in shown]
    denied = [key for key in missing if states[key].state in DENIED]
    wanted = [key for key in missing if key in asked and not facts.imported]
    answer = NO if denied or wanted else NOT_YET
    if group == "contract" and not any(version.in_force_at(at) for version in facts.contracts):
        return Lead(group, question, answer, "No contract is in force.", "contract", bool(denied))
    first = (denied or wanted or missing)[0]
    reason = (
        f"{len(missing)} of {len(keys)} open. {rulebook.requirements[first].question} {states[first].words}"
    )
    return Lead(group, question, answer, ended(reason.strip()), first, bool(denied))
