"""The acts on lessons: answer, enter from outside, confirm, take out, link."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.urls import reverse

from adoption.lessons import lesson_matching, lesson_search, permissions
from adoption.models import Lesson, LessonResponse
from adoption.models.lessons import LESSONS_READ
from adoption.models.postmortems import PATTERNS
from governance import clock
from governance.audit_log import entries
from governance.gates import sign_off_statement
from governance.models import User
from governance.permission_result import Conflict, no
from governance.queue.task_base import after_commit
from governance.vocabulary import AnswerKind, Layer, Role
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.findings.sync import follow, lock_initiatives
from initiatives.lifecycle.initiative.act import act, batched
from initiatives.lifecycle.reminders.telling import tell
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.models import Answer, Initiative, RequirementFinding, RoleAssignment, System

_FINDING = "lesson:"  # what a finding about a lesson is called by, before the key of the lesson
# The mark before the part of the answer that is written from the responses. The owner's own words are above it.
MARK = "Lessons offered to this initiative, with its answers:"


@dataclass(frozen=True)
class Said:
    """The answer of a person to one lesson. `based_on`: the version that the person saw, 0 for a first answer."""

    lesson: int
    applies: bool
    words: str
    based_on: int = 0


def respond(*, initiative: Initiative, said: Iterable[Said], by: User) -> list[LessonResponse]:
    """Answer lessons for an initiative.

    An answer is what was done about a lesson, or why it does not apply. The answer to the rulebook's requirement is
    rewritten from all responses and attested today: the board signs for it. Raises ValidationError by the key of the
    lesson, Conflict when someone answered a lesson meanwhile.
    """
    said = list(said)
    wrong = {
        str(one.lesson): "Describe what was done, or why nothing was done."
        for one in said
        if not one.words.strip()
    }
    if wrong:
        raise ValidationError(wrong)
    if not said:
        raise ValidationError("Answer at least one lesson.")
    with act("answer lessons", by=by, initiative=initiative) as initiative:
        permissions.may_answer(initiative, by).or_refuse()
        lessons = _offered(initiative, [one.lesson for one in said])
        last = {row.lesson_id: row for row in LessonResponse.objects.latest().filter(initiative=initiative)}
        rows = []
        for one in said:
            lesson, before = lessons[one.lesson], last.get(one.lesson)
            if (before.version if before else 0) != one.based_on:
                raise Conflict(
                    f"{before.by if before else 'Someone'} answered “{lesson}” in the meantime.",
                    "Read the new answer, then answer again.",
                )
            row = LessonResponse(
                initiative=initiative,
                lesson=lesson,
                version=one.based_on + 1,
                applies=one.applies,
                words=one.words.strip(),
                digest=digest(lesson),
                by=by,
                at=clock.now(),
            )
            row.save()
            rows.append(row)
            entries.record(
                EntryKind.LESSON_ANSWERED,
                initiative=initiative,
                lesson=lesson.pk,
                text=lesson.text,
                applies=row.applies,
                words=row.words,
                version=row.version,
                digest=row.digest,
            )
        requirement_actions.answer(
            initiative=initiative,
            requirement=LESSONS_READ,
            kind=AnswerKind.ANSWERED,
            text=_answer(initiative),
            true_as_of=clock.today(),
            by=by,
        )
        follow([initiative])
    return rows


def _offered(initiative: Initiative, keys: list[int]) -> dict[int, Lesson]:
    """Return these lessons. Raises ValidationError for the initiative's own, confidential or missing ones."""
    rows = lesson_search.offered().filter(pk__in=keys).exclude(post_mortem__initiative=initiative)
    found = rows.exclude(post_mortem__initiative__confidential=True).in_bulk()
    if missing := set(keys) - set(found):
        raise ValidationError(
            {str(key): "This lesson is not in the library. Reload the page." for key in missing}
        )
    return found


def finding_of(lesson: int) -> str:
    """Return the source of the finding that the lesson with this key is not answered."""
    return f"{_FINDING}{lesson}"


