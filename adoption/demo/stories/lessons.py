"""What was learned before comes back: two lessons of others and one of a stopped initiative; two are answered."""

from datetime import timedelta

from adoption.demo.people import Company
from adoption.lessons import actions as lesson_actions
from adoption.models import Lesson
from governance import clock
from initiatives.models import Initiative

TITLE = "Knowledge article drafts"
FROM_OUTSIDE = (
    {
        "text": "Help articles drafted from solved tickets repeated a wrong fix for months, because nobody owned an"
        " article once it was published.",
        "instead": "Name an owner and a review date for each article before the first draft.",
        "layer": "policy", "pattern": "ownership", "tags": ["help articles", "ownership"],
        "source": "A report of another company's service desk, read at a user group",
    },
    {
        "text": "Drafts of knowledge articles quoted names out of solved tickets, although the tickets had been"
        " cleared of the fields that hold names.",
        "instead": "Search the free text of tickets for names too, and have a person read the first hundred drafts.",
        "layer": "application", "pattern": "data_access", "tags": ["personal data"],
        "source": "Public incident: a help centre published customers' names",
    },
)  # fmt: skip
ANSWERS = {
    "names": "The export takes names out of the free text too; Yara read the first two hundred drafts and found none.",
    "agent": "Only tickets of the form are read: whoever sends one agrees that answers are drawn from it.",
}


def come_back(company: Company) -> None:
    """An admin enters two, the adoption seat confirms them; the initiative that all three are near answers two."""
    initiative, today = Initiative.objects.get(title=TITLE), clock.now()
    with clock.simulated(today - timedelta(days=5)):
        rows = [lesson_actions.enter(**told, by=company["admin"]) for told in FROM_OUTSIDE]
    with clock.simulated(today - timedelta(days=4)):
        for row in rows:
            lesson_actions.confirm(lesson=row, by=company["seat-adoption"])
        own = Lesson.objects.get(text__startswith="What an agent writes")
        for row in (*rows, own):
            lesson_actions.follow_lesson(row.pk)
    with clock.simulated(today - timedelta(days=3)):
        owner = initiative.roles.get(role="owner", ended_at=None).person
        said = [
            lesson_actions.Said(rows[1].pk, True, ANSWERS["names"]),
            lesson_actions.Said(own.pk, True, ANSWERS["agent"]),
        ]
        lesson_actions.respond(initiative=initiative, said=said, by=owner)
