"""Who takes the audit log of an initiative, or of some days, as answers that carry their reasons."""

from adoption.models import AuditLogExport
from governance.models import User
from governance.people.permissions import may_audit
from governance.permission_result import Answer, all_of, no, yes
from governance.vocabulary import BoardRole
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.models import Initiative


def may_ask(initiative: Initiative, person: User) -> Answer:
    """Take the audit log of this initiative: auditors, and the chair of its board; whoever may not read it, does
    not.
    """
    if not initiative_permissions.may_see(initiative, person):
        return no("This initiative is not yours to read.")
    return asks(initiative, person)


def asks(initiative: Initiative, person: User) -> Answer:
    """The same of whoever reads this initiative: asks no second time whether they do."""
    leads = initiative_permissions.memberships_on(
        initiative, person, (BoardRole.CHAIR, BoardRole.DEPUTY_CHAIR)
    )
    if may_audit(person) or (leads and initiative_permissions.is_any_chair(initiative, person)):
        return yes()
    return no(
        "Only auditors and the chair of its board export the audit log of an initiative.", "Ask one of them."
    )


def may_ask_days(person: User) -> Answer:
    """Take the audit log of some days, of all initiatives together: auditors."""
    if may_audit(person):
        return yes()
    return no(
        "Only auditors export the audit log of some days.",
        "A chair exports that of one initiative, from its Activity.",
    )


def may_have(row: AuditLogExport, person: User) -> Answer:
    """Take the file: whoever asked for it, as long as they may ask for it, and for its files of evidence, still."""
    if row.by_id != person.pk:
        return no("Somebody else asked for this export.", "Ask for one of your own.")
    if row.initiative is None:
        return all_of(may_ask_days(person), may_have_files(None, person) if row.with_files else yes())
    files = may_have_files(row.initiative, person) if row.with_files else yes()
    return all_of(may_ask(row.initiative, person), files)


def may_have_files(initiative: Initiative | None, person: User) -> Answer:
    """Have the files of the evidence put in: whoever may open each of them one by one."""
    if initiative is not None:
        return initiative_permissions.may_open_file(initiative, person)
    if person.is_admin:
        return no("Admins do not read evidence.", "Take the audit log without files, or ask another auditor.")
    return yes()
