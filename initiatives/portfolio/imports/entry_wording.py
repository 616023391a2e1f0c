"""Sentences for entries of imports."""

from governance.vocabulary.entry_kinds import EntryKind

SENTENCES: dict[str, str] = {
    EntryKind.INVENTORY_UPLOADED: "uploaded the inventory “{file}” of {source}.",
    EntryKind.IMPORT_DISCARDED: "discarded {file} before any row was imported.",
    EntryKind.IMPORT_UNDONE: "undid the import of {file}: {initiatives} initiatives are withdrawn.",
    EntryKind.UNIT_SET: "moved the initiative from {before} to {after}.",
    EntryKind.INVENTORY_CONFIRMED: (
        "confirmed the inventory of {source}: {counts[imported]} initiatives were imported as reported."
    ),
}
