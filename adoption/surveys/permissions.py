"""Permissions to ask users, with the times, as answers that carry their reasons."""

from datetime import timedelta

from adoption.models import AnswerBox, Survey
from adoption.surveys import question_sets
from adoption.surveys.disclosure_control import LEAST
from governance import clock
from governance.models import User
from governance.permission_result import Answer, all_of, no, yes
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.models import Initiative

APART = timedelta(
    days=28
)  # between two surveys of an initiative: what moved meanwhile is no longer one person


def may_run(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may write a survey, hand out its links and close it. The owner may."""
    return initiative_permissions.may_manage(initiative, person)


def may_change(survey: Survey, person: User) -> Answer:
    """Return whether the person may change its questions and people. It must be a draft."""
    if survey.state != Survey.DRAFT:
        return no(
            phrase(
                "This survey is {}, so it can no longer be edited.",
                label(survey.get_state_display(), inside=True),
            ),
            "Write another survey.",
        )
    return may_run(survey.initiative, person)


def may_open(survey: Survey, person: User) -> Answer:
    """Return whether the person may open it. It needs five people, no other open one, four weeks after the last."""
    return all_of(may_change(survey, person), _enough(survey), _in_time(survey), _alone(survey))


def _enough(survey: Survey) -> Answer:
    if not question_sets.asked(survey.sets):
        return no("The survey has no questions yet.", "Choose at least one set of questions.")
    if survey.invited < LEAST:
        return no(
            phrase(
                "The survey invites {} people. If fewer than {} people are asked, others could find "
                "out who gave which answer.",
                survey.invited,
                LEAST,
            ),
            phrase("Invite {} people or more. Plumbline combines small teams.", LEAST),
        )
    return yes()


def _in_time(survey: Survey) -> Answer:
    if survey.closes < clock.today():
        return no("The last day for answers has passed.", "Set a later day.")
    return yes()


def _alone(survey: Survey) -> Answer:
    others = Survey.objects.filter(initiative=survey.initiative_id).exclude(pk=survey.pk)
    if others.filter(state=Survey.OPEN).exists():
        return no("Another survey of this initiative is open.", "First close that survey.")
    last = others.filter(state=Survey.CLOSED).order_by("-closed_at").first()
    if last is not None and clock.now() - last.closed_at < APART:
        first = clock.local_day(last.closed_at + APART)
        return no(
            phrase(
                "The last survey was closed on {}. Two surveys in a short time could reveal single answers.",
                clock.local_day(last.closed_at),
            ),
            phrase("Open this survey on {} or later.", first),
        )
    return yes()


def may_replace_links(survey: Survey, person: User) -> Answer:
    """Return whether the person may replace its links. It must be open and unanswered, or people could answer twice."""
    if survey.state != Survey.OPEN:
        return no("This survey is not open, so it has no links.")
    box = AnswerBox.objects.filter(survey=survey).first()
    if box is None or any(box.answered.values()):
        return no(
            "Someone has answered already, and could answer again with a new link.",
            "Close the survey when enough people have answered, and ask again next quarter.",
        )
    return may_run(survey.initiative, person)


def may_close(survey: Survey, person: User) -> Answer:
    """Return whether the person may close and publish it. It must be open."""
    if survey.state != Survey.OPEN:
        return no("This survey is not open.")
    return may_run(survey.initiative, person)
