"""What others learned elsewhere: two lessons in the library, one of them answered by the initiative they are near."""

from datetime import timedelta

from adoption.demo.people import Company
from adoption.lessons import actions as lesson_actions
from governance import clock
from initiatives.models import Initiative

TITLE = "Knowledge article drafts"
FROM_OUTSIDE = (
    {
        "text": "Help articles drafted from solved tickets repeated a wrong fix for months, because nobody owned an"
        " article once it was published.",
        "instead": "Name an owner and a review date for each article before the first draft.",
        "layer": "policy",
        "pattern": "ownership",
        "tags": ["help articles", "ownership"],
        "source": "A report of another company's service desk, read at a user group",
    },
    {
        "text": "Drafts of knowledge articles quoted names out of solved tickets, although the tickets had been"
        " cleared of the fields that hold names.",
        "instead": "Search the free text of tickets for names too, and have a person read the first hundred drafts.",
        "layer": "application",
        "pattern": "data_access",
        "tags": ["personal data"],
        "source": "Public incident: a help centre published customers' names",
    },
)
ANSWER = (
    "The export takes names out of the free text too; Yara read the first two hundred drafts and found none."
)


def elsewhere(company: Company) -> None:
    """An admin enters them, the adoption seat confirms them, the initiative they are near is asked and answers one."""
    initiative, today = Initiative.objects.get(title=TITLE), clock.now()
    with clock.simulated(today - timedelta(days=5)):
        rows = [lesson_actions.enter(**told, by=company["admin"]) for told in FROM_OUTSIDE]
    with clock.simulated(today - timedelta(days=4)):
        for row in rows:
            lesson_actions.confirm(lesson=row, by=company["seat-adoption"])
            lesson_actions.follow_lesson(row.pk)
    with clock.simulated(today - timedelta(days=3)):
        said = lesson_actions.Said(rows[1].pk, True, ANSWER)
        owner = initiative.roles.get(role="owner", ended_at=None).person
        lesson_actions.respond(initiative=initiative, said=[said], by=owner)
