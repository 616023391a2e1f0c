"""The kinds of reports and what differs between them: who judges, with which outcomes, what they are asked and when.

Everything else about a report is the same for all kinds: `actions.receive`, `actions.judge`, the page, the list, the
inbox line and the reminder.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from adoption.adoption_seat import SEAT
from adoption.incidents.permissions import OPERATING, TREATING
from adoption.models import BehaviourReport, IncidentDraft, ProblemReport
from adoption.models.reports import ANSWERED, BEHAVIOUR_REPORT, INCIDENT, OVER, Report
from adoption.reports import permissions
from governance.models import User
from governance.permission_result import Answer
from governance.templatetags.plumbline import day, moment
from governance.vocabulary import Role
from initiatives.lifecycle.reminders.recipients import Circle
from initiatives.models import Initiative


@dataclass(frozen=True)
class Outcome:
    """What a person may make of a report. `words`: the button and the title of its page."""

    key: str
    words: str
    done: str
    happens: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """One kind of report.

    `news`: what a message says first; `asks`: what it asks of those who judge; `days`: how long after it came they are
    reminded. `answer` and `answer_help`: how the words of whoever judges are called; `first_words`: what stands there
    until they type. `facts`: terms and words of its page, never who reported it. `ask_source`: how the page offers to
    ask for the reporter; empty where there is none.
    """

    model: type[Report]
    news: str
    asks: str
    verb: str
    answer: str
    answer_help: str
    may_judge: Callable[[Initiative, User], Answer]
    judges: Callable[[Initiative], list[User]]
    reminded: Callable[[Circle, Initiative], Iterable[User | None]]
    days: tuple[int, ...]
    outcomes: tuple[Outcome, ...]
    facts: Callable[[Any], list[tuple[str, str]]]
    first_words: str = ""
    ask_source: str = ""


def _in_roles(roles: tuple[Role, ...]) -> Callable[[Circle, Initiative], Iterable[User | None]]:
    def reminded(circle: Circle, initiative: Initiative) -> Iterable[User | None]:
        there = [circle.role(initiative, role) for role in roles]
        return there if any(there) else circle.in_charge(initiative)

    return reminded


# How a behaviour report is known, as others read it.
KNOWN_BY = {
    "seen": lazy("Somebody saw it"),
    "told": lazy("Somebody was told"),
    "figures": lazy("Somebody read figures"),
}


def _of_behaviour_report(row: BehaviourReport) -> list[tuple[str, str]]:
    by_whom = _("worked out from measurements") if row.computed else _("by whom is protected")
    much = f"{row.share} % of the group" if row.share is not None else row.get_extent_display()
    return [
        (_("What is told"), row.words),
        (_("Seen on"), day(row.observed_on)),
        (_("How much"), much),
        (_("How it is known"), KNOWN_BY.get(row.source) or row.get_source_display()),
        (_("Reported"), f"{day(row.reported_on)}, {by_whom}"),
        (_("No longer so"), f"{day(row.ended_at)}: {row.ended_why}" if row.ended_at else ""),
    ]


def _of_problem(row: ProblemReport) -> list[tuple[str, str]]:
    return [
        (_("What is told"), row.what),
        (_("The AI said or did"), row.output),
        (_("Happened"), day(row.happened_on) if row.happened_on else _("not said")),
        (_("Harm"), row.get_harm_display()),
        (_("Reported"), f"{day(row.reported_on)}, {_('by whom is not known here')}"),
    ]


def _of_draft(row: IncidentDraft) -> list[tuple[str, str]]:
    return [
        (_("Rule"), row.rule),
        (_("Severity, as its sender calls it"), row.severity),
        (_("Began, says the monitoring"), moment(row.started_at)),
        (_("Reported"), moment(row.opened_at)),
    ]


AN_INCIDENT = Outcome(
    INCIDENT,
    "Make it an incident",
    "It belongs to this incident now.",
    ("Severity 1 and 2 end evidence and ask for a post-mortem, as for any incident.",),
)
KINDS = {
    kind.model.slug: kind
    for kind in (
        Kind(
            model=BehaviourReport,
            news="It is used against people",
            asks="The chair or the adoption seat answers, with what is done. Until then the test of adoption fails.",
            verb="Answer for the board",
            answer="The board's answer",
            answer_help="What is done, by whom, until when. Everybody who may open the initiative reads it.",
            may_judge=permissions.may_answer,
            judges=permissions.answerers,
            reminded=lambda circle, initiative: [circle.chair(initiative), *circle.holders(initiative, SEAT)],
            days=(3, 7),
            outcomes=(
                Outcome(ANSWERED, "Answer for the board", "The board's answer stands."),
                AN_INCIDENT,
                Outcome(
                    OVER,
                    "It is no longer so",
                    "It is no longer so, says the board.",
                    (
                        "It no longer weighs on the test of adoption. It stays readable, with what the board says.",
                    ),
                ),
            ),
            facts=_of_behaviour_report,
            ask_source="Ask who reported it",
        ),
        Kind(
            model=ProblemReport,
            news="A user reported a problem",
            asks="Make a behaviour report or an incident of it, or answer it.",
            verb="Read it",
            answer="Your answer to whoever reported it",
            answer_help="They read it under their link. Say what you do about it.",
            may_judge=permissions.may_keep_link,
            judges=lambda initiative: permissions.holding(initiative, TREATING),
            reminded=_in_roles(TREATING),
            days=(3, 7),
            outcomes=(
                AN_INCIDENT,
                Outcome(
                    BEHAVIOUR_REPORT,
                    "Make it a behaviour report",
                    "It is a behaviour report now.",
                    (
                        "Its words become the words of the behaviour report; whoever reported it stays as unknown as "
                        "before.",
                    ),
                ),
                Outcome(ANSWERED, "Answer and close it", "It is answered."),
            ),
            facts=_of_problem,
            ask_source="Ask how to reach whoever reported it",
        ),
        Kind(
            model=IncidentDraft,
            news="The monitoring reports what may be an incident",
            asks="Make it an incident, or dismiss it and say why.",
            verb="Judge it",
            answer="What it is",
            answer_help="It is kept with the alerts.",
            may_judge=permissions.may_operate,
            judges=lambda initiative: permissions.holding(initiative, OPERATING),
            reminded=_in_roles(OPERATING),
            days=(1, 3, 7),
            outcomes=(
                AN_INCIDENT,
                Outcome(
                    ANSWERED,
                    "Dismiss it",
                    "It is dismissed.",
                    (
                        "The next alert of this rule makes another draft. What alerts count as can be changed.",
                    ),
                ),
            ),
            facts=_of_draft,
            first_words="It is an incident.",
        ),
    )
}


def kind_of(report: Report) -> Kind:
    """The kind of this report."""
    return KINDS[report.slug]


def outcomes_of(report: Report) -> list[Outcome]:
    """What can still become of it: of a judged one only that it is no longer so."""
    if report.finished:
        return []
    outcomes = kind_of(report).outcomes
    return [one for one in outcomes if report.judged_at is None or one.key == OVER]
