"""Who may write, hand in, read and confirm a post-mortem, as answers that carry their reasons."""

from adoption import adoption_seat
from adoption.models import Attribution, Lesson
from governance.gates.separation_of_duties import said
from governance.models import User
from governance.permission_result import Answer, no, yes
from governance.vocabulary import WRITTEN_OBLIGATIONS
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.holds.actions import may_complete
from initiatives.models import Initiative, Obligation


def may_start(obligation: Obligation, person: User) -> Answer:
    """Begin the post-mortem that completes this obligation: whoever may complete it, while it is due."""
    if obligation.kind not in WRITTEN_OBLIGATIONS:
        return no("This obligation is not completed by a post-mortem.", "Complete it on its own page.")
    if obligation.completed_at:
        return no("This is completed already.", "Read its post-mortem.")
    return may_complete(obligation.initiative, obligation, person)


def may_write(post_mortem, person: User) -> Answer:
    """Write in it while it is a draft: whoever may complete the obligation, and whoever holds a role on the
    initiative.
    """
    if post_mortem.state != post_mortem.DRAFT:
        return no(
            f"It is {post_mortem.get_state_display().lower()}; its words no longer change.",
            "The adoption seat can send it back." if post_mortem.state == post_mortem.IN_REVIEW else "",
        )
    may = may_start(post_mortem.obligation, person)
    return may or (
        yes() if person.is_active and initiative_permissions.roles_of(post_mortem.initiative, person) else may
    )


def may_hand_in(post_mortem, person: User) -> Answer:
    """Hand it in: whoever may complete the obligation; those who help to write do not."""
    may = may_write(post_mortem, person)
    return may_start(post_mortem.obligation, person) if may else may


def may_comment(post_mortem, person: User) -> Answer:
    """Say something about a section while it is in review: whoever is on the initiative or its board."""
    if post_mortem.state != post_mortem.IN_REVIEW:
        return no(
            f"It is {post_mortem.get_state_display().lower()}; comments are made while it is in review."
        )
    return initiative_permissions.may_note(post_mortem.initiative, person)


def may_resolve_comment(post_mortem, comment, person: User) -> Answer:
    """Say that a comment is dealt with: whoever may write the post-mortem, or whoever said it."""
    if comment.by_id == person.pk or may_start(post_mortem.obligation, person):
        return yes()
    if person.is_active and initiative_permissions.roles_of(post_mortem.initiative, person):
        return yes()
    return no(f"Only its writers or {comment.by} resolve this comment.")


def wrote(post_mortem) -> set[int]:
    """Keys of everybody whose words are in it, and of the responsible person: none of them confirms it."""
    saved = [
        # Whoever sent it back gave a reason, and whoever confirmed it published it; every other save is a writer's.
        post_mortem.history.filter(history_change_reason="").exclude(state=post_mortem.PUBLISHED),
        Lesson.history.filter(post_mortem_id=post_mortem.pk),
        Attribution.history.filter(post_mortem_id=post_mortem.pk),
    ]
    people = {key for rows in saved for key in rows.values_list("history_user_id", flat=True)}
    return (people | {post_mortem.author_id, post_mortem.obligation.responsible_id}) - {None}


def may_confirm(post_mortem, person: User) -> Answer:
    """Confirm it or send it back: the adoption seat of the initiative's board, on no team, none of its
    writers.
    """
    initiative = post_mortem.initiative
    if post_mortem.state == post_mortem.DRAFT:
        return no("It is not handed in yet.", f"{post_mortem.author} is writing it.")
    if post_mortem.state == post_mortem.PUBLISHED:
        return no(f"{post_mortem.published_by} confirmed it already.")
    if not initiative_permissions.holds_seat(initiative, person, adoption_seat.SEAT):
        return no("Only the adoption seat of the initiative's board confirms this.", _seated(initiative))
    if barred := initiative_permissions.barred_from_signing(initiative, person):
        return no(said(barred), "Somebody else in the seat can confirm it.")
    if person.pk in wrote(post_mortem):
        return no(
            "Nobody confirms what they wrote, or what is due from themselves.",
            "Somebody else in the seat can confirm it.",
        )
    return yes()


def _seated(initiative: Initiative) -> str:
    people = adoption_seat.confirmers(initiative)
    if people:
        return f"Ask {' or '.join(person.full_name for person in people)}."
    return "Nobody sits there who could; an admin can appoint somebody."