def unanswered_among(findings: Iterable[RequirementFinding]) -> list[int]:
    """Return the keys of the unanswered lessons of these findings, in their order."""
    return [
        int(row.source.removeprefix(_FINDING))
        for row in findings
        if row.requirement == LESSONS_READ and row.source.startswith(_FINDING)
    ]


def digest(lesson: Lesson) -> str:
    """Return the SHA-256 of a lesson's contents: text, what to do instead, layer."""
    return sign_off_statement.digest("\n".join((lesson.text, lesson.instead, lesson.layer)))


def _answer(initiative: Initiative) -> str:
    """Return the answer for the board. The owner's own words precede each lesson with its response, oldest first."""
    row = Answer.objects.filter(
        initiative=initiative, requirement=LESSONS_READ, kind=AnswerKind.ANSWERED
    ).first()
    own = row.text.partition(MARK)[0].strip() if row else ""
    told = LessonResponse.objects.latest().filter(initiative=initiative)
    rows = sorted(told.select_related("lesson__post_mortem__initiative", "by"), key=lambda one: one.lesson_id)
    lines = [
        f"- {origin(one.lesson)}: “{one.lesson.text}” {'Applies' if one.applies else 'Does not apply'}: {one.words}"
        f" ({one.by}, {clock.local_day(one.at):%-d %B %Y})"
        for one in rows
    ]
    return "\n".join([*([own, ""] if own else []), MARK, *lines])


def origin(lesson: Lesson) -> str:
    """Return a lesson's origin in short: the initiative's reference or the source."""
    if lesson.post_mortem_id is not None:
        return f"{lesson.post_mortem.initiative.ref}, {lesson.get_layer_display().lower()}"
    return f"{lesson.source[:80]}, {lesson.get_layer_display().lower()}"


def enter(
    *,
    text: str,
    instead: str,
    layer: str,
    source: str,
    source_link: str = "",
    pattern: str = "",
    tags: Iterable[str] = (),
    systems: Iterable[int] = (),
    vendors: Iterable[str] = (),
    by: User,
) -> Lesson:
    """Enter a lesson from outside, such as a public incident. It is offered once another person has confirmed it."""
    wrong = {}
    if not text.strip():
        wrong["text"] = "Describe what the next team should know."
    if layer not in Layer:
        wrong["layer"] = "Choose the layer of the cause."
    if not source.strip():
        wrong["source"] = "Name the source, so that others can check it."
    if pattern and pattern not in PATTERNS:
        wrong["pattern"] = "Choose one of the kinds listed."
    if wrong:
        raise ValidationError(wrong)
    with act("enter lesson", by=by):
        permissions.may_enter(by).or_refuse()
        row = Lesson(
            text=text.strip(),
            instead=instead.strip(),
            layer=layer,
            pattern=pattern,
            tags=_words(tags),
            systems=sorted(System.objects.filter(pk__in=list(systems)).values_list("pk", flat=True)),
            vendors=_words(vendors),
            source=source.strip(),
            source_link=source_link,
            entered_by=by,
            entered_at=clock.now(),
        )
        row.save()
        entries.record(EntryKind.LESSON_ENTERED, lesson=row.pk, text=row.text, source=row.source)
    return row


def _words(told: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(word.strip()[:80] for word in told if word.strip()))[:12]


def confirm(*, lesson: Lesson, by: User) -> Lesson:
    """Confirm a lesson from outside. The library then has it, and initiatives near it are asked."""
    with act("confirm lesson", by=by):
        row = _locked(lesson)
        permissions.may_confirm(row, by).or_refuse()
        row.confirmed_at, row.confirmed_by = clock.now(), by
        row.save()
        entries.record(EntryKind.LESSON_CONFIRMED, lesson=row.pk, text=row.text)
        offer([row.pk])
    return row


