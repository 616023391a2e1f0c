"""Days of a person's tasks for their calendar.

A day has the task and the initiative's reference. A title that is confidential or hidden from the person is left out.
"""

from governance.models import User
from governance.notifications.calendar_feed import DueDay
from governance.notifications.inbox import all_tasks
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import visibility
from initiatives.models import Initiative


def days(person: User) -> list[DueDay]:
    """Return every day on which a task on an initiative is or was due to the person."""
    tasks = [one for task in all_tasks(person) for one in (task, *task.parts) if one.due and one.ref]
    numbers = {int(task.ref.removeprefix("AI-")) for task in tasks}
    seen = visibility.visible_to(person).filter(number__in=numbers, confidential=False)
    titles = {Initiative.ref_of(number): f" {title}" for number, title in seen.values_list("number", "title")}
    return [
        DueDay(
            (task.about[0] if task.about else task.matter or task.key).replace(":", "-"),
            task.due,
            phrase("{}: {}{}", task.button, task.ref, titles.get(task.ref, "")),
            task.link,
        )
        for task in tasks
    ]
