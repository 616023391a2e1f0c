"""Permissions to answer approvals, to read their content, and to see their speed."""

from governance import clock
from governance.contracts.wording import role_words
from governance.models import User
from governance.permission_result import Answer, no, yes
from governance.vocabulary.phrases import phrase
from initiatives.contracts.approvals import queries
from initiatives.lifecycle.access.roles_and_seats import sits_on_board
from initiatives.lifecycle.facts import initiative_rows
from initiatives.models import ApprovalRequest, Initiative


def may_answer_approval(request: ApprovalRequest, person: User, *, answers=None) -> Answer:
    """Return whether the person may answer: once, in time, in a role that is asked.

    The system must not act for the person. `answers` are those so far, if already read.
    """
    initiative, now = request.initiative, clock.now()
    if not person.is_active:
        return no("This account is no longer active.", "Ask an admin.")
    if queries.is_principal(request, person):
        return no(
            "The system acts for you here, so you cannot approve its call.",
            "Ask someone else in the role to answer.",
        )
    roles = initiative_rows.roles(initiative)
    voice = queries.voice_of(request, roles, person)
    if voice is None:
        return no(
            phrase(
                "Only {} can answer this request, but not the person the system acts for.",
                role_words(request.approvers),
            ),
            "Open “People” on the initiative to see who has this role.",
        )
    given = list(request.answers.select_related("person", "on_behalf_of")) if answers is None else answers
    heard = next((row for row in given if row.person_id == person.pk), None)
    if heard is not None:
        return no(
            phrase(
                "You already answered this request at {}, and cannot change your answer.",
                clock.moment_in_words(heard.at),
            ),
            "Ask someone else in the role if a second answer is needed.",
        )
    mine = voice.holder.pk if voice.holder else person.pk
    if any(mine in (row.person_id, row.on_behalf_of_id) for row in queries.counting(given, roles)):
        return no(
            phrase("{} already answered this request.", voice.holder or "The person who stands in for you"),
            "Ask someone else in the role: two different people must answer.",
        )
    if request.decided_at is not None:
        return no("This request was already answered.", "Open the request to read the answer.")
    if request.expires_at <= now:
        return no(
            phrase("The time to answer ended at {}, and the call was denied.", queries.until_words(request)),
            "Wait until the system asks again.",
        )
    if request.superseded_at(now):
        return no(
            "The contract that asks for this approval is no longer in force, and the call was denied.",
            "Wait until the system asks again, under the contract in force.",
        )
    return yes()


def may_read_preview(request: ApprovalRequest, person: User, *, answers=None) -> Answer:
    """Return whether the person may read the content of the call.

    Those asked may until an answer decides, and those who answered may later too. `answers` are those so far, if read.
    """
    given = request.answers.all() if answers is None else answers
    if person.is_active:
        if any(row.person_id == person.pk for row in given):
            return yes()
        asked = request.decided_at is None and not queries.is_principal(request, person)
        if asked and queries.voice_of(request, initiative_rows.roles(request.initiative), person):
            return yes()
    return no("Only the approvers of the call can see its content.")


def may_see_stamping(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may see the speed of approvals, as board or auditor."""
    if person.is_active and (person.is_auditor or sits_on_board(initiative, person)):
        return yes()
    return no("Only the board and auditors can see the figures on approvals.")
