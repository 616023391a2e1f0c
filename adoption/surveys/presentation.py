"""What the pages and the export of a survey say, from what was published: questions, sets, teams, trend, and what it
means for the conditions of adoption.
"""

from collections.abc import Iterator
from datetime import date

from adoption.models import Survey
from adoption.surveys import question_sets
from adoption.surveys.disclosure_control import LEAST, of_set
from adoption.surveys.permissions import APART
from adoption.surveys.question_sets import QuestionSet
from governance import clock
from governance.models import Rulebook

MIDDLE = 50  # of the scale: neither agreed nor disagreed
TOO_FEW = f"fewer than {LEAST} answered"


def asked(survey: Survey) -> list[QuestionSet]:
    """The sets a survey asks that are known here."""
    return [one for key, one in question_sets.SETS.items() if key in survey.sets]


def turnout(survey: Survey, answered: dict | None = None) -> list[dict]:
    """By team, how many were invited, answered and did not; `answered` of an open survey comes from its box."""
    rows = []
    for place, team in enumerate(survey.teams):
        n = team.get("answered", 0) if answered is None else answered.get(str(place), 0)
        rows.append(
            {"name": team["name"], "invited": team["invited"], "answered": n, "silent": team["invited"] - n}
        )
    whole = {name: sum(row[name] for row in rows) for name in ("invited", "answered", "silent")}
    return [*rows, {"name": "Everybody", "whole": True} | whole]


def figure_of(survey: Survey, one: QuestionSet) -> dict | None:
    """What a survey says of a set as a whole; None where it is insufficient."""
    if not survey.results or one.key not in survey.sets:
        return None
    questions = survey.results["questions"]
    return of_set(
        [(questions.get(question.key, {}).get("all"), question.against) for question in one.questions]
    )


def before(survey: Survey) -> Survey | None:
    """The newest survey of the initiative that was closed before this one and has results."""
    return (
        Survey.objects.filter(initiative=survey.initiative_id, pk__lt=survey.pk, results__isnull=False)
        .order_by("-pk")
        .first()
    )


def results(survey: Survey, earlier: Survey | None) -> list[dict]:
    """By set: its figure, its questions with their parts, what it speaks to and what it says there."""
    if not survey.results:
        return []
    requirements = Rulebook.objects.current().parsed.requirements
    names = [team["name"] for team in survey.teams]
    found = []
    for one in asked(survey):
        figure = figure_of(survey, one)
        then = figure_of(earlier, one) if earlier else None
        questions = [
            {
                "question": question,
                "all": survey.results["questions"][question.key]["all"],
                "parts": [
                    part | {"name": "; ".join(names[place] for place in part["teams"])}
                    for part in survey.results["questions"][question.key]["parts"]
                ],
            }
            for question in one.questions
            if question.key in survey.results["questions"]
        ]
        found.append(
            {
                "set": one,
                "figure": figure,
                "says": says(one, figure, then),
                "speaks_to": [requirements[key] for key in one.speaks_to if key in requirements],
                "questions": questions,
                "by_team": f"{one.title}, by team" if any(row["parts"] for row in questions) else "",
            }
        )
    return found


def says(one: QuestionSet, figure: dict | None, then: dict | None) -> tuple[str, str]:
    """What a figure means for the conditions its set speaks to, in words, and their tone. It is never a pass."""
    if figure is None:
        return f"Insufficient: {TOO_FEW} a question of it. It says nothing, for or against.", ""
    if not one.more_is:
        return _moved(figure, then)
    if figure["low"] > MIDDLE:
        return "Speaks for it: the whole interval lies above the middle.", "ok"
    if figure["high"] < MIDDLE:
        return "Speaks against it: the whole interval lies below the middle.", "bad"
    return "Leaves it open: the interval takes in the middle. More answers would narrow it.", "warn"


def _moved(figure: dict, then: dict | None) -> tuple[str, str]:
    if then is None:
        return "A first figure. It speaks once there is another of the same work to compare it with.", ""
    if figure["high"] < then["low"]:
        return f"Less than in the survey before ({then['mean']:g}): the two intervals do not meet.", "ok"
    if figure["low"] > then["high"]:
        return f"More than in the survey before ({then['mean']:g}): the two intervals do not meet.", "bad"
    return f"No difference shown from the survey before ({then['mean']:g}): the two intervals meet.", "warn"


def comments(survey: Survey) -> list:
    """What people wrote, in the random order in which it was laid down; nothing under five answers."""
    return list(survey.comments.order_by("pk")) if survey.results else []


def trend(rows: list[Survey]) -> list[dict]:
    """By set, its figures in the closed surveys that asked it, the newest first."""
    found = []
    for one in question_sets.SETS.values():
        figures = [{"survey": row, "figure": figure_of(row, one)} for row in rows if one.key in row.sets]
        if figures:
            found.append({"set": one, "figures": figures})
    return found


def next_from(rows: list[Survey]) -> date | None:
    """The first day on which another survey may be opened, where that is still ahead."""
    last = max((row.closed_at for row in rows if row.closed_at), default=None)
    if last is None or clock.now() - last >= APART:
        return None
    return clock.local_day(last + APART)


def lines(survey: Survey) -> Iterator[tuple]:
    """The published figures as rows of a table; none where there are none."""
    head = (
        survey.initiative.ref,
        survey.title,
        clock.local_day(survey.closed_at) if survey.closed_at else None,
    )
    for row in turnout(survey) if survey.state == Survey.CLOSED else []:
        yield *head, "", f"answered of {row['invited']} invited", row["name"], row["answered"], *[None] * 4
    for found in results(survey, None):
        for row in found["questions"]:
            everybody = {"name": "Everybody"} | (row["all"] or {"n": TOO_FEW})
            for part in [everybody, *row["parts"]]:
                figures = [part.get(name) for name in ("n", "mean", "sd", "low", "high")]
                yield *head, found["set"].title, str(row["question"].text), part["name"], *figures
