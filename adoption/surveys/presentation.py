"""The published results for pages and export: questions, sets, teams, trend, meaning."""

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
    """Return the sets of a survey that are known here."""
    return [one for key, one in question_sets.SETS.items() if key in survey.sets]


def turnout(survey: Survey, answered: dict | None = None) -> list[dict]:
    """Return the turnout by team: invited, answered, silent. `answered` of an open survey comes from its box."""
    rows = []
    for place, team in enumerate(survey.teams):
        n = team.get("answered", 0) if answered is None else answered.get(str(place), 0)
        rows.append(
            {"name": team["name"], "invited": team["invited"], "answered": n, "silent": team["invited"] - n}
        )
    whole = {name: sum(row[name] for row in rows) for name in ("invited", "answered", "silent")}
    return [*rows, {"name": "Everybody", "whole": True} | whole]


def figure_of(survey: Survey, one: QuestionSet) -> dict | None:
    """Return the figure of a whole set in a survey, or None if it is insufficient."""
    if not survey.results or one.key not in survey.sets:
        return None
    questions = survey.results["questions"]
    return of_set(
        [(questions.get(question.key, {}).get("all"), question.against) for question in one.questions]
    )


def before(survey: Survey) -> Survey | None:
    """Return the newest earlier survey of the initiative with results."""
    return (
        Survey.objects.filter(initiative=survey.initiative_id, pk__lt=survey.pk, results__isnull=False)
        .order_by("-pk")
        .first()
    )


def results(survey: Survey, earlier: Survey | None) -> list[dict]:
    """Return the results by set: figure, questions with parts, conditions, meaning."""
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
    """Return a figure's meaning for the conditions of its set, and its tone. It is never a pass."""
    if figure is None:
        return f"Not enough answers: {TOO_FEW} a question of this set. No result is shown.", ""
    if not one.more_is:
        return _moved(figure, then)
    if figure["low"] > MIDDLE:
        return "In favour: the whole interval is above the middle.", "ok"
    if figure["high"] < MIDDLE:
        return "Not in favour: the whole interval is below the middle.", "bad"
    return (
        "Undecided: the interval includes the middle. More answers would make the interval narrower.",
        "warn",
    )


def _moved(figure: dict, then: dict | None) -> tuple[str, str]:
    if then is None:
        return "First figure. Compare this figure with the next survey on the same work.", ""
    if figure["high"] < then["low"]:
        return f"Less than in the last survey ({then['mean']:g}). The two intervals do not overlap.", "ok"
    if figure["low"] > then["high"]:
        return f"More than in the last survey ({then['mean']:g}). The two intervals do not overlap.", "bad"
    return f"No difference from the last survey ({then['mean']:g}). The two intervals overlap.", "warn"


def comments(survey: Survey) -> list:
    """Return the comments in random order, none under five answers."""
    return list(survey.comments.order_by("pk")) if survey.results else []


def trend(rows: list[Survey]) -> list[dict]:
    """Return the figures by set in the closed surveys that asked it, the newest first."""
    found = []
    for one in question_sets.SETS.values():
        figures = [{"survey": row, "figure": figure_of(row, one)} for row in rows if one.key in row.sets]
        if figures:
            found.append({"set": one, "figures": figures})
    return found


def next_from(rows: list[Survey]) -> date | None:
    """Return the first day for another survey, or None if it may be opened now."""
    last = max((row.closed_at for row in rows if row.closed_at), default=None)
    if last is None or clock.now() - last >= APART:
        return None
    return clock.local_day(last + APART)


def lines(survey: Survey) -> Iterator[tuple]:
    """Yield the published figures as rows of a table."""
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
