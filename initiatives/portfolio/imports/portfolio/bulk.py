"""One thing set for many initiatives at once: tier, unit, vendor or owner; looked at before, all or nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from governance.audit_log import entries
from governance.models import Unit, User
from governance.organisation.actions import open_to_own
from governance.people.permissions import may_import
from governance.permission_result import Conflict
from governance.vocabulary import Role, Stage, Tier
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stages
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import BusinessCase, Initiative, RoleAssignment
from initiatives.portfolio.imports.inventories.reported_stages import unit_stays
from initiatives.portfolio.registration import actions as registration_actions

MOST = 500  # initiatives of one act, which is one transaction
WHAT = {"owner": "Owner to ask", "unit": "Unit", "tier": "Risk tier to propose", "vendor": "Vendor"}


@dataclass(frozen=True)
class Change:
    """What would become of one initiative: before and after in words, or why it stays as it is."""

    initiative: Initiative
    before: str
    after: str
    why: str = ""


def open_to_many(person: User) -> QuerySet:
    """Initiatives of one's own that an admin may set something of: an import brought them and nobody accepted."""
    owned = RoleAssignment.objects.in_force().filter(role=Role.OWNER)
    brought = Q(basis="import") | ~Q(source_organisation="")
    seen = initiative_permissions.visible_to(person).live().own().filter(brought)
    return seen.exclude(pk__in=owned.values("initiative"))


def preview(initiatives: list[Initiative], what: str, value, by: User) -> list[Change]:
    """What setting `what` to `value` would change, case by case; nothing is written."""
    keys = [initiative.pk for initiative in initiatives]
    may = set(open_to_many(by).filter(pk__in=keys).values_list("pk", flat=True)) if may_import(by) else set()
    stays = unit_stays(keys) if what == "unit" else {}
    now = _now(initiatives, what)
    after = _said(what, value)
    found = []
    for initiative in initiatives:
        before = now.get(initiative.pk, [])
        why = stays.get(initiative.pk, "")
        if initiative.pk not in may:
            why = "Its owner says what it is." if by.is_admin else "Only admins set this for many."
        elif initiative.closed:
            why = f"It is {Stage.word(initiative.stage).lower()}."
        elif after in before:
            why = "It is so already."
        found.append(Change(initiative, ", ".join(before), after, why))
    return found


def _now(initiatives: list[Initiative], what: str) -> dict[int, list[str]]:
    """How it stands now, by initiative."""
    found: dict[int, list[str]] = {}
    if what == "owner":
        asked = RoleAssignment.objects.open().filter(initiative__in=initiatives, role=Role.OWNER)
        for key, name in asked.values_list("initiative", "person__full_name"):
            found.setdefault(key, []).append(name)
    elif what == "vendor":
        rows = BusinessCase.objects.filter(initiative__in=initiatives).exclude(vendor="")
        found = {key: [vendor] for key, vendor in rows.values_list("initiative", "vendor")}
    elif what == "tier":
        found = {
            initiative.pk: [Tier.word(initiative.proposed_tier)]
            for initiative in initiatives
            if initiative.proposed_tier
        }
    else:
        found = {initiative.pk: [initiative.unit.name] for initiative in initiatives}
    return found


def _said(what: str, value) -> str:
    if what == "owner":
        return value.full_name
    if what == "unit":
        return value.name
    return Tier.word(value) if what == "tier" else value


def set_for_many(
    *, initiatives: list[Initiative], what: str, value, worst_credible_harm: str = "", by: User
) -> list[Initiative]:
    """Set one thing for all of these initiatives that `preview` would change; returns those that changed.

    `value`: a person, a unit, a tier or the name of a vendor. Raises ValidationError on what is missing, Refused where
    one of them is no longer the admin's to set, Conflict where none would change.
    """
    if what not in WHAT:
        raise ValidationError({"what": "Choose what to set."})
    if not value:
        raise ValidationError({what: "Choose what it should be."})
    if len(initiatives) > MOST:
        raise ValidationError({"what": f"At most {MOST} at once: filter further."})
    if what == "tier" and not worst_credible_harm.strip():
        raise ValidationError(
            {"worst_credible_harm": "Say what the worst credible harm of a wrong output is."}
        )
    if what == "unit":
        open_to_own(value, "unit")
    with act("set for many", by=by, reason=f"{WHAT[what]}, set for many: {_said(what, value)}"):
        may_import(by).or_refuse()
        keys = [
            initiative.pk
            for initiative in Initiative.objects.all_locked([initiative.pk for initiative in initiatives])
        ]
        locked = list(Initiative.objects.filter(pk__in=keys).select_related("unit").order_by("pk"))
        wanted = [change.initiative for change in preview(locked, what, value, by) if not change.why]
        if not wanted:
            raise Conflict("None of these would change.", "Choose others, or another value.")
        one: Callable[[Initiative], object] = {
            "owner": lambda initiative: role_actions.propose_role(
                initiative=initiative, role=Role.OWNER, person=value, by=by
            ),
            "unit": lambda initiative: _put(initiative, value),
            "tier": lambda initiative: detail_actions.propose_tier(
                initiative=initiative, tier=value, worst_credible_harm=worst_credible_harm, by=by
            ),
            "vendor": lambda initiative: registration_actions.state_business_case(
                initiative=initiative, said={"vendor": value}, by=by
            ),
        }[what]
        for initiative in wanted:
            one(initiative)
        if what == "unit":
            rewrite_supported_stages(
                list(Initiative.objects.filter(pk__in=[initiative.pk for initiative in wanted]))
            )
    return wanted


def _put(initiative: Initiative, unit: Unit) -> None:
    before, initiative.unit = initiative.unit, unit
    initiative.save()
    entries.record(EntryKind.UNIT_SET, initiative=initiative, before=before.name, after=unit.name)
