"""What cases contribute to audit: which acts are decisions, which are readings, who held which role."""

from governance.audit.rights_report import Held, as_known, first_words
from governance.web.middleware import PAST_READ
from initiatives.models import Initiative, RoleAssignment
from initiatives.models.initiative import ROLES

DECISIONS = [
    "approval answered",
    "signed off",
    "vote withdrawn",
    "review approved",
    "review approved with conditions",
    "review refused",
    "review returned",
    "stage changed",
    "contract approved",
    "contract in force",
    "risk tier confirmed",
    "not applicable accepted",
    "waiver agreed",
    "waiver refused",
    "hold lifted",
    "debt excused",
    "continued",
    "rulebook published",
]
READINGS = ["evidence opened", "attachment opened", PAST_READ]


def roles_held(moment, people: dict, person=None) -> list[Held]:
    """Roles on cases that were accepted and had not ended at `moment`; granted by whoever proposed them.

    Accepting and ending count from the moment they are recorded, so the rows of that moment say it all.
    """
    only = {"person_id": person.pk} if person is not None else {}
    rows = [
        row
        for row in as_known(RoleAssignment, moment, **only)
        if row.accepted_at is not None and row.ended_at is None and people[row.person_id].is_active
    ]
    added = first_words(RoleAssignment, rows)
    cases = Initiative.objects.in_bulk({row.initiative_id for row in rows})
    return [
        Held(
            kind="role",
            person_id=row.person_id,
            person=people[row.person_id].full_name,
            what=ROLES.get(row.role, row.role),
            where=f"{cases[row.initiative_id].ref} {cases[row.initiative_id].title}",
            link=cases[row.initiative_id].get_absolute_url(),
            since=row.accepted_at,
            until=row.ended_at,
            granted_by=added.get(row.id, ("", ""))[0],
            reason=added.get(row.id, ("", ""))[1],
        )
        for row in rows
    ]
