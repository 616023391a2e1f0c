"""Permissions on post-mortems, as answers that carry their reasons."""

from django.db.models import Q

from adoption import adoption_seat
from adoption.models import Attribution, Lesson
from governance.gates.separation_of_duties import said
from governance.models import User
from governance.permission_result import Answer, no, yes
from governance.vocabulary import WRITTEN_OBLIGATIONS
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.access import roles_and_seats, signers
from initiatives.lifecycle.access.signers import accounts_of
from initiatives.lifecycle.holds.deeds import may_answer_for
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.models import Initiative, Obligation


def may_start(obligation: Obligation, person: User) -> Answer:
    """Return whether the person may begin it. People who may complete the obligation may, while it is due."""
    if obligation.kind not in WRITTEN_OBLIGATIONS:
        return no("This obligation does not need a post-mortem.", "Complete the obligation on its own page.")
    if obligation.completed_at:
        return no("This obligation is completed already.", "Read its post-mortem.")
    return may_answer_for(obligation, person)


def may_write(post_mortem, person: User) -> Answer:
    """Return whether the person may write the draft. Roles on the initiative and people who may complete it may."""
    if post_mortem.state != post_mortem.DRAFT:
        return no(
            phrase(
                "The post-mortem is {}, so its text can no longer change.",
                label(post_mortem.get_state_display(), inside=True),
            ),
            "Ask the adoption seat to send it back." if post_mortem.state == post_mortem.IN_REVIEW else "",
        )
    may = may_start(post_mortem.obligation, person)
    return may or (
        yes() if person.is_active and roles_and_seats.roles_of(post_mortem.initiative, person) else may
    )


def may_hand_in(post_mortem, person: User) -> Answer:
    """Return whether the person may hand it in. Only people who may complete the obligation may, not other writers."""
    may = may_write(post_mortem, person)
    return may_start(post_mortem.obligation, person) if may else may


def may_comment(post_mortem, person: User) -> Answer:
    """Return whether the person may comment on a section in review. The initiative's team and board may."""
    if post_mortem.state != post_mortem.IN_REVIEW:
        return no(
            phrase(
                "The post-mortem is {}. Comments are possible only while it is in review.",
                label(post_mortem.get_state_display(), inside=True),
            )
        )
    return initiative_permissions.may_note(post_mortem.initiative, person)


def may_resolve_comment(post_mortem, comment, person: User) -> Answer:
    """Return whether the person may resolve a comment. Its author may, and the writers of the post-mortem."""
    if comment.by_id == person.pk or may_start(post_mortem.obligation, person):
        return yes()
    if person.is_active and roles_and_seats.roles_of(post_mortem.initiative, person):
        return yes()
    return no(phrase("Only the writers or {} can resolve this comment.", comment.by))


def wrote(post_mortem) -> set[int]:
    """Return the keys of writers and responsible person, who must not confirm it."""
    saved = [
        # Sending back has a reason, and confirming publishes. Every other save is a writer's.
        post_mortem.history.filter(history_change_reason="").exclude(state=post_mortem.PUBLISHED),
        Lesson.history.filter(post_mortem_id=post_mortem.pk),
        Attribution.history.filter(post_mortem_id=post_mortem.pk),
    ]
    people = {key for rows in saved for key in rows.values_list("history_user_id", flat=True)}
    return (people | {post_mortem.author_id, post_mortem.obligation.responsible_id}) - {None}


def held_a_role(post_mortem, person: User) -> bool:
    """Return True if the person had a role on the initiative when it happened, or since, under any account."""
    roles = post_mortem.initiative.roles.filter(person__in=accounts_of(person), accepted_at__isnull=False)
    since = post_mortem.obligation.opened_at
    return roles.filter(Q(ended_at__isnull=True) | Q(ended_at__gte=since)).exists()


def may_confirm(post_mortem, person: User) -> Answer:
    """Return whether the person may confirm it or send it back.

    The board's adoption seat may. The holder must not be one of its writers, and must have been on no team since it
    happened.
    """
    initiative = post_mortem.initiative
    if post_mortem.state == post_mortem.DRAFT:
        return no(
            "The post-mortem is not handed in yet.", phrase("Wait until {} hands it in.", post_mortem.author)
        )
    if post_mortem.state == post_mortem.PUBLISHED:
        return no(phrase("{} confirmed the post-mortem already.", post_mortem.published_by))
    if not roles_and_seats.holds_seat(initiative, person, adoption_seat.SEAT):
        return no(
            "Only the adoption seat of the initiative's board can confirm the post-mortem.",
            _seated(initiative),
        )
    if barred := signers.barred_from_signing(initiative, person):
        return no(said(barred), "Ask someone else in the seat to confirm it.")
    if held_a_role(post_mortem, person):
        return no(
            "You had a role on this initiative when it happened, or later, so someone else must confirm it.",
            "Ask someone else in the seat to confirm it.",
        )
    if person.pk in wrote(post_mortem):
        return no(
            "You wrote this post-mortem or must write it, so someone else must confirm it.",
            "Ask someone else in the seat to confirm it.",
        )
    return yes()


def _seated(initiative: Initiative) -> str:
    people = adoption_seat.confirmers(initiative)
    if people:
        return f"Ask {' or '.join(person.full_name for person in people)}."
    return "No one in the seat can do this. Ask an admin to appoint someone."
