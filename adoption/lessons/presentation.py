"""Lessons as pages show them: text, origin, reasons, answers of initiatives."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, Exists, OuterRef, Q

from adoption.lessons import lesson_matching, lesson_search
from adoption.lessons.actions import unanswered_among
from adoption.models import Lesson, LessonResponse, LessonWords
from governance.models import User
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.facts import initiative_rows
from initiatives.models import Initiative

FEW = 5  # beside something else


@dataclass
class Shown:
    """A lesson with the reasons to show it, counts of answers, and its repetitions."""

    lesson: Lesson
    why: tuple[str, ...] = ()
    applied: int = 0
    not_applied: int = 0
    again: list[Lesson] = field(default_factory=list)
    response: LessonResponse | None = None

    @property
    def initiative(self) -> Initiative | None:
        """Return the initiative that learned the lesson, or None for one from outside."""
        return self.lesson.post_mortem.initiative if self.lesson.post_mortem_id else None

    @property
    def at(self):
        """Return since when the library has the lesson."""
        return self.lesson.confirmed_at or (
            self.lesson.post_mortem.published_at if self.lesson.post_mortem_id else None
        )


def shown(keys: Iterable[int], person: User, why: dict[int, tuple[str, ...]] | None = None) -> list[Shown]:
    """Return these lessons in order, as far as the person may read them. Three queries, for any number of them."""
    keys = list(keys)
    if not keys:
        return []
    rows = lesson_search.readable(person).select_related("post_mortem__initiative__unit", "entered_by")
    found = rows.in_bulk(keys)
    newer = LessonResponse.objects.filter(
        initiative=OuterRef("initiative"), lesson=OuterRef("lesson"), version__gt=OuterRef("version")
    )
    said = LessonResponse.objects.filter(lesson__in=found).filter(~Exists(newer)).order_by()
    counts = {
        row["lesson"]: (row["yes"], row["no"])
        for row in said.values("lesson").annotate(
            yes=Count("pk", filter=Q(applies=True)), no=Count("pk", filter=Q(applies=False))
        )
    }
    again: dict[int, list[Lesson]] = {}
    repeated = (
        lesson_search.readable(person).filter(repeats__in=found).select_related("post_mortem__initiative")
    )
    for lesson in repeated.order_by("pk"):
        again.setdefault(lesson.repeats_id, []).append(lesson)
    return [
        Shown(found[key], (why or {}).get(key, ()), *counts.get(key, (0, 0)), again.get(key, []))
        for key in keys
        if key in found
    ]


def offered_to(initiative: Initiative, person: User) -> list[Shown]:
    """Return an initiative's own lessons, each with its answer. Those answered earlier come last."""
    matches = lesson_matching.lessons_for([initiative])[initiative.pk]
    said = {
        row.lesson_id: row
        for row in LessonResponse.objects.latest().filter(initiative=initiative).select_related("by")
    }
    why = {match.lesson: match.why for match in matches}
    keys = [*why, *(key for key in said if key not in why)]
    rows = shown(keys, person, why)
    for row in rows:
        row.response = said.get(row.lesson.pk)
    return rows


def at_gate(initiative: Initiative, person: User) -> list[Shown]:
    """Return the unanswered lessons before the next gate, then the answered ones.

    It takes at most two queries. The register's findings name the unanswered ones, as the gate counts them.
    """
    open_ = unanswered_among(initiative_rows.rows(initiative, "requirement_findings"))
    responses = LessonResponse.objects.latest().filter(initiative=initiative).select_related("by")
    said = {row.lesson_id: row for row in responses}
    keys = [*open_, *said]
    if not keys:
        return []
    found = lesson_search.readable(person).select_related("post_mortem__initiative").in_bulk(keys)
    return [Shown(found[key], response=said.get(key)) for key in keys if key in found]


def of_system(system: int, person: User) -> list[Shown]:
    """Return the newest lessons about a system to which an initiative is to be linked."""
    keys = LessonWords.objects.filter(systems__contains=[system]).order_by("-pk")
    return shown(list(keys.values_list("pk", flat=True)[:FEW]), person)


def like(title: str, problem: str, person: User) -> list[Shown]:
    """Return lessons in the words of an initiative to be registered. Two words or more must match."""
    hits = [hit for hit in lesson_search.search(f"{title} {problem}", most=4 * FEW) if len(hit.words) > 1]
    why = {hit.lesson: (f"words: {', '.join(hit.words)}",) for hit in hits}
    return shown(why, person, why)[:FEW]


def seen_initiatives(person: User, keys: Iterable[int]) -> set[int]:
    """Return those of these initiatives that the person may open."""
    return set(visibility.visible_to(person).filter(pk__in=list(keys)).values_list("pk", flat=True))
