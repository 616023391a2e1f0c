"""A portfolio that was brought in: initiatives whose stage an import reports, of a unit with a board."""

from governance.models import Unit
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Initiative
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from initiatives.portfolio.units import actions as unit_actions

HEAD = "Name;Organisation;Status;Purpose\n"


def make_portfolio(cast, titles=("Claims triage", "Letter sorter"), status="In production"):
    """So many imported initiatives, in their order; their unit stands below the cast's, so that its board decides."""
    text = HEAD + "".join(f"{title};Fleet Ltd;{status};Does what its name says\n" for title in titles)
    batch = inventory_actions.upload_batch(
        content=text.encode(), file_name="portfolio.csv", source="fleet-2026", by=cast.admin
    )
    inventory_actions.confirm_batch(batch=batch, by=cast.admin)
    unit = Unit.objects.get(name="Fleet Ltd")
    if unit.imported:
        unit_actions.move_unit(unit=unit, into=cast.unit, reason="It is ours.", by=cast.admin)
    return list(Initiative.objects.filter(basis="import").select_related("unit").order_by("number"))


def give_owner(cast, initiative, person):
    """The person owns the imported initiative: asked by an admin, accepted in person."""
    role = role_actions.propose_role(initiative=initiative, role="owner", person=person, by=cast.admin)
    return role_actions.accept_role(assignment=role, by=person)
