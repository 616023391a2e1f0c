"""One value set for many initiatives at once: tier, unit, vendor or owner."""

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from governance.models import User
from governance.organisation.actions import open_to_own
from governance.people.permissions import may_import
from governance.permission_result import Conflict
from governance.vocabulary import Role, Stage, Tier
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stages
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import BusinessCase, Initiative, RoleAssignment
from initiatives.portfolio.imports.inventories.reported_stages import unit_stays
from initiatives.portfolio.registration import actions as registration_actions
from initiatives.portfolio.units import actions as unit_actions

MOST = 500  # initiatives of one act, which is one transaction
WHAT = {"owner": "Owner to ask", "unit": "Unit", "tier": "Risk tier to propose", "vendor": "Vendor"}


@dataclass(frozen=True)
class Change:
    """The change of one initiative: before and after in words, or why it stays."""

    initiative: Initiative
    before: str
    after: str
    why: str = ""


def open_to_many(person: User) -> QuerySet:
    """Return the organisation's imported initiatives without an accepted owner. The person sees them."""
    owned = RoleAssignment.objects.in_force().filter(role=Role.OWNER)
    brought = Q(basis="import") | ~Q(source_organisation="")
    seen = visibility.visible_to(person).live().own().filter(brought)
    return seen.exclude(pk__in=owned.values("initiative"))


def preview(initiatives: list[Initiative], what: str, value, by: User) -> list[Change]:
    """Return each change of setting `what` to `value`, without writing it."""
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
            why = (
                "Only its owner can propose the tier."
                if by.is_admin
                else "Only admins can set this for several initiatives."
            )
        elif initiative.closed:
            why = f"The initiative is {Stage.word(initiative.stage).lower()}."
        elif after in before:
            why = "The initiative already has this value."
        found.append(Change(initiative, ", ".join(before), after, why))
    return found


def _now(initiatives: list[Initiative], what: str) -> dict[int, list[str]]:
    """Return the current values in words, by initiative."""
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
    """Set one value for all initiatives that `preview` would change, and return those.

    `value` is a person, a unit, a tier or the name of a vendor. Raises ValidationError on a missing value, Refused if
    the admin may no longer set one of them, and Conflict if none would change.
    """
    if what not in WHAT:
        raise ValidationError({"what": "Choose a field to set."})
    if not value:
        raise ValidationError({what: "Choose a value."})
    if len(initiatives) > MOST:
        raise ValidationError(
            {"what": phrase("You selected more than {} initiatives. Use a narrower filter.", MOST)}
        )
    if what == "tier" and not worst_credible_harm.strip():
        raise ValidationError({"worst_credible_harm": "Describe the worst credible harm of a wrong output."})
    if what == "unit":
        open_to_own(value, "unit")
    reason = f"{WHAT[what]}, set for many: {_said(what, value)}"
    with act("set for many", by=by, reason=reason, register=what == "unit"):
        may_import(by).or_refuse()
        keys = [
            initiative.pk
            for initiative in Initiative.objects.all_locked([initiative.pk for initiative in initiatives])
        ]
        locked = list(Initiative.objects.filter(pk__in=keys).select_related("unit").order_by("pk"))
        wanted = [change.initiative for change in preview(locked, what, value, by) if not change.why]
        if not wanted:
            raise Conflict("No initiative would change.", "Choose other initiatives, or another value.")
        if what == "unit":
            unit_actions.put_into(wanted, value, by=by)
            rewrite_supported_stages(
                list(Initiative.objects.filter(pk__in=[initiative.pk for initiative in wanted]))
            )
            return wanted
        one: Callable[[Initiative], object] = {
            "owner": lambda initiative: role_actions.propose_role(
                initiative=initiative, role=Role.OWNER, person=value, by=by
            ),
            "tier": lambda initiative: detail_actions.propose_tier(
                initiative=initiative, tier=value, worst_credible_harm=worst_credible_harm, by=by
            ),
            "vendor": lambda initiative: registration_actions.state_business_case(
                initiative=initiative, said={"vendor": value}, by=by
            ),
        }[what]
        for initiative in wanted:
            one(initiative)
    return wanted
