"""The act on the register of components, and the rows that initiatives name."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.vocabulary import Layer
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.integration.components import permissions
from initiatives.integration.components.queries import initiatives_of
from initiatives.lifecycle.findings.sync import follow, lock_initiatives
from initiatives.lifecycle.initiative.act import act
from initiatives.models import ComponentVersion, Vendor

SAID = (
    *("layer", "vendor", "name", "version", "region"),
    *("end_of_life", "end_of_life_source", "successor"),
)


def keep_component(
    *,
    component: ComponentVersion | None = None,
    layer: str,
    vendor: Vendor | None,
    name: str,
    version: str,
    region: str = "",
    end_of_life: date | None = None,
    end_of_life_source: str = "",
    successor: ComponentVersion | None = None,
    by: User,
) -> ComponentVersion:
    """List a version of a component, or change and confirm its row.

    A change reaches the initiatives that run the version. `end_of_life` is the first day without support of the
    vendor. Its source is a link or words. The layer cannot change once an initiative runs it. Raises ValidationError
    or Refused.
    """
    with act("keep component", by=by, register=True):
        permissions.may_keep_components(by).or_refuse()
        now, initiatives, before = clock.now(), [], {}
        row = ComponentVersion(added_by=by, added_at=now)
        if component is not None:
            initiatives = lock_initiatives(initiatives_of(component))
            row = ComponentVersion.objects.select_related("vendor", "successor").get(pk=component.pk)
            before = _said(row)
        _take(row, (layer, vendor, name, version, region, end_of_life, end_of_life_source, successor))
        if row.confirmed_at is None:
            row.confirmed_by, row.confirmed_at = by, now
        _check(row)
        after = _said(row)
        changed = [key for key in after if (after[key] or None) != (before.get(key) or None)]
        if not changed:
            return row
        if before and "layer" in changed and row.deployments.exists():
            raise ValidationError(
                {
                    "layer": phrase(
                        "{} runs in the layer {}, so its layer cannot change. Add another component instead.",
                        row,
                        before["layer"],
                    )
                }
            )
        row.save()
        entries.record(
            EntryKind.COMPONENT_LISTED,
            component=str(row),
            component_id=row.pk,
            before={key: before[key] for key in changed if key in before},
            after={key: after[key] for key in changed},
        )
        follow(initiatives)
    return row


def version_named(
    layer: str, vendor: Vendor | None, name: str, version: str, region: str, *, by: User
) -> ComponentVersion:
    """Return the row with these values, else the one without a region, else a new one.

    The new row is a proposal. Runs inside an act on the register. Raises ValidationError.
    """
    row = ComponentVersion(added_by=by, added_at=clock.now())
    _take(row, (layer, vendor, name, version, region, None, "", None))
    known = _same(row, row.region).first() or _same(row, "").first()
    if known is not None:
        return known
    _check(row)
    row.save()
    return row


def _take(row: ComponentVersion, said: tuple) -> None:
    for key, value in zip(SAID, said, strict=True):
        setattr(row, key, value.strip() if isinstance(value, str) else value)


def _said(row: ComponentVersion) -> dict:
    """Return the values of a component version for the audit log, with things by name."""
    named = {key: getattr(row, key) for key in SAID} | {"confirmed": row.confirmed_at is not None}
    as_text = {key: str(named[key]) for key in ("vendor", "successor") if named[key] is not None}
    return named | as_text


def _check(row: ComponentVersion) -> None:
    wrong = {}
    if row.layer not in Layer:
        wrong["layer"] = "Choose the layer of the component."
    if not row.name:
        wrong["name"] = "Name the component, for example the model or the application."
    if not row.version:
        wrong["version"] = "Enter the version."
    if not wrong and _same(row, row.region).exclude(pk=row.pk).exists():
        whose = f" of {row.vendor}" if row.vendor else ""
        wrong["name"] = f"{row}{whose} is already in the register. Choose the existing row."
    if row.end_of_life and not row.end_of_life_source:
        wrong["end_of_life_source"] = "Give the source of the end of life: a link, or a person and a date."
    if row.successor is not None and row.successor.layer != row.layer:
        wrong["successor"] = f"{row.successor} is in another layer. Choose a successor in the same layer."
    elif row.successor is not None and _leads_to(row.successor.pk, row):
        wrong["successor"] = f"{row.successor} already has {row} as its successor. Choose another successor."
    if wrong:
        raise ValidationError(wrong)


def _same(row: ComponentVersion, region: str) -> QuerySet[ComponentVersion]:
    """Return the row with the same layer, vendor, name and version in this region."""
    return ComponentVersion.objects.select_related("vendor").filter(
        layer=row.layer,
        vendor=row.vendor,
        name__iexact=row.name,
        version__iexact=row.version,
        region__iexact=region,
    )


def _leads_to(key: int | None, row: ComponentVersion) -> bool:
    """Return True if the successors of the row with that key lead to this row."""
    seen: set[int] = set()
    while key is not None and key not in seen:
        if key == row.pk:
            return True
        seen.add(key)
        key = ComponentVersion.objects.values_list("successor", flat=True).get(pk=key)
    return False
