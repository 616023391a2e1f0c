"""The act of writing a post-mortem together. Sections are saved separately, without lost words."""

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.urls import reverse

from adoption.models import Attribution, Lesson, LinkedGap, PostMortem
from adoption.models.postmortems import FOUND, PATTERNS, SAID, SIDES, VOICES
from adoption.postmortems import permissions, sections
from adoption.postmortems.actions import read
from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary import Layer
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.holds.deeds import open_gap
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Gap, Link


@dataclass(frozen=True)
class Clash:
    """One section that two people changed: typed words, and words saved meanwhile."""

    name: str  # of a text, "causes", or "lesson:<pk>"
    heading: str
    mine: object
    theirs: str
    who: str
    when: datetime | None


class Clashed(Conflict):
    """The error that someone else saved some sections since. Other sections were saved. `clashes` has the sections."""

    def __init__(self, post_mortem: PostMortem, clashes: list[Clash]):
        first = clashes[0]
        when = f" at {clock.moment_in_words(first.when)}" if first.when else ""
        super().__init__(
            f"{first.who} saved “{first.heading}”{when}, after you opened it.",
            "Merge the two texts below, then save again.",
            reverse("post-mortem", args=[post_mortem.pk]),
        )
        self.clashes = clashes


def write(
    *,
    post_mortem: PostMortem,
    by: User,
    began: dict[str, str] | None = None,
    causes: list[dict] | None = None,
    lessons: list[dict] | None = None,
    **texts: str,
) -> PostMortem:
    """Save parts of a draft: any of its texts, its `causes` and its `lessons`.

    Parts that are not given remain. `began` has the mark of each section that the person began from (`sections.mark`).
    A section that someone else saved since is kept, all others are saved, and then Clashed is raised. Without `began`
    nothing clashes. `causes` replace all causes, in order: dicts of side, said, layer, by_whom, grounds. `lessons` are
    dicts of text, instead, layer, pattern, tags, systems, vendors and, for a kept one, pk. Emptied ones are taken out,
    and others remain. Raises ValidationError by field.
    """
    if set(texts) - set(PostMortem.TEXTS):
        raise TypeError(f"A post-mortem has no {', '.join(sorted(set(texts) - set(PostMortem.TEXTS)))}.")
    texts = {name: sections.plain(value) for name, value in texts.items()}
    causes = None if causes is None else _tidy_causes(causes)
    lessons = [_tidy_lesson(lesson) for lesson in lessons or ()]
    wrong = {}
    if causes is not None and (words := _wrong_causes(causes)):
        wrong[sections.CAUSES] = words
    if words := _wrong_lessons(lessons):
        wrong[sections.LESSONS] = words
    if wrong:
        raise ValidationError(wrong)
    with act("write post-mortem", by=by, initiative=post_mortem.initiative_id) as initiative:
        row = read(post_mortem)
        permissions.may_write(row, by).or_refuse()
        _systems_of(initiative, row, lessons)
        clashes = _write_texts(row, texts, began)
        changed = [name for name, value in texts.items() if getattr(row, name) != value]
        blocked = {clash.name for clash in clashes}
        for name in changed:
            if name not in blocked and not _untouched(began, name, texts[name]):
                setattr(row, name, texts[name])
        if causes is not None:
            clashes += _write_causes(row, causes, began)
        clashes += _write_lessons(row, lessons, began)
        row.version += 1
        row.save()
        entries.record(
            EntryKind.POST_MORTEM_WRITTEN, initiative=initiative, post_mortem=row.pk, version=row.version
        )
    if clashes:
        raise Clashed(row, clashes)
    return row


def _untouched(began, name: str, value) -> bool:
    """Return True if the person sends the words they were shown. The current words then remain."""
    return began is not None and began.get(name) == sections.mark(value)


def _meets(began, name: str, mine, stands) -> bool:
    """Return True if the person changed it, and someone else since they began."""
    return (
        began is not None
        and mine != stands
        and not _untouched(began, name, mine)
        and began.get(name) != sections.mark(stands)
    )


def _write_texts(row: PostMortem, texts: dict[str, str], began) -> list[Clash]:
    """Return the texts that two people changed."""
    clashes = []
    for name, mine in texts.items():
        stands = getattr(row, name)
        if _meets(began, name, mine, stands):
            who, when = last_saved(row, name)
            clashes.append(Clash(name, sections.heading_of(row, name), mine, stands, who, when))
    return clashes


def last_saved(row: PostMortem, name: str) -> tuple[str, datetime | None]:
    """Return who saved a text as it is now, and when. The oldest history row with the same text has both."""
    who, when = "Somebody", None
    for past in row.history.order_by("-history_id"):
        if getattr(past, name) != getattr(row, name):
            break
        who, when = past.history_user_name, past.history_date
    return who, when


def _last_of(rows) -> tuple[str, datetime | None]:
    last = rows.order_by("-history_id").first()
    return (last.history_user_name, last.history_date) if last else ("Somebody", None)


# --- The layers it is put down to -------------------------------------------------------------------------------------


def _tidy_causes(rows: list[dict]) -> list[dict]:
    kept = []
    for row in rows:
        tidy = {
            "side": row["side"],
            "said": row["said"],
            "layer": row.get("layer", ""),
            "by_whom": row.get("by_whom", ""),
            "grounds": sections.plain(row.get("grounds", "")),
        }
        if tidy["layer"] or tidy["by_whom"] or tidy["grounds"]:
            kept.append(tidy)
    order = [(side, said) for side in SIDES for said in SAID]
    return sorted(kept, key=lambda one: order.index((one["side"], one["said"])))


