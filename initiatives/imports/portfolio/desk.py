"""Lines of owners: changes that a sheet proposes of what they own."""

from collections.abc import Iterator

from django.urls import reverse

from governance.models import User
from governance.notices.desk import Line
from governance.vocabulary import Role
from initiatives.imports.portfolio.queries import changes_waiting
from initiatives.models import RoleAssignment


def lines(person: User) -> Iterator[Line]:
    """One line for each initiative that the person owns and a sheet says otherwise of."""
    owned = RoleAssignment.objects.in_force().filter(person=person, role=Role.OWNER).values("initiative")
    for row in changes_waiting().filter(initiative__in=owned).select_related("initiative", "batch"):
        count = len(row.mapped["changes"])
        yield Line(
            "answer",
            row.initiative.title,
            reverse("case-changes", args=[row.initiative.ref]),
            "Take or leave them",
            f"{row.batch.file_name} proposes {count} change{'' if count == 1 else 's'}.",
            row.initiative.ref,
        )
