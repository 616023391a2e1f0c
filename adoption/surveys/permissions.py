"""Who may ask users, and when, as answers that carry their reasons."""

from datetime import timedelta

from adoption.models import AnswerBox, Survey
from adoption.surveys import question_sets
from adoption.surveys.disclosure_control import LEAST
from governance import clock
from governance.models import User
from governance.permission_result import Answer, all_of, no, yes
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.models import Initiative

APART = timedelta(
    days=28
)  # between two surveys of an initiative: what moved meanwhile is no longer one person


def may_run(initiative: Initiative, person: User) -> Answer:
    """Write a survey, hand out its links, close it: the owner."""
    return initiative_permissions.may_manage(initiative, person)


def may_change(survey: Survey, person: User) -> Answer:
    """Change what it asks and whom: while it is a draft."""
    if survey.state != Survey.DRAFT:
        return no(
            f"This survey is {survey.get_state_display().lower()}; what it asks no longer changes.",
            "Write another.",
        )
    return may_run(survey.initiative, person)


def may_open(survey: Survey, person: User) -> Answer:
    """Hand out its links: a draft that asks five people or more, the only open one, four weeks after the last."""
    return all_of(may_change(survey, person), _enough(survey), _in_time(survey), _alone(survey))


def _enough(survey: Survey) -> Answer:
    if not question_sets.asked(survey.sets):
        return no("It asks nothing yet.", "Choose at least one set of questions.")
    if survey.invited < LEAST:
        return no(
            f"It invites {survey.invited} people. Under {LEAST} nothing could be shown, or everybody would be known.",
            f"Invite {LEAST} or more; small teams are asked together.",
        )
    return yes()


def _in_time(survey: Survey) -> Answer:
    if survey.closes < clock.today():
        return no("The last day for answers has passed.", "Set a later one.")
    return yes()


def _alone(survey: Survey) -> Answer:
    others = Survey.objects.filter(initiative=survey.initiative_id).exclude(pk=survey.pk)
    if others.filter(state=Survey.OPEN).exists():
        return no("Another survey of this initiative is open.", "Close it first.")
    last = others.filter(state=Survey.CLOSED).order_by("-closed_at").first()
    if last is not None and clock.now() - last.closed_at < APART:
        first = clock.local_day(last.closed_at + APART)
        return no(
            f"The last survey was closed on {clock.local_day(last.closed_at):%-d %B %Y}. Two so near each other could "
            "be subtracted from each other, and nobody wants to be asked twice a month.",
            f"Open this one from {first:%-d %B %Y} on.",
        )
    return yes()


def may_replace_links(survey: Survey, person: User) -> Answer:
    """Make all its links anew: while it is open and nobody has answered, or somebody could answer twice."""
    if survey.state != Survey.OPEN:
        return no("Only an open survey has links.")
    box = AnswerBox.objects.filter(survey=survey).first()
    if box is None or any(box.answered.values()):
        return no(
            "Somebody has answered. New links could be used by whoever answered already.",
            "Close it when enough have answered, and ask again next quarter.",
        )
    return may_run(survey.initiative, person)


def may_close(survey: Survey, person: User) -> Answer:
    """End it and publish: while it is open."""
    if survey.state != Survey.OPEN:
        return no("It is not open.")
    return may_run(survey.initiative, person)