def _wrong_causes(rows: list[dict]) -> str:
    seen = set()
    for row in rows:
        if row["layer"] not in Layer:
            return "Choose a layer for each row with text."
        if row["by_whom"] and (row["said"] == FOUND or row["by_whom"] not in VOICES):
            return "Choose from the list who assumed the cause."
        key = (row["side"], row["said"], row["layer"], row["by_whom"])
        if key in seen:
            return f"The {Layer(row['layer']).label.lower()} layer is listed twice. Merge the two rows."
        seen.add(key)
    return ""


def _write_causes(row: PostMortem, wanted: list[dict], began) -> list[Clash]:
    current = list(row.attributions.current())
    stands = sections.causes(row)
    if wanted == stands or _untouched(began, sections.CAUSES, wanted):
        return []
    if _meets(began, sections.CAUSES, wanted, stands):
        who, when = _last_of(Attribution.history.filter(post_mortem_id=row.pk))
        heading = sections.heading_of(row, sections.CAUSES)
        return [Clash(sections.CAUSES, heading, wanted, sections.in_words(stands), who, when)]
    places: dict[tuple, int] = {}
    known = {_key(sections.cause_of(one)): one for one in current}
    asked = {_key(one) for one in wanted}
    for key, one in known.items():
        if key not in asked:
            one.removed_at = clock.now()
            one.save()
    for one in wanted:
        group = one["side"], one["said"]
        places[group] = place = places.get(group, 0) + 1
        kept = known.get(_key(one)) or Attribution(post_mortem=row, **one)
        if kept.pk is None or (kept.place, kept.grounds) != (place, one["grounds"]):
            kept.place, kept.grounds = place, one["grounds"]
            kept.save()
    return []


def _key(one: dict) -> tuple:
    return one["side"], one["said"], one["layer"], one["by_whom"]


# --- Lessons ----------------------------------------------------------------------------------------------------------


def _tidy_lesson(lesson: dict) -> dict:
    def words(name):
        return list(
            dict.fromkeys(" ".join(str(one).split()) for one in lesson.get(name) or () if str(one).strip())
        )

    return {
        "pk": lesson.get("pk"),
        "text": sections.plain(lesson["text"]),
        "instead": sections.plain(lesson.get("instead", "")),
        "layer": lesson.get("layer", ""),
        "pattern": lesson.get("pattern", ""),
        "tags": [tag.casefold() for tag in words("tags")],
        "systems": sorted({int(key) for key in lesson.get("systems") or ()}),
        "vendors": words("vendors"),
    }


def _wrong_lessons(lessons: list[dict]) -> str:
    for lesson in lessons:
        if not lesson["text"]:
            if lesson["pk"] is None and lesson["instead"]:
                return "Describe what was learned, and what to do instead."
            continue
        if lesson["layer"] not in Layer:
            return "Choose the layer of each lesson."
        if lesson["pattern"] and lesson["pattern"] not in PATTERNS:
            return "Choose the kind of problem of each lesson from the list."
    return ""


def _systems_of(initiative, row: PostMortem, lessons: list[dict]) -> None:
    """Refuse systems that the initiative was never linked to."""
    asked = {key for lesson in lessons for key in lesson["systems"]}
    if asked:
        known = set(Link.objects.filter(initiative=initiative).values_list("system_id", flat=True))
        known |= {key for lesson in row.lessons.all() for key in lesson.systems}
        if asked - known:
            raise ValidationError(
                {sections.LESSONS: "Choose only from the systems that the initiative was linked to."}
            )


def _write_lessons(row: PostMortem, wanted: list[dict], began) -> list[Clash]:
    current = {lesson.pk: lesson for lesson in row.lessons.current()}
    clashes = []
    for asked in wanted:
        name = f"lesson:{asked['pk']}"
        mine = {field: asked[field] for field in sections.LESSON_FIELDS}
        lesson = current.get(asked["pk"])
        if lesson is None:
            # New, or taken out by someone else since: changed words are kept as a separate lesson.
            known = any(sections.lesson_of(one) == mine for one in current.values())
            if mine["text"] and not known and not (asked["pk"] and _untouched(began, name, mine)):
                Lesson(post_mortem=row, **mine).save()
            continue
        stands = sections.lesson_of(lesson)
        if mine == stands or _untouched(began, name, mine):
            continue
        if _meets(began, name, mine, stands):
            who, when = _last_of(lesson.history)
            clashes.append(Clash(name, "Lesson", mine, sections.lesson_in_words(stands), who, when))
        elif not mine["text"]:
            lesson.removed_at = clock.now()
            lesson.save()
        else:
            for field, value in mine.items():
                setattr(lesson, field, value)
            lesson.save()
    return clashes


# --- What is still open -----------------------------------------------------------------------------------------------


def open_linked_gap(
    *, post_mortem: PostMortem, text: str, owner: User, due, downstream: list[str], by: User
) -> Gap:
    """Record an open problem: owner, day, and what it affects (S1-18.1).

    It comes from the post-mortem. Raises ValidationError by field.
    """
    if not downstream:
        raise ValidationError(
            {
                "downstream": "Name the systems or teams that the problem affects. If there "
                "are none, enter the word “nothing”."
            }
        )
    with act("open gap", by=by, initiative=post_mortem.initiative_id) as initiative:
        row = read(post_mortem)
        permissions.may_write(row, by).or_refuse()
        gap = open_gap(initiative=initiative, text=text, owner=owner, due=due, downstream=downstream, by=by)
        LinkedGap(post_mortem=row, gap=gap).save()
        entries.record(
            EntryKind.GAP_LINKED, initiative=initiative, post_mortem=row.pk, gap=gap.pk, text=gap.text
        )
    return gap
