"""Acts on residency: vendors, regions, vendor terms, and policies of units.

Every initiative touched is held at once. The rule itself (`residency.findings`) finds the initiatives of which a term
binds a place.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.models import Membership, Unit, User
from governance.notifications import notify
from governance.permission_result import Conflict
from governance.vocabulary import RUNNING_STAGES
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.integration.components.vendors import list_vendor
from initiatives.integration.residency import findings, permissions, regions
from initiatives.integration.residency.findings import UNIT, VENDOR, Bound, WhatIf
from initiatives.lifecycle.changes.actions import Pulled, pull_many
from initiatives.lifecycle.findings.sync import follow, lock_initiatives
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stages
from initiatives.models import (
    Deployment,
    Initiative,
    Region,
    System,
    Transfer,
    UnitPolicy,
    Vendor,
    VendorTerm,
)
from initiatives.models.integration.residency import TERM_KINDS


def add_vendor(*, name: str, by: User) -> Vendor:
    """Add a vendor, a company that initiatives use. Raises ValidationError if it is known."""
    if not name.strip():
        raise ValidationError({"name": "Name the company."})
    with act("add vendor", by=by, register=True):
        permissions.may_add_vendor(by).or_refuse()
        if Vendor.objects.shared().filter(name__iexact=name.strip()).exists():
            raise ValidationError({"name": "This vendor is listed already."})
        vendor = Vendor.objects.filter(name__iexact=name.strip()).first() or Vendor(name=name.strip())
        vendor.listed_by_component = False
        return list_vendor(vendor)


def add_region(*, key: str, words: str = "", within: str, by: User) -> Region:
    """Add a region and the region that contains it, and judge its places again.

    A region cannot be moved, because other initiatives may rest on it. Raises ValidationError.
    """
    wrong = {}
    if not key.strip():
        wrong["key"] = "Give the name that contracts and clouds use for the region."
    elif not findings.strange([key]):
        wrong["key"] = "The list already contains this region. Use it."
    if findings.strange([within]):
        wrong["within"] = "Name a known region, for example a country by its code."
    if wrong:
        raise ValidationError(wrong)
    with act("add region", by=by, register=True):
        permissions.may_set_regions(by).or_refuse()
        initiatives = lock_initiatives(initiatives_in(key))
        row = _region(key.strip(), words.strip(), within)
        entries.record(EntryKind.REGION_ADDED, region=row.key, within=within.strip())
        follow(initiatives)
    return row


def _region(key: str, words: str, within: str) -> Region:
    """Return the new row of a region. Known regions that contain it get rows too."""
    parent = None
    if within.strip():
        parent = Region.objects.filter(key__iexact=within.strip()).first()
        if parent is None:
            parent = _region(*regions.known()[regions.key_of(within)])
    row = Region(key=key, words=words, within=parent)
    row.save()
    return row


# --- Which initiatives a change could touch: found before any of them is locked
# --------------------------------------------


def initiatives_of_vendor(vendor: Vendor) -> list[int]:
    """Return running initiatives with a transfer or a linked system of this vendor."""
    links = _running().filter(links__ended_at__isnull=True)
    transfers = links.filter(links__transfers__vendor=vendor, links__transfers__ended_at__isnull=True)
    return _keys(links.filter(links__system__vendor=vendor), transfers)


def initiatives_of_unit(unit: Unit) -> list[int]:
    """Return running initiatives with a link, in this unit and below."""
    return _keys(_running().filter(unit__path__startswith=unit.path, links__ended_at__isnull=True))


def initiatives_in(region: str) -> list[int]:
    """Return running initiatives with a place in this region, now, before or later."""
    key = regions.key_of(region)
    named = [
        pk
        for pk, listed in System.objects.exclude(regions=[]).values_list("pk", "regions")
        if key in map(regions.key_of, listed)
    ]
    links = _running().filter(links__ended_at__isnull=True)
    transfers = Transfer.objects.filter(ended_at__isnull=True)
    at_transfer = transfers.filter(region__iexact=region.strip()).values("link")
    there = Deployment.objects.filter(
        initiative=OuterRef("deployment__initiative"),
        part=OuterRef("deployment__part"),
        region__iexact=region.strip(),
    )
    at_part = transfers.filter(Exists(there)).values("link")
    return _keys(
        links.filter(links__system__in=named),
        links.filter(links__in=at_transfer),
        links.filter(links__in=at_part),
    )


def _running():
    return Initiative.objects.live().filter(stage__in=RUNNING_STAGES)


def _keys(*found) -> list[int]:
    return sorted({key for rows in found for key in rows.order_by().values_list("pk", flat=True)})


# --- Terms and policies ----------------------------------------------------------------------------------------------


def file_vendor_term(
    *,
    vendor: Vendor,
    kind: str,
    reference: str,
    starts_on: date,
    ends_on: date | None = None,
    allowed: Sequence[str] = (),
    forbidden: Sequence[str] = (),
    data_classes: Sequence[str] = (),
    words: str = "",
    replaces: VendorTerm | None = None,
    by: User,
) -> VendorTerm:
    """File what a contract states about regions, from its first day on.

    Every initiative touched is held at once. A term of a person who cannot confirm it binds no one until someone who
    is notified confirms it. `replaces` is the term that ends in the same act. Raises ValidationError, Refused.
    """
    bound = check_term(
        VENDOR, vendor.pk, reference, starts_on, ends_on, allowed, forbidden, data_classes, words, kind=kind
    )
    with act("file vendor term", by=by, register=True):
        permissions.may_file_terms(vendor, by).or_refuse()
        initiatives = lock_initiatives(initiatives_of_vendor(vendor))
        ended = _current(VendorTerm, replaces)
        if ended is not None:
            permissions.may_withdraw_term(ended, by).or_refuse()
        binds = bool(permissions.may_confirm_terms(by))
        touched = _touched(initiatives, bound if binds else None, ended)
        row = VendorTerm(vendor=vendor, kind=kind, by=by, at=clock.now(), **_columns(bound))
        if binds:
            row.confirmed_by, row.confirmed_at = by, row.at
        row.awaits_confirmation = not binds
        if ended is not None:
            _withdraw(ended, f"Replaced by {row.reference}", by)
        row.save()
        entries.record(
            EntryKind.VENDOR_TERM_FILED,
            vendor=vendor.name,
            replaces=replaces and replaces.pk,
            binds=binds,
            **_said(row),
        )
        if binds or touched:
            _carry(initiatives, touched, f"Terms of {vendor}: {row.reference}", bound.starts_on, by=by)
        if not binds:
            _ask_to_confirm(row)
    return row


def confirm_vendor_term(*, term: VendorTerm, by: User) -> VendorTerm:
    """Let a filed term bind, as a residency seat or an admin, and hold initiatives.

    Raises Conflict if the term binds already or was withdrawn.
    """
    with act("confirm vendor term", by=by, register=True):
        permissions.may_confirm_terms(by).or_refuse()
        row = _current(VendorTerm, term)
        initiatives = lock_initiatives(initiatives_of_vendor(row.vendor))
        if not row.awaits_confirmation:
            raise Conflict("This term is confirmed already.")
        bound = bound_of(VENDOR, row)
        touched = _touched(initiatives, bound, None)
        row.awaits_confirmation, row.confirmed_by, row.confirmed_at = False, by, clock.now()
        row.save()
        entries.record(
            EntryKind.VENDOR_TERM_CONFIRMED, vendor=row.vendor.name, filed_by=row.by.full_name, **_said(row)
        )
        _carry(initiatives, touched, f"Terms of {row.vendor}: {row.reference}", row.starts_on, by=by)
    return row


def bound_of(basis: str, row) -> Bound:
    """Return a filed term as it would bind."""
    return Bound(
        basis,
        row.vendor_id if basis == VENDOR else row.unit_id,
        tuple(row.allowed),
        tuple(row.forbidden),
        tuple(row.data_classes),
        row.starts_on,
        row.ends_on,
        row.reference,
        row.words,
    )


def _ask_to_confirm(row: VendorTerm) -> None:
    """Notify the people who confirm terms about one that does not bind yet."""
    seats = Membership.objects.held_at(clock.now()).filter(seat__in=permissions.RESIDENCY_SEATS)
    notify.notify(
        list(User.objects.filter(pk__in=seats.values("person"))),
        "term to confirm",
        f"vendor-term:{row.pk}",
        subject=f"{row.vendor}: confirm the term that {row.by} filed",
        text=f"{row.reference}. The term has no effect until the security seat, the risk seat or an admin "
        "confirms the term.",
        link=reverse("row-act", args=["vendor-terms", row.pk, "confirm"]),
    )


def withdraw_vendor_term(*, term: VendorTerm, reason: str, by: User) -> VendorTerm:
    """Withdraw a vendor's term, which no longer binds from now on.

    If the term alone held an initiative, the chair may lift the hold.
    """
    _say_why(reason)
    with act("withdraw vendor term", by=by, reason=reason, register=True):
        row = _current(VendorTerm, term)
        permissions.may_withdraw_term(row, by).or_refuse()
        initiatives = lock_initiatives(initiatives_of_vendor(row.vendor))
        touched = _touched(initiatives, None, row)
        _withdraw(row, reason.strip(), by)
        entries.record(
            EntryKind.VENDOR_TERM_WITHDRAWN, vendor=row.vendor.name, why=reason.strip(), **_said(row)
        )
        _carry(initiatives, touched, f"Terms of {row.vendor}: {row.reference} withdrawn", None, by=by)
    return row


def set_unit_policy(
    *,
    unit: Unit,
    reference: str,
    starts_on: date,
    ends_on: date | None = None,
    allowed: Sequence[str] = (),
    forbidden: Sequence[str] = (),
    data_classes: Sequence[str] = (),
    words: str = "",
    replaces: UnitPolicy | None = None,
    by: User,
) -> UnitPolicy:
    """Set in which regions data of a unit and below may be, as by `file_vendor_term`."""
    bound = check_term(UNIT, unit.pk, reference, starts_on, ends_on, allowed, forbidden, data_classes, words)
    with act("set unit policy", by=by, register=True):
        permissions.may_set_regions(by).or_refuse()
        initiatives = lock_initiatives(initiatives_of_unit(unit))
        ended = _current(UnitPolicy, replaces)
        touched = _touched(initiatives, bound, ended)
        now = clock.now()
        row = UnitPolicy(unit=unit, by=by, at=now, confirmed_by=by, confirmed_at=now, **_columns(bound))
        if ended is not None:
            _withdraw(ended, f"Replaced by {row.reference}", by)
        row.save()
        entries.record(
            EntryKind.UNIT_POLICY_SET, unit=unit.name, replaces=replaces and replaces.pk, **_said(row)
        )
        _carry(initiatives, touched, f"Policy of {unit}: {row.reference}", bound.starts_on, by=by)
    return row


def withdraw_unit_policy(*, policy: UnitPolicy, reason: str, by: User) -> UnitPolicy:
    """Withdraw a policy of a unit, as in `withdraw_vendor_term`."""
    _say_why(reason)
    with act("withdraw unit policy", by=by, reason=reason, register=True):
        permissions.may_set_regions(by).or_refuse()
        initiatives = lock_initiatives(initiatives_of_unit(policy.unit))
        row = _current(UnitPolicy, policy)
        touched = _touched(initiatives, None, row)
        _withdraw(row, reason.strip(), by)
        entries.record(EntryKind.UNIT_POLICY_WITHDRAWN, unit=row.unit.name, why=reason.strip(), **_said(row))
        _carry(initiatives, touched, f"Policy of {row.unit}: {row.reference} withdrawn", None, by=by)
    return row


def check_term(
    basis: str,
    holder: int,
    reference: str,
    starts_on: date | None,
    ends_on: date | None,
    allowed: Sequence[str],
    forbidden: Sequence[str],
    data_classes: Sequence[str],
    words: str,
    *,
    kind: str = "region",
) -> Bound:
    """Return a term as it would bind. Raises ValidationError by field, also for unknown regions."""
    wrong = {}
    if kind not in TERM_KINDS:
        wrong["kind"] = "Choose the subject of the term."
    if not reference.strip():
        wrong["reference"] = "Name the source: contract and clause."
    if starts_on is None:
        wrong["starts_on"] = "Give the first day of the term."
    elif ends_on is not None and ends_on < starts_on:
        wrong["ends_on"] = "The last day is before the first day. Change one of the two days."
    if not (allowed or forbidden):
        wrong["allowed"] = "Name at least one allowed or forbidden region."
    for field, listed in (("allowed", allowed), ("forbidden", forbidden)):
        if strange := findings.strange(listed):
            wrong[field] = f"{findings.nobody_knows(strange)}. First add the missing regions under Regions."
    if wrong:
        raise ValidationError(wrong)
    return Bound(
        basis,
        holder,
        tuple(one.strip() for one in allowed),
        tuple(one.strip() for one in forbidden),
        tuple(one.strip() for one in data_classes if one.strip()),
        starts_on,
        ends_on,
        reference.strip(),
        words.strip(),
    )


def _columns(bound: Bound) -> dict:
    """Return the columns that terms and policies have in common."""
    return {
        "allowed": list(bound.allowed),
        "forbidden": list(bound.forbidden),
        "data_classes": list(bound.data_classes),
        "starts_on": bound.starts_on,
        "ends_on": bound.ends_on,
        "reference": bound.reference,
        "words": bound.words,
    }


def _said(row) -> dict:
    """Return the values of a term or policy for audit entries."""
    return {
        "term": row.pk,
        "reference": row.reference,
        "allowed": row.allowed,
        "forbidden": row.forbidden,
        "classes": row.data_classes,
        "from_day": row.starts_on,
        "to_day": row.ends_on,
    }


def _say_why(reason: str) -> None:
    if not reason.strip():
        raise ValidationError({"reason": "Give the reason why the term no longer applies."})


def _current(model, row):
    """Return the row as it is after the lock. Raises Conflict if it was withdrawn meanwhile."""
    if row is None:
        return None
    found = model.objects.select_related("vendor" if model is VendorTerm else "unit", "by").get(pk=row.pk)
    if found.withdrawn_at:
        raise Conflict("This term was withdrawn already.", "Open the list of terms again.")
    return found


def _withdraw(row, reason: str, by: User) -> None:
    row.withdrawn_at, row.withdrawn_by, row.withdrawn_reason = clock.now(), by, reason
    row.save()


# --- What it touches, and what follows -------------------------------------------------------------------------------


def _touched(initiatives: list[Initiative], bound: Bound | None, ended) -> list[tuple[int, int]]:
    """Return initiative and system of each path that the new or the ended term binds."""
    keys = [initiative.pk for initiative in initiatives]
    found = []
    if bound is not None:
        found += [one for one in findings.judge(keys, WhatIf(also=bound)) if one.term is None]
    if ended is not None:
        basis = VENDOR if isinstance(ended, VendorTerm) else UNIT
        found += [
            one
            for one in findings.judge(keys)
            if (one.basis, one.term) == (basis, ended.pk) and one.since <= clock.now()
        ]
    return sorted({(one.initiative, one.system) for one in found})


def _carry(
    initiatives: list[Initiative],
    touched: list[tuple[int, int]],
    what: str,
    starts_on: date | None,
    *,
    by: User,
) -> None:
    """Void what rests on the touched paths, and update findings and supported stages."""
    by_key = {initiative.pk: initiative for initiative in initiatives}
    systems = System.objects.in_bulk({system for _, system in touched})
    pull_many(
        [Pulled(by_key[initiative], systems[system]) for initiative, system in touched],
        ["vendor_terms"],
        what[:250],
        by=by,
        effective_at=_from(starts_on),
    )
    rewritten = {initiative.pk for initiative in follow(initiatives)}
    left = [by_key[key] for key in dict(touched) if key not in rewritten]
    if left:
        rewrite_supported_stages(left)


@contextmanager
def rebound(initiatives: list[Initiative], what: str, *, by: User) -> Iterator[None]:
    """Run a block that puts the units of locked initiatives under other policies.

    The block is in the running act on the register. The changes of policies are carried to the initiatives after the
    block.
    """
    keys = [initiative.pk for initiative in initiatives]
    before = _policies(keys)
    yield
    after = _policies(keys)
    moved = list(Initiative.objects.select_related("unit").filter(pk__in=keys).order_by("pk"))
    touched = sorted(place for place in {*before, *after} if before.get(place) != after.get(place))
    _carry(moved, touched, what, None, by=by)


def _policies(keys: list[int]) -> dict[tuple[int, int], set[int]]:
    """Return, by initiative and system, the policies that bind a place of its path."""
    found: dict[tuple[int, int], set[int]] = {}
    for one in findings.judge(keys):
        if one.basis == UNIT and one.counts_at(clock.now()):
            found.setdefault((one.initiative, one.system), set()).add(one.term)
    return found


def _from(starts_on: date | None) -> datetime:
    now = clock.now()
    return max(now, clock.midnight_before(starts_on)) if starts_on else now
