"""The kinds of reports and their differences: judges, outcomes, questions, days.

Everything else about a report is the same for all kinds: `actions.receive`, `actions.judge`, the page, the list, the
inbox line and the reminder.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from adoption.adoption_seat import OPERATING, SEAT, TREATING
from adoption.models import BehaviourReport, IncidentDraft, ProblemReport
from adoption.models.reports import ANSWERED, BEHAVIOUR_REPORT, INCIDENT, OVER, Report
from adoption.reports import permissions
from governance.models import User
from governance.permission_result import Answer
from governance.templatetags.plumbline import day, moment
from governance.vocabulary import Role
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.reminders.recipients import Circle
from initiatives.models import Initiative


@dataclass(frozen=True)
class Outcome:
    """An outcome that a person may choose for a report. `words`: the button and the title of its page."""

    key: str
    words: str
    done: str
    happens: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """One kind of report.

    `news` begins a message, and `asks` is its request to those who judge. Reminders come `days` after the report.
    `answer` and `answer_help` label the answer's field, which starts with `first_words`. `facts` are terms and words of
    its page, never the reporter. `ask_source` is the page's offer to ask for the reporter, or "".
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
    "seen": lazy("Someone saw it"),
    "told": lazy("Someone was told"),
    "figures": lazy("Someone read figures"),
}


def _of_behaviour_report(row: BehaviourReport) -> list[tuple[str, str]]:
    by_whom = _("computed from measurements") if row.computed else _("reporter protected")
    much = f"{row.share} % of the group" if row.share is not None else row.get_extent_display()
    return [
        (_("Report"), row.words),
        (_("Seen on"), day(row.observed_on)),
        (_("Extent"), much),
        (_("Source"), KNOWN_BY.get(row.source) or row.get_source_display()),
        (_("Reported"), f"{day(row.reported_on)}, {by_whom}"),
        (_("Ended"), f"{day(row.ended_at)}: {row.ended_why}" if row.ended_at else ""),
    ]


def _of_problem(row: ProblemReport) -> list[tuple[str, str]]:
    return [
        (_("Report"), row.what),
        (_("The AI said or did"), row.output),
        (_("Happened"), day(row.happened_on) if row.happened_on else _("not stated")),
        (_("Harm"), row.get_harm_display()),
        (_("Reported"), f"{day(row.reported_on)}, {_('reporter unknown')}"),
    ]


def _of_draft(row: IncidentDraft) -> list[tuple[str, str]]:
    return [
        (_("Rule"), row.rule),
        (_("Severity in the words of the sender"), row.severity),
        (_("Start, according to the monitoring"), moment(row.started_at)),
        (_("Reported"), moment(row.opened_at)),
    ]


AN_INCIDENT = Outcome(
    INCIDENT,
    "Make it an incident",
    "The report belongs to this incident now.",
    ("Severity 1 and 2 void evidence and require a post-mortem, as for any incident.",),
)
KINDS = {
    kind.model.slug: kind
    for kind in (
        Kind(
            model=BehaviourReport,
            news=phrase("Used against people"),
            asks=(
                "The chair or the adoption seat must answer this report. The adoption test fails until the "
                "report is answered."
            ),
            verb="Answer for the board",
            answer="The board's answer",
            answer_help=(
                "Describe what is done, by which person, and until which day. Everyone who can open the "
                "initiative reads it."
            ),
            may_judge=permissions.may_answer,
            judges=permissions.answerers,
            reminded=lambda circle, initiative: [circle.chair(initiative), *circle.holders(initiative, SEAT)],
            days=(3, 7),
            outcomes=(
                Outcome(ANSWERED, "Answer for the board", "The board's answer is saved."),
                AN_INCIDENT,
                Outcome(
                    OVER,
                    "Mark as ended",
                    "The behaviour is marked as ended by the board.",
                    (
                        (
                            "The report no longer counts in the adoption test. The report and the "
                            "board's answer stay visible."
                        ),
                    ),
                ),
            ),
            facts=_of_behaviour_report,
            ask_source="Ask who reported it",
        ),
        Kind(
            model=ProblemReport,
            news=phrase("A user reported a problem"),
            asks="Make the report a behaviour report or an incident, or answer the reporter.",
            verb=phrase("Read the report"),
            answer="Your answer to the reporter",
            answer_help="The reporter reads your answer at the answer link. Describe what you do about the problem.",
            may_judge=permissions.may_keep_link,
            judges=lambda initiative: permissions.holding(initiative, TREATING),
            reminded=_in_roles(TREATING),
            days=(3, 7),
            outcomes=(
                AN_INCIDENT,
                Outcome(
                    BEHAVIOUR_REPORT,
                    "Make it a behaviour report",
                    "The problem is now a behaviour report.",
                    (
                        "The text of the report becomes the text of the behaviour report. The "
                        "reporter stays unknown.",
                    ),
                ),
                Outcome(ANSWERED, "Answer and close it", "The report is answered."),
            ),
            facts=_of_problem,
            ask_source="Ask how to reach the reporter",
        ),
        Kind(
            model=IncidentDraft,
            news=phrase("Monitoring reports a possible incident"),
            asks="Make the draft an incident, or dismiss it with a reason.",
            verb="Judge the draft",
            answer="Your judgement",
            answer_help="Your text is kept with the alerts.",
            may_judge=permissions.may_operate,
            judges=lambda initiative: permissions.holding(initiative, OPERATING),
            reminded=_in_roles(OPERATING),
            days=(1, 3, 7),
            outcomes=(
                AN_INCIDENT,
                Outcome(
                    ANSWERED,
                    "Dismiss the draft",
                    "The draft is dismissed.",
                    (
                        (
                            "The next alert of this rule makes a new draft. You can change the meaning "
                            "of alerts."
                        ),
                    ),
                ),
            ),
            facts=_of_draft,
            first_words="The draft is now an incident.",
        ),
    )
}


def kind_of(report: Report) -> Kind:
    """Return the kind of this report."""
    return KINDS[report.slug]


def outcomes_of(report: Report) -> list[Outcome]:
    """Return the outcomes that are still possible. A judged report can only be ended."""
    if report.finished:
        return []
    outcomes = kind_of(report).outcomes
    return [one for one in outcomes if report.judged_at is None or one.key == OVER]
