"""Accounts and groups of a directory, as SCIM asks for them."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from scim2_models import Resource, SearchRequest
from scim2_models.path import Comparison

from governance.models import Directory, ManagedAccount, ManagedGroup, ManagedMembership
from governance.vocabulary.readable_text import refusal
from initiatives.portfolio.provisioning.resources import MOST

# Attributes by which a directory looks for one resource, and the column that has each.
COLUMNS = {
    "username": "user_name__iexact",
    "externalid": "external_id",
    "id": "uid",
    "displayname": "display_name__iexact",
}


def accounts(directory: Directory) -> QuerySet[ManagedAccount]:
    """The accounts that the directory keeps, with what their resources need; break-glass and local ones are none."""
    groups = ManagedMembership.objects.select_related("group").order_by("group__display_name", "group_id")
    return (
        ManagedAccount.objects.filter(directory=directory, removed_at__isnull=True)
        .select_related("person__manager__managed")
        .prefetch_related(Prefetch("memberships", groups))
        .order_by("pk")
    )


def groups(directory: Directory, *, members: bool = True) -> QuerySet[ManagedGroup]:
    """The groups of the directory; with their members, which is much, unless the reader wants none."""
    rows = ManagedGroup.objects.filter(directory=directory).order_by("pk")
    inside = ManagedMembership.objects.select_related("account__person").order_by("pk")
    if not members:
        inside = inside.none()
    return rows.prefetch_related(Prefetch("memberships", inside))


def page(rows: QuerySet, asked: SearchRequest, resource_of) -> tuple[int, Sequence[Resource]]:
    """How many resources the question finds, and those of its page, MOST at most.

    Raises SCIMException where the filter cannot be applied. What the database can narrow it narrows; the rest of a
    filter and the order are worked out over the resources.
    """
    start = (asked.start_index or 1) - 1
    stop = start + (MOST if asked.count is None else min(asked.count, MOST))
    if not asked.filter and not asked.sort_by:
        return rows.count(), [resource_of(row) for row in rows[start:stop]]
    found = [resource_of(row) for row in _narrowed(rows, asked)]
    if asked.filter:
        bound = type(asked.filter)(asked.filter)
        found = [one for one in found if bound.match(one)]
    return len(found), asked.sort(found)[start:stop]


def _narrowed(rows: QuerySet, asked: SearchRequest) -> QuerySet:
    """Only the rows that can match, where the filter asks for one value of a column."""
    tree = asked.filter.ast if asked.filter else None
    if not isinstance(tree, Comparison) or str(tree.op).lower() != "eq" or not isinstance(tree.value, str):
        return rows
    name = tree.attr_path.attr.lower() if not tree.attr_path.sub_attr else ""
    column = COLUMNS.get(name)
    if column is None or not hasattr(rows.model, column.split("__")[0]):
        return rows
    if refusal(tree.value) or (column == "uid" and uid_of(tree.value) is None):
        return rows.none()  # nothing here has such a value
    return rows.filter(**{column: tree.value})


def uid_of(text: str) -> UUID | None:
    """The id that a text names; None where it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
