"""Units, people and initiatives here that a sheet may name."""

from django.db.models import QuerySet

from governance import clock
from governance.models import Rulebook, Unit, User
from governance.people.people_matching import name_key
from governance.vocabulary import Role, Stage, Tier
from initiatives.lifecycle.access import visibility
from initiatives.models import ImportBatch, ImportRow, Initiative, RoleAssignment, Vendor
from initiatives.models.imports import OWN_SHEET
from initiatives.portfolio.imports.portfolio.portfolio_plan import Here, Look, values_of
from initiatives.portfolio.initiative_list import portfolio_export


def top_unit() -> Unit | None:
    """Return the unit at the top of the organisation, the first of several."""
    return Unit.objects.own().filter(parent=None).order_by("pk").first()


def units_by_word() -> dict[str, int]:
    """Return the organisation's units by `name_key` of name and code, if unique."""
    found: dict[str, int | None] = {}
    for unit in Unit.objects.own():
        for word in {name_key(unit.name), name_key(unit.code)}:
            found[word] = None if word in found else unit.pk
    return {word: key for word, key in found.items() if key is not None}


def vendors_by_word() -> dict[str, str]:
    """Return the names of the vendors in the register, by `name_key`."""
    return {name_key(name): name for name in Vendor.objects.shared().values_list("name", flat=True)}


def described(initiative: Initiative) -> Initiative:
    """Return the initiative with its business case, read again."""
    return Initiative.objects.select_related("business_case", "unit").get(pk=initiative.pk)


def look(person: User, *, exported: bool) -> Look:
    """Return the initiatives that the person sees, by the names that rows may use.

    Initiatives of external inventories are found by reference alone. With `exported`, each has its row of the export.
    An exported sheet is read back by that row.
    """
    initiatives = visibility.visible_to(person).live()
    owners: dict[int, dict[int, str]] = {}
    held_or_asked = RoleAssignment.objects.open().filter(role=Role.OWNER)
    for initiative, key, name in held_or_asked.values_list("initiative", "person", "person__full_name"):
        owners.setdefault(initiative, {})[key] = name
    found = Look()
    parsed = None
    if exported:
        rulebook = Rulebook.objects.in_force()
        parsed = rulebook.parsed if rulebook else None
        initiatives = portfolio_export.annotated(initiatives, rulebook, clock.now())
    for initiative in initiatives.select_related("business_case", "unit").iterator(chunk_size=500):
        here = owners.get(initiative.pk, {})
        values = values_of(initiative) | {
            "owners": here,
            "owner": ", ".join(here.values()),
            "stage": Stage.word(initiative.stage),
            "tier": Tier.word(initiative.tier or initiative.proposed_tier)
            if initiative.tier or initiative.proposed_tier
            else "",
            "unit": initiative.unit.name,
            "unit_key": str(initiative.unit_id),
        }
        row = portfolio_export.compared(initiative, parsed) if exported else {}
        found.add(Here(initiative.pk, initiative.ref, values, row), own=not initiative.unit.imported)
    by_key = {one.pk: one for one in found.by_ref.values()}
    done = ImportRow.objects.filter(batch__source=OWN_SHEET, done_at__isnull=False, initiative__in=by_key)
    for digest, key in done.order_by("pk").values_list("raw_digest", "initiative_id"):
        found.by_digest[digest] = by_key[key]
    return found


def changes_waiting() -> QuerySet:
    """Return the rows of files with proposed changes that no one has answered."""
    rows = ImportRow.objects.proposing_changes().filter(batch__in=ImportBatch.objects.current())
    return rows.order_by("-batch_id", "line")
