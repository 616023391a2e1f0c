"""Vendors by their name: one register for components, transfers, systems and terms."""

from governance.audit_log import entries
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.models import Vendor


def vendor_named(name: str) -> Vendor | None:
    """The vendor of this name, listed where nobody listed it yet; None for no name. Inside an act on the register."""
    name = name.strip()
    if not name:
        return None
    known = Vendor.objects.filter(name__iexact=name).first()
    return known or list_vendor(Vendor(name=name, listed_by_component=True))


def list_vendor(vendor: Vendor) -> Vendor:
    """Put a vendor into the register, inside the running act."""
    vendor.save()
    entries.record(EntryKind.VENDOR_ADDED, vendor=vendor.name, vendor_id=vendor.pk)
    return vendor
