"""What making an incident of a report would bring, before it is made."""

from adoption.incidents.preview import sentences_of
from adoption.models import ProblemReport
from adoption.user_reports import actions
from governance.models import User


def of_reported(problem: ProblemReport, *, by: User, **fields) -> list[str]:
    """What making an incident of this report would bring; fields as `open_from_problem`."""

    def run(case):
        actions.open_from_problem(problem=problem, by=by, **fields)

    return sentences_of(problem.initiative, run, by)
