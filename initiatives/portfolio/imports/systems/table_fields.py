"""Fields of each kind of system import, with the headers to guess them by."""

from dataclasses import dataclass

from initiatives.integration.comparison.identifier_standards import STANDARDS
from initiatives.models import TermDefinition
from initiatives.models.integration.definitions import STATED
from initiatives.models.integration.systems import ACCESS, DIRECTIONS, PATTERNS, SYSTEM_KINDS


@dataclass(frozen=True)
class Field:
    """One value of a row. `reads` is how a cell is read. `longest` is in characters.

    `fixable` allows one value for all rows. `second` allows another column for blank cells. A `part` completes another
    field and is not compared by itself.
    """

    name: str
    words: str
    aliases: tuple[str, ...]
    reads: str = "text"
    longest: int = 0
    needed: bool = False
    fixable: bool = False
    second: bool = False
    part: bool = False
    choices: dict | None = None


_OWNER = (
    "owner",
    "owner principal name",
    "system owner",
    "owners",
    "responsible",
    "responsible person",
    "contact",
    "besitzer",
    "eigentümer",
    "verantwortlich",
    "verantwortliche person",
    "verantwortlicher",
    "inhaber",
    "owner display name",
    "owner email",
    "zuständig",
    *("owned by", "managed by", "supported by", "application owner", "it owner", "spec.owner", "maintainer"),
)
_NAMED = ("system", "system name", "systemname", "application", "app", "anwendung", "tool", "source system")
_PURPOSE = (
    "purpose",
    "description",
    "short description",
    "metadata.description",
    "zweck",
    "beschreibung",
    "what for",
    "wofür",
    "comment",
    "bemerkung",
)
_KEY = (
    "id",
    "key",
    "identifier",
    "kennung",
    "schlüssel",
    "cmdb id",
    "ci number",
    "asset id",
    "inventarnummer",
    *("number", "sys id", "external id", "asset tag", "correlation id"),
)

