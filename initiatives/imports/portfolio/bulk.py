"""One thing set for many initiatives at once: tier, unit, vendor or owner; looked at before, all or nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from governance.ledger import record
from governance.models import Unit, User
from governance.organisation.actions import open_to_own
from governance.people.permissions import may_import
from governance.permission_result import Conflict
from governance.vocabulary import Role, Stage, Tier
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.access import permissions as case_permissions
from initiatives.cases.act import act, settle_standings
from initiatives.imports.inventories.claims import unit_stays
from initiatives.models import BusinessCase, Initiative, RoleAssignment
from initiatives.registration import actions as registration_actions
from initiatives.roles import actions as role_actions

MOST = 500  # initiatives of one act, which is one transaction
WHAT = {"owner": "Owner to ask", "unit": "Unit", "tier": "Risk tier to propose", "vendor": "Vendor"}


@dataclass(frozen=True)
class Change:
    """What would become of one initiative: before and after in words, or why it stays as it is."""

    case: Initiative
    before: str
    after: str
    why: str = ""


def open_to_many(person: User) -> QuerySet:
    """Initiatives of one's own that an admin may set something of: an import brought them and nobody accepted."""
    owned = RoleAssignment.objects.in_force().filter(role=Role.OWNER)
    brought = Q(basis="import") | ~Q(source_organisation="")
    seen = case_permissions.visible_to(person).live().own().filter(brought)
    return seen.exclude(pk__in=owned.values("initiative"))


def preview(cases: list[Initiative], what: str, value, by: User) -> list[Change]:
    """What setting `what` to `value` would change, case by case; nothing is written."""
    keys = [case.pk for case in cases]
    may = set(open_to_many(by).filter(pk__in=keys).values_list("pk", flat=True)) if may_import(by) else set()
    stays = unit_stays(keys) if what == "unit" else {}
    now = _now(cases, what)
    after = _said(what, value)
    found = []
    for case in cases:
        before = now.get(case.pk, [])
        why = stays.get(case.pk, "")
        if case.pk not in may:
            why = "Its owner says what it is." if by.is_admin else "Only admins set this for many."
        elif case.closed:
            why = f"It is {Stage.word(case.stage).lower()}."
        elif after in before:
            why = "It is so already."
        found.append(Change(case, ", ".join(before), after, why))
    return found


def _now(cases: list[Initiative], what: str) -> dict[int, list[str]]:
    """How it stands now, by case."""
    found: dict[int, list[str]] = {}
    if what == "owner":
        asked = RoleAssignment.objects.open().filter(initiative__in=cases, role=Role.OWNER)
        for key, name in asked.values_list("initiative", "person__full_name"):
            found.setdefault(key, []).append(name)
    elif what == "vendor":
        rows = BusinessCase.objects.filter(initiative__in=cases).exclude(vendor="")
        found = {key: [vendor] for key, vendor in rows.values_list("initiative", "vendor")}
    elif what == "tier":
        found = {case.pk: [Tier.word(case.proposed_tier)] for case in cases if case.proposed_tier}
    else:
        found = {case.pk: [case.unit.name] for case in cases}
    return found


def _said(what: str, value) -> str:
    if what == "owner":
        return value.full_name
    if what == "unit":
        return value.name
    return Tier.word(value) if what == "tier" else value


def set_for_many(
    *, cases: list[Initiative], what: str, value, worst_credible_harm: str = "", by: User
) -> list[Initiative]:
    """Set one thing for all of these initiatives that `preview` would change; returns those that changed.

    `value`: a person, a unit, a tier or the name of a vendor. Raises ValidationError on what is missing, Refused where
    one of them is no longer the admin's to set, Conflict where none would change.
    """
    if what not in WHAT:
        raise ValidationError({"what": "Choose what to set."})
    if not value:
        raise ValidationError({what: "Choose what it should be."})
    if len(cases) > MOST:
        raise ValidationError({"what": f"At most {MOST} at once: filter further."})
    if what == "tier" and not worst_credible_harm.strip():
        raise ValidationError(
            {"worst_credible_harm": "Say what the worst credible harm of a wrong output is."}
        )
    if what == "unit":
        open_to_own(value, "unit")
    with act("set for many", by=by, reason=f"{WHAT[what]}, set for many: {_said(what, value)}"):
        may_import(by).or_refuse()
        keys = [case.pk for case in Initiative.objects.all_locked([case.pk for case in cases])]
        locked = list(Initiative.objects.filter(pk__in=keys).select_related("unit").order_by("pk"))
        wanted = [change.case for change in preview(locked, what, value, by) if not change.why]
        if not wanted:
            raise Conflict("None of these would change.", "Choose others, or another value.")
        one: Callable[[Initiative], object] = {
            "owner": lambda case: role_actions.propose_role(case=case, role=Role.OWNER, person=value, by=by),
            "unit": lambda case: _put(case, value),
            "tier": lambda case: registration_actions.propose_tier(
                case=case, tier=value, worst_credible_harm=worst_credible_harm, by=by
            ),
            "vendor": lambda case: registration_actions.state_business_case(
                case=case, said={"vendor": value}, by=by
            ),
        }[what]
        for case in wanted:
            one(case)
        if what == "unit":
            settle_standings(list(Initiative.objects.filter(pk__in=[case.pk for case in wanted])))
    return wanted


def _put(case: Initiative, unit: Unit) -> None:
    before, case.unit = case.unit, unit
    case.save()
    record.record(EntryKind.UNIT_SET, case=case, before=before.name, after=unit.name)
