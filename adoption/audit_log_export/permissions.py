"""Permissions to export the audit log, as answers that carry their reasons."""

from adoption.models import AuditLogExport
from governance.models import User
from governance.people.permissions import may_audit
from governance.permission_result import Answer, all_of, no, yes
from governance.vocabulary import BoardRole
from initiatives.lifecycle.access import roles_and_seats, visibility
from initiatives.models import Initiative


def may_ask(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may export this log. Auditors and the board's chair may, if they see the initiative."""
    if not visibility.may_see(initiative, person):
        return no("You cannot see this initiative. Ask its owner for access.")
    return asks(initiative, person)


def asks(initiative: Initiative, person: User) -> Answer:
    """Return the same answer for a person who is known to see the initiative."""
    leads = roles_and_seats.memberships_on(initiative, person, (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR))
    if may_audit(person) or (leads and roles_and_seats.is_any_chair(initiative, person)):
        return yes()
    return no(
        "Only auditors and the chair of the board can export the audit log of this initiative.",
        "Ask an auditor or the chair.",
    )


def may_ask_days(person: User) -> Answer:
    """Return whether the person may export some days of all initiatives. Auditors may."""
    if may_audit(person):
        return yes()
    return no(
        "Only auditors can export the audit log by days.",
        "Ask an auditor. A chair can export the audit log of one initiative, on its Activity page.",
    )


def may_have(row: AuditLogExport, person: User) -> Answer:
    """Return whether the person may take the file. Only its asker, while they may still ask for it and its files."""
    if row.by_id != person.pk:
        return no("Someone else requested this export.", "Start your own export.")
    if row.initiative is None:
        return all_of(may_ask_days(person), may_have_files(None, person) if row.with_files else yes())
    files = may_have_files(row.initiative, person) if row.with_files else yes()
    return all_of(may_ask(row.initiative, person), files)


def may_have_files(initiative: Initiative | None, person: User) -> Answer:
    """Return whether the person may include evidence files. They must be able to open each file."""
    if initiative is not None:
        return visibility.may_open_file(initiative, person)
    if person.is_admin:
        return no("Admins cannot read evidence.", "Export without files, or ask another auditor.")
    return yes()
