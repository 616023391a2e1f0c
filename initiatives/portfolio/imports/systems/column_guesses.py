"""Guesses of columns: known exports by header, earlier choices, similar words.

docs/import-systems.md describes the exports and their use.
"""

import hashlib
from dataclasses import dataclass, field

from governance.audit_log.entries import canonical
from governance.tables.column_values import Guide
from governance.tables.columns import plain, present
from initiatives.models import SystemImportMapping
from initiatives.portfolio.imports.systems.table_fields import FIELDS

LOOKED_AT = 200  # columns that are compared with the words known for each field
# What the cells of a field are, by how it reads them.
KINDS = {"day": "day", "choice": "words", "person": "words", "vendor": "words", "unit": "words"}
GUIDES = {
    kind: Guide(
        {one.name: one.aliases for one in fields},
        {one.name: KINDS[one.reads] for one in fields if one.reads in KINDS},
    )
    for kind, fields in FIELDS.items()
}
OPENAPI = ("system", "object", "field", "title", "description", "format")


@dataclass(frozen=True)
class Export:
    """An export of a product: its identifying headers, and the fields they give.

    `columns` has the headers by field, the second for blank cells of the first. `values` has values for all rows by
    field. `ended` has by column the word that marks a row as gone at its source.
    """

    key: str
    words: str
    kind: str
    tells: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]
    values: dict[str, str] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    remark: str = ""


EXPORTS = (
    Export(
        "entra-credentials",
        "Microsoft Entra: app registrations with secrets and certificates",
        "accounts",
        ("ApplicationName", "ApplicationID", "Secret End Date"),
        {
            "name": ("ApplicationName",),
            "source_key": ("ApplicationID",),
            "owner": ("Owner",),
            "privileges": ("Permissions", "API Permissions"),
            "review_by": ("Secret End Date", "Certificate End Date"),
        },
        {"system": "Microsoft Entra ID"},
        remark="The end date of a secret or certificate becomes the day of the next review.",
    ),
    Export(
        "entra-applications",
        "Microsoft Entra: enterprise applications (service principals)",
        "accounts",
        ("DisplayName", "AppId"),
        {
            "name": ("DisplayName",),
            "source_key": ("AppId",),
            "owner": ("Owners", "Owner"),
            "privileges": ("Permissions",),
            "review_by": ("EndDateTime", "Expiry"),
        },
        {"system": "Microsoft Entra ID"},
    ),
    Export(
        "sharepoint-sites",
        "Microsoft 365: SharePoint site usage",
        "systems",
        ("Site URL", "Last Activity Date", "Root Web Template"),
        {
            "name": ("Site URL",),
            "location": ("Site URL",),
            "owner": ("Owner Principal Name", "Owner Display Name"),
            "last_updated_on": ("Last Activity Date",),
            "regions": ("Geo Location",),
            "source_key": ("Site Id",),
        },
        {"kind": "file_share"},
        {"Is Deleted": "true"},
        "The last activity includes visits. A site that people only read looks more current than it is.",
    ),
    Export(
        "power-platform-connectors",
        "Microsoft Power Platform: custom connectors",
        "systems",
        ("ConnectorName", "EnvironmentName", "DisplayName"),
        {
            "name": ("DisplayName",),
            "source_key": ("ConnectorName",),
            "location": ("EnvironmentName",),
            "purpose": ("Description",),
            "owner": ("CreatedBy",),
            "in_service_since": ("CreatedTime",),
        },
        {"kind": "home_grown"},
    ),
    Export(
        "salesforce-fields",
        "Salesforce: field definitions",
        "definitions",
        ("QualifiedApiName", "DataType", "Label"),
        {
            "term": ("Label",),
            "object": ("EntityDefinition.QualifiedApiName", "Object"),
            "field": ("QualifiedApiName",),
            "meaning": ("Description", "InlineHelpText"),
            "type": ("DataType",),
            "length": ("Length",),
            "source_key": ("DurableId",),
        },
        {"system": "Salesforce"},
    ),
    Export(
        "salesforce-setup",
        "Salesforce: field list from the set-up pages",
        "definitions",
        ("Field Label", "API Name", "Data Type"),
        {
            "term": ("Field Label",),
            "object": ("Object", "Object Name"),
            "field": ("API Name",),
            "meaning": ("Description", "Help Text"),
            "type": ("Data Type",),
            "length": ("Length",),
        },
        {"system": "Salesforce"},
    ),
    Export(
        "netsuite-records",
        "NetSuite: records browser",
        "definitions",
        ("Internal ID", "Type", "Label", "Help"),
        {
            "term": ("Label",),
            "object": ("Audit log", "Record Type"),
            "field": ("Internal ID",),
            "meaning": ("Help",),
            "type": ("Type",),
        },
        {"system": "NetSuite"},
    ),
    Export(
        "netsuite-schema",
        "NetSuite: schema browser",
        "definitions",
        ("Name", "Type", "Cardinality", "Label", "Help"),
        {
            "term": ("Label", "Name"),
            "object": ("Audit log", "Record Type"),
            "field": ("Name",),
            "meaning": ("Help",),
            "type": ("Type",),
        },
        {"system": "NetSuite"},
    ),
    Export(
        "openapi",
        "OpenAPI: the fields of its schemas",
        "definitions",
        OPENAPI,
        {
            "term": ("title",),
            "system": ("system",),
            "object": ("object",),
            "field": ("field",),
            "meaning": ("description",),
            "identifier_format": ("format",),
        },
    ),
)


