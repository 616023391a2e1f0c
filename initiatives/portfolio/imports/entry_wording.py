"""Sentences for entries of imports."""

from governance.vocabulary.entry_kinds import EntryKind

SENTENCES: dict[str, str] = {
    EntryKind.SYSTEM_IMPORT_READ: "read the table “{file}” ({kind_of_rows:rows})<{repeats?}, the same as before>.",
    EntryKind.SYSTEM_IMPORT_MAPPED: "said what the columns of table {table} mean.",
    EntryKind.SYSTEM_IMPORT_ROWS_CHOSEN: "chose what becomes of {rows} rows of table {table}.",
    EntryKind.SYSTEM_IMPORT_CONFIRMED: (
        "confirmed table {table} ({kind_of_rows:rows}): {new} rows are new, {replaced} replace something."
    ),
    EntryKind.SYSTEM_IMPORT_ENTERED: (
        "brought table {table} into the register: {entered} rows entered, {replaced} replaced words."
    ),
    EntryKind.SYSTEM_IMPORT_DROPPED: "dropped the table “{file}”; nothing of it entered.",
    EntryKind.INVENTORY_UPLOADED: "uploaded the inventory “{file}” of {source}.",
    EntryKind.IMPORT_DISCARDED: "threw away {file}, of which nothing was live.",
    EntryKind.IMPORT_UNDONE: "undid the import of {file}: {initiatives} initiatives are withdrawn.",
    EntryKind.UNIT_SET: "put the initiative from {before} to {after}.",
    EntryKind.INVENTORY_CONFIRMED: "confirmed the inventory of {source}: {counts[imported]} came in as reported.",
}
