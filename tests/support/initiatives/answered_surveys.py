"""Surveys for tests: written, opened and answered as people do it."""

from datetime import timedelta
from urllib.parse import urlsplit

from django.test import Client

from adoption.models import Survey
from adoption.surveys import actions as survey_actions
from adoption.surveys import question_sets, survey_submission
from governance import clock

TEAMS = [{"name": "Claims north", "invited": 8}, {"name": "Claims south", "invited": 7}]
SETS = ["useful", "why"]


def make_survey(cast, initiative, **fields) -> Survey:
    """A draft."""
    given = {
        "title": "Reply drafts, autumn",
        "language": "en",
        "sets": SETS,
        "teams": TEAMS,
        "closes": clock.today() + timedelta(days=14),
    }
    return survey_actions.write(initiative=initiative, by=cast.owner, **(given | fields))


def opened(cast, initiative, **fields) -> tuple[Survey, dict[str, list[str]]]:
    """An open survey, and by team the paths of its links."""
    survey = make_survey(cast, initiative, **fields)
    paths: dict[str, list[str]] = {}
    for link in survey_actions.open_survey(survey=survey, by=cast.owner):
        paths.setdefault(link.team, []).append(urlsplit(link.address).path)
    return Survey.objects.get(pk=survey.pk), paths


def put(path: str, step: int = 4, *, comment: str = "", sets: list[str] = SETS, skipped: tuple = ()) -> bool:
    """Answer by the link, past the page: the same step to every question."""
    invitation = survey_submission.invitation_of(path.strip("/").split("/")[-1], "192.0.2.1")
    steps = {question.key: step for question in question_sets.asked(sets) if question.key not in skipped}
    return invitation is not None and survey_submission.answer(
        invitation=invitation, steps=steps, comment=comment
    )


def send(
    path: str, step: int = 4, *, client: Client | None = None, lang: str = "", comment: str = "", sets=SETS
):
    """Answer by the page."""
    typed = {question.key: step for question in question_sets.asked(sets)}
    query = f"?lang={lang}" if lang else ""
    return (client or Client()).post(f"{path}{query}", typed | {"comment": comment})


def closed(cast, initiative, answers: list[tuple[str, int]], **fields) -> Survey:
    """A closed survey with these answers (team, step)."""
    survey, paths = opened(cast, initiative, **fields)
    for team, step in answers:
        put(paths[team].pop(), step, sets=survey.sets)
    return survey_actions.close(survey=survey, by=cast.owner)
