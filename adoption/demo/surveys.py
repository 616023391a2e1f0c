"""Surveys of the demo: people answer by link, each once, and what they answer is drawn."""

from datetime import timedelta

from adoption.demo.chapters import Tale
from adoption.models import Survey
from adoption.surveys import actions as survey_actions
from adoption.surveys import question_sets, survey_submission
from governance import clock


def ask(
    tale: Tale,
    opened: int,
    closed: int | None,
    *,
    title: str,
    teams: dict[str, tuple[int, int]],
    mood: float,
    said,
) -> Survey:
    """A survey opened `opened` days ago and, if it was, closed `closed` days ago.

    `teams`: how many were invited and how many of them answered; `mood`: from 0 to 1, how well it goes on the whole;
    `said`: comments.
    """
    comments = list(said)
    with tale.day(opened):
        survey = survey_actions.write(
            initiative=tale.again(),
            title=title,
            language="en",
            sets=["load", "useful", "why", "undo", "around"],
            teams=[{"name": name, "invited": invited} for name, (invited, _) in teams.items()],
            closes=clock.today() + timedelta(days=14),
            by=tale.team.owner,
        )
        by_team: dict[str, list] = {}
        for link in survey_actions.open_survey(survey=survey, by=tale.team.owner):
            by_team.setdefault(link.team, []).append(link.address.rstrip("/").rpartition("/")[2])
        survey = Survey.objects.get(pk=survey.pk)
        for name, (_, answering_now) in teams.items():
            for token in by_team[name][:answering_now]:
                survey_submission.answer(
                    invitation=survey_submission.invitation_of(token, None),
                    steps={
                        question.key: _step(tale, question, mood)
                        for question in question_sets.asked(survey.sets)
                    },
                    comment=comments.pop() if comments else "",
                )
    if closed is not None:
        with tale.day(closed):
            survey_actions.close(survey=survey, by=tale.team.owner)
    return survey


def _step(tale: Tale, question: question_sets.Question, mood: float) -> int:
    """A step around the mood; where agreeing is bad, and for the load of work, around its opposite."""
    worse = question.against or question.key.startswith("load.")
    wanted = (1 - mood if worse else mood) + tale.random.gauss(0, 0.16)
    return 1 + round(min(max(wanted, 0), 1) * (question.steps - 1))
