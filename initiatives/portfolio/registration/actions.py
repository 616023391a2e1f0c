"""Registering an initiative, and stating its business case."""

from django.core.exceptions import ValidationError
from django.db import connection

from governance.audit_log import entries
from governance.models import Unit, User
from governance.organisation.actions import open_to_own
from governance.vocabulary.currencies import wrong_amount, wrong_currency
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.lifecycle.roles.actions import create_role
from initiatives.models import BusinessCase, Initiative
from initiatives.models.portfolio.business_cases import AMOUNTS
from initiatives.portfolio.registration import permissions as registration_permissions

BUSINESS_FIELDS = ("vendor", *AMOUNTS, "currency", "go_live_on", "ticket")


def next_numbers(count: int = 1) -> list[int]:
    """Return numbers for new references. Each is used once, even after a rollback.

    See docs/domain.md, invariant 2.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('plumbline_initiative_number') FROM generate_series(1, %s)", [count])
        return [row[0] for row in cursor.fetchall()]


def register(
    *,
    title: str,
    unit: Unit,
    problem: str,
    owner: User,
    successor_of: Initiative | None = None,
    by: User,
) -> Initiative:
    """Register an idea with four fields. Owners who register it accept. Others are asked.

    Raises ValidationError naming the field, and Refused for inactive people.
    """
    wrong = {}
    if not title.strip():
        wrong["title"] = "Give the initiative a title that people will recognise."
    if not problem.strip():
        wrong["problem"] = "Describe the problem that the initiative should solve, in one or two sentences."
    if not owner.is_active:
        wrong["owner"] = f"{owner} is no longer active. Choose someone else."
    if unit.imported:
        wrong["unit"] = unit.taken_over_first
    if successor_of is not None and not successor_of.closed:
        wrong["successor_of"] = (
            f"{successor_of.ref} is not stopped or retired. Choose a stopped or retired initiative."
        )
    if wrong:
        raise ValidationError(wrong)
    open_to_own(unit, "unit")
    with act("register", by=by, reason="Registered"):
        registration_permissions.may_register(by).or_refuse()
        initiative = Initiative(
            number=next_numbers()[0],
            title=title.strip(),
            unit=unit,
            problem=problem.strip(),
            registered_by=by,
            successor_of=successor_of,
        )
        initiative.save()
        entries.record(
            EntryKind.REGISTERED,
            initiative=initiative,
            unit=unit.name,
            problem=initiative.problem,
            owner=owner.full_name,
            successor_of=successor_of.ref if successor_of else None,
        )
        create_role(initiative, "owner", owner, by, accepted=owner == by)
        rewrite_supported_stage(initiative)
    return initiative


def state_business_case(*, initiative: Initiative, said: dict, reason: str = "", by: User) -> BusinessCase:
    """State money, dates and vendor of an initiative, as a person's own figures.

    `said` has fields of `BusinessCase`. Others stay. No decision uses the figures. Raises ValidationError by field.
    """
    with act("state business case", by=by, initiative=initiative, reason=reason) as initiative:
        initiative_permissions.may_describe(initiative, by).or_refuse()
        row = BusinessCase.objects.filter(initiative=initiative).first() or BusinessCase(
            initiative=initiative
        )
        before = {name: getattr(row, name) for name in BUSINESS_FIELDS}
        for name, value in said.items():
            setattr(row, name, value)
        check_business_case(row)
        after = {name: getattr(row, name) for name in BUSINESS_FIELDS}
        changed = [name for name in BUSINESS_FIELDS if before[name] != after[name]]
        if changed:
            row.save()
            entries.record(
                EntryKind.BUSINESS_CASE_STATED,
                initiative=initiative,
                before={name: _plain(before[name]) for name in changed},
                after={name: _plain(after[name]) for name in changed},
            )
    return row


def check_business_case(row: BusinessCase) -> None:
    """Write the currency in capitals. Raise ValidationError by field for negative or huge amounts, or no currency."""
    row.currency = row.currency.upper()
    wrong: dict[str, str | list] = {
        name: "Enter an amount of 0 or more." for name in AMOUNTS if (getattr(row, name) or 0) < 0
    }
    try:
        row.clean_fields(exclude=[each.name for each in row._meta.fields if each.name not in AMOUNTS])
    except ValidationError as digits:
        wrong |= digits.error_dict
    stated = [words for name, words in AMOUNTS.items() if getattr(row, name) is not None]
    if stated and not row.currency:
        wrong["currency"] = phrase("Name the currency of the {}.", label(stated[0], inside=True))
    elif row.currency and (unknown := wrong_currency(row.currency)):
        wrong["currency"] = unknown
    for name in AMOUNTS:
        amount = getattr(row, name)
        if amount is not None and (too_fine := wrong_amount(amount, row.currency)):
            wrong.setdefault(name, too_fine)
    if wrong:
        raise ValidationError(wrong)


def _plain(value) -> str | None:
    """Return a field of the business case as an entry keeps it."""
    return None if value in (None, "") else str(value)
