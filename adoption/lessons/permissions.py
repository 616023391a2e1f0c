"""Who may answer lessons, enter and confirm those from outside, and say that one came again."""

from adoption.adoption_seat import SEAT
from adoption.models import Lesson, LessonResponse
from governance.models import User
from governance.people.boards import seats_held
from governance.permission_result import Answer, no, yes
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.models import Initiative


def may_answer(initiative: Initiative, person: User) -> Answer:
    """Say whether a lesson applies: whoever answers the requirements of the initiative."""
    return initiative_permissions.may_collaborate(initiative, person)


def may_enter(person: User) -> Answer:
    """Enter a lesson from outside: an adoption seat of any board, or an admin."""
    if person.is_active and (person.is_admin or _holds_seat(person)):
        return yes()
    return no(
        "Only an adoption seat or an admin enters lessons from outside.",
        "What your own initiative taught is written in its post-mortem.",
    )


def may_confirm(lesson: Lesson, person: User) -> Answer:
    """Confirm a lesson from outside: another adoption seat or admin than the one who entered it."""
    if lesson.post_mortem_id is not None:
        return no("It comes from a post-mortem.", "The adoption seat of its initiative confirms that.")
    if lesson.confirmed_at is not None:
        return no(f"{lesson.confirmed_by} confirmed it already.")
    if lesson.removed_at is not None:
        return no("It was taken out of the library.")
    if not may_enter(person):
        return no("Only an adoption seat or an admin confirms lessons from outside.")
    if lesson.entered_by_id == person.pk:
        return no("Nobody confirms what they entered themselves.", "Another adoption seat or an admin can.")
    return yes()


def may_take_out(lesson: Lesson, person: User) -> Answer:
    """Take a lesson from outside out of the library: an adoption seat or an admin. What an initiative taught stays."""
    if lesson.post_mortem_id is not None:
        return no("What an initiative taught stays in the library.")
    if lesson.removed_at is not None:
        return no("It was taken out of the library.")
    return may_enter(person)


def may_link(lesson: Lesson, known: Lesson | None, person: User) -> Answer:
    """Say that this lesson repeats one that was known: its initiative's adoption seat, or who writes for its
    initiative.

    Only one that the initiative itself had answered: then it was known there, and did not prevent it.
    """
    if lesson.post_mortem_id is None:
        return no("Only a lesson of an initiative can show that an earlier one came again.")
    initiative = lesson.post_mortem.initiative
    seated = initiative_permissions.holds_seat(initiative, person, SEAT)
    if not seated and not initiative_permissions.may_collaborate(initiative, person):
        return no("Only people of the initiative or the adoption seat of its board say this.")
    if known is not None and not LessonResponse.objects.filter(initiative=initiative, lesson=known).exists():
        return no(f"{initiative.ref} never answered that lesson, so it was not known there.")
    return yes()


def _holds_seat(person: User) -> bool:
    return any(member.seat == SEAT for member in seats_held(person))