SYSTEMS = (
    Field(
        "name",
        "Name of the system",
        (
            *_NAMED,
            "name",
            "title",
            "display name",
            "displayname",
            "bezeichnung",
            "titel",
            "application name",
            "metadata.name",
        ),
        longest=160,
        needed=True,
        second=True,
    ),
    Field(
        "kind",
        "Kind of system",
        (
            *(
                "kind",
                "type",
                "system type",
                "art",
                "typ",
                "systemart",
                "category",
                "kategorie",
                "system kind",
            ),
            *("sys class name", "class", "ci class", "ci type", "finalclass", "spec.type"),
        ),
        reads="choice",
        needed=True,
        fixable=True,
        choices=SYSTEM_KINDS,
    ),
    Field(
        "owner", "Owner", (*_OWNER, "business owner", "product owner", "service owner"), "person", second=True
    ),
    Field(
        "location",
        "Location",
        ("location", "url", "address", "web address", "ort", "adresse", "link", "path", "pfad", "site url"),
        longest=250,
    ),
    Field("purpose", "Purpose", _PURPOSE),
    Field("vendor", "Vendor", ("vendor", "supplier", "manufacturer", "hersteller", "anbieter"), "vendor"),
    Field("unit", "Unit", ("unit", "department", "business unit", "abteilung", "bereich", "einheit"), "unit"),
    Field(
        "last_updated_on",
        "Last updated",
        (
            "last updated",
            "last update",
            "last activity date",
            "last modified",
            "modified",
            "last changed",
            "zuletzt geändert",
            "letzte änderung",
            "zuletzt aktualisiert",
            "letzte aktualisierung",
            *("sys updated on", "updated on", "updated at", "updated", "last updated on", "modified on"),
        ),
        "day",
    ),
    Field(
        "status",
        "Status in its source",
        (
            *(
                "install status",
                "operational status",
                "status",
                "lifecycle",
                "lifecycle phase",
                "lifecycle status",
            ),
            *("spec.lifecycle", "life cycle stage", "betriebsstatus", "lebenszyklus"),
        ),
        "status",
        second=True,
        part=True,
    ),
    Field(
        "updated_every_days",
        "Days until the content is out of date",
        (
            "out of date after",
            "out of date after in days",
            "update interval",
            "updated every",
            "review interval days",
            "aktualisierung alle tage",
        ),
        "number",
    ),
    Field(
        "in_service_since",
        "In service since",
        (
            "in service since",
            "go live",
            "go-live date",
            "created",
            "created time",
            "createdtime",
            "start date",
            "in betrieb seit",
            "eingeführt",
            "erstellt",
            "since",
        ),
        "day",
    ),
    Field("organised_on", "Last organised", ("organised on", "last organised", "zuletzt geordnet"), "day"),
    Field("editable", "Can be edited", ("editable", "writable", "bearbeitbar", "änderbar"), "yes_no"),
    Field(
        "regions",
        "Regions",
        (
            "region",
            "regions",
            "hosting region",
            "hosting location",
            "geo location",
            "standort",
            "regionen",
            "data location",
            "hosting country",
            "data centre",
            "rechenzentrum",
        ),
        "list",
    ),
    Field(
        "source_of_truth_for",
        "Source of truth for",
        ("source of truth", "source of truth for", "master data", "führend für", "stammdaten"),
        "list",
    ),
    Field(
        "knowledge_holder",
        "Expert",
        ("knowledge holder", "expert", "key person", "wissensträger", "ansprechpartner", "experte"),
        "person",
    ),
    Field(
        "collection",
        "Part of the collection",
        ("collection", "parent", "part of", "knowledge base", "sammlung", "teil von"),
        "system",
    ),
    Field(
        "source_key",
        "Key in the table",
        (*_KEY, "site id", "connectorname", "connector name", "system id"),
        longest=160,
    ),
)
ACCOUNTS = (
    Field("system", "System", _NAMED, "system", needed=True, fixable=True),
    Field(
        "name",
        "Name of the account",
        (
            "account",
            "account name",
            "service account",
            "service principal",
            "displayname",
            "display name",
            "applicationname",
            "application name",
            "name",
            "login",
            "konto",
            "dienstkonto",
            "kontoname",
            "benutzer",
        ),
        longest=160,
        needed=True,
    ),
    Field("owner", "Owner", _OWNER, "person", second=True),
    Field(
        "privileges",
        "Permissions",
        ("privileges", "permissions", "rights", "scopes", "api permissions", "rechte", "berechtigungen"),
    ),
    Field(
        "review_by",
        "Review by",
        (
            "review by",
            "review date",
            "secret end date",
            "expiry",
            "expires",
            "expiry date",
            "end date",
            "enddatetime",
            "valid until",
            "ablaufdatum",
            "gültig bis",
            "prüfen bis",
        ),
        "day",
        second=True,
    ),
    Field(
        "source_key",
        "Key in the table",
        ("applicationid", "application id", "appid", "client id", "app id", *_KEY),
        longest=160,
    ),
)
LINKS = (
    Field(
        "initiative",
        "Initiative",
        (
            "initiative",
            "initiative number",
            "initiative",
            "reference",
            "fall",
            "initiative id",
            "initiative ref",
            "use case",
        ),
        "initiative",
        needed=True,
        fixable=True,
    ),
    Field("system", "System", _NAMED, "system", needed=True, fixable=True),
    Field(
        "pattern",
        "Pattern",
        ("pattern", "integration pattern", "muster", "role of the system"),
        "choice",
        needed=True,
        fixable=True,
        choices=PATTERNS,
    ),
    Field(
        "direction",
        "Direction",
        ("direction", "data flow", "richtung", "datenfluss"),
        "choice",
        needed=True,
        fixable=True,
        choices=DIRECTIONS,
    ),
    Field(
        "access",
        "Access",
        ("access", "interface", "interface type", "protocol", "zugang", "zugriff", "schnittstelle"),
        "choice",
        needed=True,
        fixable=True,
        choices=ACCESS,
    ),
    Field("purpose", "Purpose", _PURPOSE),
    Field(
        "account",
        "Service account",
        ("service account", "account", "dienstkonto", "konto", "user"),
        "account",
    ),
    Field(
        "data_classes",
        "Classes of data",
        ("data classes", "data class", "classification", "datenklassen", "datenklasse", "data"),
        "list",
        fixable=True,
    ),
    Field(
        "live",
        "Uses production data",
        ("live", "live data", "productive", "produktiv", "echtdaten"),
        "yes_no",
    ),
    Field(
        "timeout_seconds",
        "Timeout (seconds)",
        ("timeout", "timeout seconds", "timeout (s)", "zeitüberschreitung"),
        "number",
    ),
    Field("retry", "Retries", ("retry", "retries", "retry policy", "wiederholung"), longest=200),
    Field(
        "on_failure",
        "Fallback if it is missing",
        ("on failure", "fallback", "when down", "bei ausfall", "ausfallverhalten", "failure behaviour"),
    ),
    Field(
        "told_users",
        "Message to users",
        ("message to users", "user message", "told users", "meldung an nutzer"),
        longest=250,
    ),
)
_FACETS = {"counted_unit": ("grain",), "as_of": ("stichtag",), "unit_or_currency": ("currency", "währung")}
DEFINITIONS = (
    Field(
        "term",
        "Business term",
        (
            "term",
            "business term",
            "label",
            "field label",
            "glossary term",
            "begriff",
            "fachbegriff",
            "bezeichnung",
            "feldbezeichnung",
        ),
        longest=80,
        needed=True,
        second=True,
    ),
    Field(
        "term_meaning",
        "Meaning of the term",
        ("term meaning", "term definition", "glossary definition", "begriffsdefinition"),
    ),
    Field("system", "System", (*_NAMED, "source", "quelle", "quellsystem"), "system", fixable=True),
    Field(
        "object",
        "Table or object",
        (
            "object",
            "object name",
            "table",
            "table name",
            "entity",
            "record",
            "record type",
            "objekt",
            "tabelle",
            "entitydefinition.qualifiedapiname",
        ),
        part=True,
    ),
    Field(
        "field",
        "Field",
        (
            "field",
            "field name",
            "api name",
            "qualifiedapiname",
            "internal id",
            "column",
            "column name",
            "attribute",
            "feld",
            "feldname",
            "spalte",
            "technical name",
            "technischer name",
        ),
        longest=120,
    ),
    Field(
        "meaning",
        "Meaning in the system",
        (
            "meaning",
            "definition",
            "description",
            "help",
            "help text",
            "inlinehelptext",
            "bedeutung",
            "beschreibung",
            "hilfetext",
            "erklärung",
        ),
        second=True,
    ),
    Field(
        "identifier_format",
        "Identifier format",
        ("identifier format", "format", "pattern", "regex", "format der kennung"),
        longest=200,
    ),
    *(
        Field(
            name,
            words,
            (words.lower(), *_FACETS.get(name, ())),
            "choice" if name == "identifier_standard" else "text",
            longest=TermDefinition._meta.get_field(name).max_length or 0,
            choices=STANDARDS if name == "identifier_standard" else None,
        )
        for name, words in STATED.items()
    ),
    Field("type", "Data type", ("data type", "datatype", "type", "datentyp", "typ"), part=True),
    Field("length", "Length", ("length", "size", "max length", "länge"), part=True),
    Field(
        "business_logic",
        "Business logic",
        ("business logic", "business rule", "rule", "formula", "geschäftsregel", "regel", "berechnung"),
    ),
    Field("valid_from", "Valid from", ("valid from", "from", "gültig ab", "gültig von"), "day"),
    Field("valid_to", "Valid to", ("valid to", "to", "until", "gültig bis"), "day"),
    Field("source_key", "Key in the table", ("durableid", "durable id", *_KEY), longest=200),
)
FIELDS: dict[str, tuple[Field, ...]] = {
    "systems": SYSTEMS,
    "links": LINKS,
    "accounts": ACCOUNTS,
    "definitions": DEFINITIONS,
}


def field_of(kind: str, name: str) -> Field:
    """Return the field of this name. Raises KeyError if it does not exist."""
    return {field.name: field for field in FIELDS[kind]}[name]


def compared(kind: str) -> list[Field]:
    """Return the fields that can differ from the register: all but the parts."""
    return [field for field in FIELDS[kind] if not field.part]
