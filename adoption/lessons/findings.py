"""The findings of lessons: each unanswered lesson near an initiative."""

from collections.abc import Iterator

from adoption.lessons import lesson_matching, lesson_search
from adoption.lessons.actions import finding_of, origin
from adoption.models import Lesson, LessonResponse
from adoption.models.lessons import LESSONS_READ
from governance.vocabulary import Role, Stage
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.facts.finding_rules import Wanted
from initiatives.models import Initiative, RoleAssignment

# Stages whose next gate asks: past the last one nothing more is asked, so that a new lesson fells no running
# initiative.
ASKED = (Stage.PROPOSED, Stage.PROTOTYPE, Stage.MVP)


def says(keys: list[int]) -> Iterator[tuple[int, Wanted]]:
    """Yield each lesson near one of these initiatives that it has not answered."""
    if not lesson_search.offered().exists():
        return
    initiatives = list(Initiative.objects.filter(pk__in=keys, stage__in=ASKED))
    found = lesson_matching.lessons_for(initiatives)
    answered = set(
        LessonResponse.objects.filter(
            initiative__in=[initiative.pk for initiative in initiatives]
        ).values_list("initiative", "lesson")
    )
    open_pairs = [
        (initiative.pk, match.lesson, match.why)
        for initiative in initiatives
        for match in found[initiative.pk]
        if (initiative.pk, match.lesson) not in answered
    ]
    lessons = Lesson.objects.select_related("post_mortem__initiative").in_bulk(
        {lesson for _, lesson, _ in open_pairs}
    )
    owners = {}
    if open_pairs:
        rows = RoleAssignment.objects.in_force().filter(
            role=Role.OWNER, initiative__in={initiative for initiative, *_ in open_pairs}
        )
        owners = dict(rows.values_list("initiative", "person__full_name"))
    for initiative, lesson, why in sorted(open_pairs):
        row = lessons[lesson]
        yield (
            initiative,
            Wanted(
                LESSONS_READ,
                finding_of(lesson),
                phrase("A lesson is not answered: “{}” ({})", row.text[:300], ", ".join((origin(row), *why))),
                phrase("Open Lessons, and record what was done or why the lesson does not apply."),
                owners.get(initiative, ""),
            ),
        )