def take_out(*, lesson: Lesson, reason: str, by: User) -> Lesson:
    """Take a lesson from outside out of the library. The answers of initiatives remain in the audit log."""
    if not reason.strip():
        raise ValidationError({"reason": "Give a reason why the lesson should no longer be offered."})
    with act("take lesson out", by=by, reason=reason.strip()):
        row = _locked(lesson)
        permissions.may_take_out(row, by).or_refuse()
        row.removed_at = clock.now()
        row.save()
        entries.record(EntryKind.LESSON_TAKEN_OUT, lesson=row.pk, why=reason.strip())
        offer([row.pk])
    return row


def came_again(*, lesson: Lesson, known: Lesson | None, by: User) -> Lesson:
    """Record that a lesson came again: its initiative had answered `known` before. Pass None to undo it."""
    with act(
        "lesson came again",
        by=by,
        initiative=lesson.post_mortem.initiative_id if lesson.post_mortem else None,
    ):
        row = _locked(lesson)
        permissions.may_link(row, known, by).or_refuse()
        if known is not None and known.pk == row.pk:
            no("A lesson cannot be linked to itself. Choose an earlier lesson.").or_refuse()
        row.repeats = known
        row.save()
        entries.record(
            EntryKind.LESSON_CAME_AGAIN,
            initiative=row.post_mortem.initiative,
            lesson=row.pk,
            known=known.pk if known else None,
            text=known.text if known else "",
        )
    return row


def _locked(lesson: Lesson) -> Lesson:
    rows = Lesson.objects.select_for_update(of=("self",))
    return rows.select_related("post_mortem__initiative__unit", "entered_by", "confirmed_by").get(
        pk=lesson.pk
    )


def offer(keys: list[int]) -> None:
    """Ask the running initiatives near these lessons after the commit.

    The hourly check of the register does the same.
    """
    for key in keys:
        after_commit("adoption.tasks.follow_lesson", key)


def offer_of(initiative: Initiative) -> None:
    """Ask anew about all lessons of an initiative whose confidentiality has changed.

    Other initiatives must not name lessons of a confidential initiative.
    """
    offer(list(Lesson.objects.filter(post_mortem__initiative=initiative).values_list("pk", flat=True)))


def follow_lesson(key: int) -> list[int]:
    """Renew the finding about this lesson of the running initiatives near it. Returns the changed ones."""
    lesson = Lesson.objects.filter(pk=key).first()
    if lesson is None:
        return []
    source = finding_of(key)
    keys = set(lesson_matching.initiatives_of(lesson).values_list("pk", flat=True))
    told = Initiative.objects.filter(
        requirement_findings__source=source, requirement_findings__ended_at__isnull=True
    )
    changed = []
    for some in batched(sorted(keys | set(told.values_list("pk", flat=True)))):
        with act("follow lesson", system="lessons", register=True):
            initiatives = follow(lock_initiatives(some))
            _tell_owners(initiatives, lesson)
            changed += [initiative.pk for initiative in initiatives]
    return changed


def _tell_owners(initiatives: list[Initiative], lesson: Lesson) -> None:
    """Notify the owner of each of these initiatives that now has to answer the lesson."""
    said = Q(
        requirement=LESSONS_READ,
        source=finding_of(lesson.pk),
        initiative__in=[initiative.pk for initiative in initiatives],
    )
    asked = set(RequirementFinding.objects.current().filter(said).values_list("initiative", flat=True))
    owners = RoleAssignment.objects.in_force().filter(role=Role.OWNER, initiative__in=asked)
    person_of = {row.initiative_id: row.person for row in owners.select_related("person")}
    for initiative in initiatives:
        if initiative.pk in person_of:
            tell(
                initiative,
                [person_of[initiative.pk]],
                "lesson offered",
                f"lessons:{initiative.pk}",
                "a lesson to answer before its next gate",
                period=finding_of(lesson.pk),
                text=lesson.text,
                link=reverse("lessons-answer", args=[initiative.ref]),
            )
