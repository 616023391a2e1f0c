"""Who sees requests of persons, who handles them, and what one says before its time."""

from governance.models import User
from governance.permission_result import Answer, all_of, no, yes
from initiatives.models import SubjectRequest


def may_handle_requests(person: User) -> Answer:
    """Record and answer requests of persons: privacy officers, an admin names them."""
    if person.is_active and person.is_privacy_officer:
        return yes()
    return no("Only privacy officers handle requests of persons.", "An admin can make an account one.")


def may_see_requests(person: User) -> Answer:
    """See which requests there are and how far they are, never who asks: privacy officers, admins, auditors."""
    if person.is_active and (person.is_privacy_officer or person.is_admin or person.is_auditor):
        return yes()
    return no("Requests of persons are for privacy officers, admins and auditors.", "Ask a privacy officer.")


def may_work_on(request: SubjectRequest, person: User) -> Answer:
    """Do the next step of a request: whoever handles it, alone."""
    if request.handler_id == person.pk:
        return may_handle_requests(person)
    answer = may_handle_requests(person)
    return answer and no(
        f"{request.handler} handles this request.", "Take it over first, where you agreed to."
    )


def may_search(request: SubjectRequest, person: User) -> Answer:
    """Look into the log for a request: whoever handles it, once the identity of the person is checked."""
    identity = yes()
    if not request.identified_at:
        identity = no(
            "The identity of the person is not checked yet: nothing is searched before.",
            "Record how it was checked.",
        )
    return all_of(may_work_on(request, person), _unanswered(request), identity)


def may_take_copy(request: SubjectRequest, person: User) -> Answer:
    """Take the file of a copy: whoever handles the request, until it is closed."""
    closed = no("This request is closed.") if request.closed_at else yes()
    return all_of(may_work_on(request, person), closed)


def may_change(request: SubjectRequest, person: User) -> Answer:
    """Whatever else comes before the answer."""
    return all_of(may_work_on(request, person), _unanswered(request))


def _unanswered(request: SubjectRequest) -> Answer:
    if request.answered_at:
        return no("This request is answered already.")
    return yes()
