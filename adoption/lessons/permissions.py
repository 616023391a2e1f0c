"""Permissions to answer, enter, confirm and link lessons."""

from adoption.adoption_seat import SEAT
from adoption.models import Lesson, LessonResponse
from governance.models import User
from governance.people.boards import seats_held
from governance.permission_result import Answer, no, yes
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.models import Initiative


def may_answer(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may answer lessons. People who answer the initiative's requirements may."""
    return initiative_permissions.may_collaborate(initiative, person)


def may_enter(person: User) -> Answer:
    """Return whether the person may enter a lesson from outside. An adoption seat of any board or an admin may."""
    if person.is_active and (person.is_admin or _holds_seat(person)):
        return yes()
    return no(
        "Only an adoption seat or an admin can enter lessons from outside.",
        "If the lesson is from your own initiative, write it in the post-mortem.",
    )


def may_confirm(lesson: Lesson, person: User) -> Answer:
    """Return whether the person may confirm a lesson from outside.

    An adoption seat or admin who did not enter it may.
    """
    if lesson.post_mortem_id is not None:
        return no(
            "This lesson comes from a post-mortem.",
            "Ask the adoption seat of its initiative to confirm the post-mortem.",
        )
    if lesson.confirmed_at is not None:
        return no(phrase("{} confirmed this lesson already.", lesson.confirmed_by))
    if lesson.removed_at is not None:
        return no("This lesson was removed from the library.")
    if not may_enter(person):
        return no("Only an adoption seat or an admin can confirm lessons from outside.")
    if lesson.entered_by_id == person.pk:
        return no(
            "You entered this lesson, so someone else must confirm it.",
            "Ask someone else in an adoption seat, or an admin.",
        )
    return yes()


def may_take_out(lesson: Lesson, person: User) -> Answer:
    """Return whether the person may take a lesson from outside out. An adoption seat or an admin may."""
    if lesson.post_mortem_id is not None:
        return no("This lesson comes from an initiative, so it stays in the library.")
    if lesson.removed_at is not None:
        return no("This lesson was removed from the library.")
    return may_enter(person)


def may_link(lesson: Lesson, known: Lesson | None, person: User) -> Answer:
    """Return whether the person may record that this lesson repeats a known one.

    The adoption seat of its initiative and its team may. The initiative must have answered `known` before.
    """
    if lesson.post_mortem_id is None:
        return no("Only a lesson of an initiative can be linked to an earlier lesson.")
    initiative = lesson.post_mortem.initiative
    seated = roles_and_seats.holds_seat(initiative, person, SEAT)
    if not seated and not initiative_permissions.may_collaborate(initiative, person):
        return no("Only the team of the initiative or the adoption seat of its board can record this.")
    if known is not None and not LessonResponse.objects.filter(initiative=initiative, lesson=known).exists():
        return no(
            phrase(
                "{} did not answer that lesson earlier. Choose a lesson that this initiative answered.",
                initiative.ref,
            )
        )
    return yes()


def _holds_seat(person: User) -> bool:
    return any(member.seat == SEAT for member in seats_held(person))
