"""Sentences for entries of imports."""

from governance.vocabulary.entry_kinds import EntryKind

SENTENCES: dict[str, str] = {
    EntryKind.SYSTEM_IMPORT_READ: "read the table “{file}” ({kind_of_rows:rows})<{repeats?}, the same as before>.",
    EntryKind.SYSTEM_IMPORT_MAPPED: "chose the meaning of the columns of table {table}.",
    EntryKind.SYSTEM_IMPORT_ROWS_CHOSEN: "chose what happens to {rows} rows of table {table}.",
    EntryKind.SYSTEM_IMPORT_CONFIRMED: (
        "confirmed table {table} ({kind_of_rows:rows}): {new} new rows, {replaced} rows that replace values."
    ),
    EntryKind.SYSTEM_IMPORT_ENTERED: (
        "imported table {table} into the register: {entered} rows added, {replaced} replaced values."
    ),
    EntryKind.SYSTEM_IMPORT_DROPPED: "discarded the table “{file}” before any row was imported.",
    EntryKind.INVENTORY_UPLOADED: "uploaded the inventory “{file}” of {source}.",
    EntryKind.IMPORT_DISCARDED: "discarded {file} before any row was imported.",
    EntryKind.IMPORT_UNDONE: "undid the import of {file}: {initiatives} initiatives are withdrawn.",
    EntryKind.UNIT_SET: "moved the initiative from {before} to {after}.",
    EntryKind.INVENTORY_CONFIRMED: (
        "confirmed the inventory of {source}: {counts[imported]} initiatives were imported as reported."
    ),
}
