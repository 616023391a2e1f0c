"""The acts on the public page of an initiative: make, reword, withdraw. Each is recorded."""

from django.core.exceptions import ValidationError

from adoption.models import PublicPage
from adoption.public_pages import permissions
from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.models import User
from governance.permission_result import Conflict, all_of
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative

LONGEST = 600  # letters of what it is for


def tell_public(*, initiative: Initiative, purpose: str, by: User) -> PublicPage:
    """Make the public page of an initiative, or reword it at the same address.

    Raises ValidationError, and Refused if the initiative is confidential or over.
    """
    purpose = purpose.strip()
    if not purpose:
        raise ValidationError({"purpose": "Describe the purpose in words that users understand."})
    if len(purpose) > LONGEST:
        raise ValidationError(
            {"purpose": phrase("The purpose has {} letters. Use at most {}.", len(purpose), LONGEST)}
        )
    with act("tell public", by=by, initiative=initiative) as initiative:
        all_of(permissions.may_publish(initiative, by), permissions.may_be_public(initiative)).or_refuse()
        row = PublicPage.objects.filter(initiative=initiative, ended_at__isnull=True).first()
        there = row is not None
        if row is None:
            row = PublicPage(initiative=initiative, made_at=clock.now(), made_by=by)
        elif row.purpose == purpose:
            return row
        row.purpose = purpose
        row.save()
        entries.record(
            EntryKind.PUBLIC_PAGE_WORDED if there else EntryKind.PUBLIC_PAGE_MADE,
            initiative=initiative,
            page=row.pk,
            words=purpose,
        )
    return row


def withdraw_public(*, initiative: Initiative, by: User) -> PublicPage:
    """Withdraw the public page. Its address and badge open nothing from now on. Raises Refused, Conflict."""
    with act("withdraw public page", by=by, initiative=initiative) as initiative:
        permissions.may_publish(initiative, by).or_refuse()
        row = PublicPage.objects.filter(initiative=initiative, ended_at__isnull=True).first()
        if row is None:
            raise Conflict("This initiative has no public page, or someone withdrew it already.")
        _end(row, initiative, secret=False)
    return row


def follow_secrecy(initiative: Initiative) -> None:
    """Withdraw the page of an initiative that became confidential, in the same act."""
    row = (
        PublicPage.objects.filter(initiative=initiative, ended_at__isnull=True).first()
        if initiative.confidential
        else None
    )
    if row is not None:
        _end(row, initiative, secret=True)


def _end(row: PublicPage, initiative: Initiative, *, secret: bool) -> None:
    """Withdraw the page in the name of the acting person."""
    acting = row_history.current()
    row.ended_at, row.ended_by = clock.now(), acting.person if acting else None
    row.save()
    entries.record(EntryKind.PUBLIC_PAGE_WITHDRAWN, initiative=initiative, page=row.pk, secret=secret)
