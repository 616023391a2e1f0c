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
    """Return the accounts that the directory keeps, with rows for their resources. Local ones are not included."""
    groups = ManagedMembership.objects.select_related("group").order_by("group__display_name", "group_id")
    return (
        ManagedAccount.objects.filter(directory=directory, removed_at__isnull=True)
        .select_related("person__manager__managed")
        .prefetch_related(Prefetch("memberships", groups))
        .order_by("pk")
    )


def groups(directory: Directory, *, members: bool = True) -> QuerySet[ManagedGroup]:
    """Return the groups of the directory, with their many members unless not wanted."""
    rows = ManagedGroup.objects.filter(directory=directory).order_by("pk")
    inside = ManagedMembership.objects.select_related("account__person").order_by("pk")
    if not members:
        inside = inside.none()
    return rows.prefetch_related(Prefetch("memberships", inside))


def page(rows: QuerySet, asked: SearchRequest, resource_of) -> tuple[int, Sequence[Resource]]:
    """Return the number of matching resources, and those of the page, MOST at most.

    Raises SCIMException if the filter cannot be applied. The database narrows what it can. The rest of the filter, and
    the order, are applied to the resources.
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
    """Return only the rows that can match a filter for one value of a column, or all."""
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
    """Return the id in a text, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None
