"""Permissions on requests of persons: see them, handle them, take each step."""

from governance.models import User
from governance.permission_result import Answer, all_of, no, yes
from governance.vocabulary.phrases import phrase
from initiatives.models import SubjectRequest


def may_handle_requests(person: User) -> Answer:
    """Return whether the person may handle requests, as a privacy officer. An admin names these."""
    if person.is_active and person.is_privacy_officer:
        return yes()
    return no(
        "Only privacy officers can handle requests from people about their data.",
        "Ask an admin to make you a privacy officer.",
    )


def may_see_requests(person: User) -> Answer:
    """Return whether the person may see requests, without names. Privacy officers, admins and auditors may."""
    if person.is_active and (person.is_privacy_officer or person.is_admin or person.is_auditor):
        return yes()
    return no(
        "Only privacy officers, admins and auditors can see requests from people about their data.",
        "Ask a privacy officer.",
    )


def may_work_on(request: SubjectRequest, person: User) -> Answer:
    """Return whether the person may do the next step of a request, as its handler."""
    if request.handler_id == person.pk:
        return may_handle_requests(person)
    answer = may_handle_requests(person)
    return answer and no(
        phrase("{} handles this request.", request.handler),
        "Ask this person first, then take the request over.",
    )


def may_search(request: SubjectRequest, person: User) -> Answer:
    """Return whether the handler may search the log, after the identity check."""
    identity = yes()
    if not request.identified_at:
        identity = no(
            "The identity of the person is not checked yet, so you cannot search.",
            "First record the identity check.",
        )
    return all_of(may_work_on(request, person), _unanswered(request), identity)


def may_take_copy(request: SubjectRequest, person: User) -> Answer:
    """Return whether the handler may take the file of a copy, until closing."""
    closed = no("This request is closed.") if request.closed_at else yes()
    return all_of(may_work_on(request, person), closed)


def may_change(request: SubjectRequest, person: User) -> Answer:
    """Return whether the person may take any other step before the answer."""
    return all_of(may_work_on(request, person), _unanswered(request))


def _unanswered(request: SubjectRequest) -> Answer:
    if request.answered_at:
        return no("This request is answered already.")
    return yes()
