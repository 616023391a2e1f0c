"""Who may answer what a system asks, and who sees how such answers are given; as answers that carry their reasons."""

from governance import clock
from governance.contracts.wording import role_words
from governance.models import User
from governance.permission_result import Answer, no, yes
from initiatives.contracts.approvals import queries
from initiatives.lifecycle.access.permissions import sits_on_board
from initiatives.lifecycle.facts import initiative_rows
from initiatives.models import ApprovalRequest, Initiative


def may_answer_approval(request: ApprovalRequest, person: User, *, answers=None) -> Answer:
    """Answer what a system asks: a holder of one of its roles whom the system does not act for, once, in time.

    `answers`: those given so far, where they are read already.
    """
    initiative, now = request.initiative, clock.now()
    if not person.is_active:
        return no("This account is no longer active.", "Ask an admin.")
    if queries.is_principal(request, person):
        return no(
            "The system acts for you here, so you do not approve what it asks.",
            "Somebody else in the role answers.",
        )
    voice = queries.voice_of(request, initiative_rows.roles(initiative), person)
    if voice is None:
        return no(
            f"Only {role_words(request.approvers)} answers this, who must not be whom the system acts for.",
            "Roles are accepted on the initiative, under People.",
        )
    given = list(request.answers.select_related("person", "on_behalf_of")) if answers is None else answers
    heard = next((row for row in given if row.person_id == person.pk), None)
    if heard is not None:
        return no(f"You answered this at {clock.moment_in_words(heard.at)}.", "One answer a person is final.")
    mine = voice.holder.pk if voice.holder else person.pk
    if any(mine in (row.person_id, row.on_behalf_of_id) for row in given):
        return no(
            f"{voice.holder or 'Whoever stands in for you'} answered this already.",
            "Two different voices are needed: somebody else in the role answers.",
        )
    if request.decided_at is not None:
        return no("This was answered already.", "Nothing more is asked.")
    if request.expires_at <= now:
        return no(
            f"The time to answer ended at {queries.until_words(request)}; nothing was done.",
            "The system can ask again.",
        )
    if request.superseded_at(now):
        return no(
            "The contract that asks for this is no longer in force; nothing was done.",
            "The system can ask again, under the one that is.",
        )
    return yes()


def may_read_preview(request: ApprovalRequest, person: User, *, answers=None) -> Answer:
    """Read what goes out: whoever is asked for the approval, until an answer decides it, and whoever gave one.

    `answers`: those given so far, where they are read already.
    """
    given = request.answers.all() if answers is None else answers
    if person.is_active:
        if any(row.person_id == person.pk for row in given):
            return yes()
        asked = request.decided_at is None and not queries.is_principal(request, person)
        if asked and queries.voice_of(request, initiative_rows.roles(request.initiative), person):
            return yes()
    return no("What goes out is shown to whoever is asked to approve it, and to nobody else.")


def may_see_stamping(initiative: Initiative, person: User) -> Answer:
    """See how approvals are given, by whom and how fast: the board of the initiative and auditors."""
    if person.is_active and (person.is_auditor or sits_on_board(initiative, person)):
        return yes()
    return no("How approvals are given is shown to the board and to auditors.")