def headers_digest(columns: list[str]) -> str:
    """Return the SHA-256 of the headers, independent of their order and spacing."""
    return hashlib.sha256(canonical(sorted(plain(name) for name in columns))).hexdigest()


def export_of(kind: str, columns: list[str]) -> Export | None:
    """Return the known export with these headers for this kind of row, or None."""
    known = {plain(name) for name in columns}
    return next(
        (one for one in EXPORTS if one.kind == kind and {plain(name) for name in one.tells} <= known), None
    )


def guess(kind: str, columns: list[str], cells: dict[str, list[str]]) -> dict[str, dict]:
    """Return by field the likely {"columns": [first, second], "value": for all rows}.

    `cells` has some cells of each column.
    """
    export = export_of(kind, columns)
    if export is None:
        looked_at = [name for name in columns[:LOOKED_AT] if len(name) <= 100]
        found = GUIDES[kind].guess(looked_at, cells)
        columns_of = {name: [column] for name, column in found.items()}
        for one in FIELDS[kind]:  # what a second column of the same meaning says: owned by, else managed by
            if one.second and one.reads in ("person", "status") and one.name in found:
                others = [name for name in present(looked_at, one.aliases) if name not in found.values()]
                columns_of[one.name] += others[:1]
        return {name: {"columns": there} for name, there in columns_of.items()}
    chosen: dict[str, dict] = {}
    for name, headers in export.columns.items():
        if there := present(columns, headers):
            second = next(one.second for one in FIELDS[kind] if one.name == name)
            chosen[name] = {"columns": there[: 2 if second else 1]}
    for name, value in export.values.items():
        chosen.setdefault(name, {})["value"] = value
    return chosen


def mapping_for(kind: str, columns: list[str], cells: dict[str, list[str]]) -> tuple[dict[str, dict], bool]:
    """Return the mapping for these headers, and True if it is remembered, not guessed.

    The meaning of a word is remembered for every table of the kind.
    """
    known = SystemImportMapping.objects.filter(kind=kind, headers=headers_digest(columns)).first()
    chosen: dict[str, dict] = {}
    if known is None:
        chosen = guess(kind, columns, cells)
    else:
        for name, how in known.columns.items():
            chosen[name] = {"columns": present(columns, how.get("columns", ()))}
            chosen[name] |= {part: how[part] for part in ("value", "order") if how.get(part)}
    for mapping in SystemImportMapping.objects.filter(kind=kind).order_by("at", "pk"):
        for name, how in mapping.columns.items():
            if how.get("words") and name in chosen:
                chosen[name].setdefault("words", {}).update(how["words"])
    return chosen, known is not None


def gone_at_source(kind: str, columns: list[str], cells: dict[str, str]) -> str:
    """Return the column that marks a known export's row as deleted, or ""."""
    export = export_of(kind, columns)
    for header, word in (export.ended if export else {}).items():
        for column in present(columns, (header,)):
            if cells.get(column, "").strip().casefold() == word:
                return column
    return ""
