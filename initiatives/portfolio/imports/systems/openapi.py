"""An OpenAPI document as a table of candidate definitions, one row a property.

References out of the document are named, not fetched. Depth, size, aliases and the number of rows are bounded, so a
document made to explode is refused with a message.
"""

import json
import re
from itertools import islice

import yaml

from governance.tables.encodings import decode, wrong
from governance.tables.reader import Line, Table

MAX_BYTES = 12 * 1024 * 1024
MAX_NODES = 1_000_000  # values and containers in a document
MAX_DEPTH = 60  # of nesting in the document
MAX_ALIASES = 500
MAX_ROWS = 20_000
NESTED = 4  # objects within objects that are followed into one path of a field
LONGEST_TEXT = 2000  # characters of a description that are kept
LONGEST_PATH = 200  # of a field; longer ones are cut, and nothing within them is looked for
SAID = ("title", "description", "pattern", "format", "minLength", "maxLength", "type")
COLUMNS = ["system", "object", "field", "title", "description", "format"]
NO_DOCUMENT = (
    "This file is not an OpenAPI document of version 3. Send an OpenAPI 3 document as JSON or YAML, or a table "
    "as csv or xlsx."
)


def is_document(content: bytes) -> bool:
    """Return True if the content begins like an OpenAPI document. Its name does not count."""
    head = content[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith(b"{") or bool(re.search(rb"(?m)^[\"']?(openapi|swagger)[\"']?\s*:", head))


def read_document(content: bytes, kind: str) -> Table:
    """Return the document as a table of its fields, or of the system it describes.

    `kind` is "definitions" or "systems". Raises ValidationError (on "file") if invalid, too large or made to explode.
    """
    if len(content) > MAX_BYTES:
        raise wrong(
            f"The document is larger than {MAX_BYTES // 1024 // 1024} MB. Keep only the schemas that you "
            "need."
        )
    text, encoding = decode(content, "utf-8")
    document = _parsed(text)
    version = _text(document.get("openapi"))
    if not version.startswith("3"):
        if "swagger" in document:
            raise wrong("The file is a Swagger 2 document. Convert it to OpenAPI 3 and send it again.")
        raise wrong(NO_DOCUMENT)
    about = _map(document.get("info"))
    name = _text(about.get("title"))
    if not name:
        raise wrong("The document has no title (info.title), so its system is not clear. Add a title.")
    if kind == "systems":
        return Table(
            ["name", "location", "purpose"],
            [
                Line(
                    1,
                    {
                        "name": name,
                        "location": _servers(document),
                        "purpose": _text(about.get("description")),
                    },
                )
            ],
            encoding=encoding,
        )
    if kind != "definitions":
        raise wrong("An OpenAPI document describes a system or its definitions. Choose one of these kinds.")
    fields = _Fields(document, name)
    lines = list(islice(fields.lines(), MAX_ROWS + 1))
    if len(lines) > MAX_ROWS:
        raise wrong(f"The document has more than {MAX_ROWS:,} fields. Keep only the schemas that you need.")
    if not lines:
        raise wrong("The document has no named schema with properties (components.schemas). Add one.")
    remarks = [f"Read from the named schemas of “{name}”, OpenAPI {version[:20]}."]
    if place := _servers(document):
        remarks.append(
            f"The system runs at {place}. Import the document again as “Systems” to add the system."
        )
    if fields.outside:
        remarks.append(
            f"{len(fields.outside)} references point outside the document and were not followed. The "
            f"first is “{sorted(fields.outside)[0][:120]}”."
        )
    return Table(COLUMNS, lines, encoding=encoding, remarks=remarks)


# --- Text to values --------------------------------------------------------------------------------------------------


def _parsed(text: str) -> dict:
    document = _from_json(text) if text.lstrip().startswith("{") else _from_yaml(text)
    if not isinstance(document, dict):
        raise wrong(NO_DOCUMENT)
    return document


def _from_json(text: str):
    """Return the parsed JSON. Its marks are counted first, to bound the result."""
    if sum(text.count(mark) for mark in "{[,") > MAX_NODES:
        raise wrong("The document has far more values than an interface needs. Keep only its schemas.")
    try:
        return json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        raise wrong(
            f"The JSON is not valid: line {error.lineno}, column {error.colno}. Correct it."
        ) from None
    except RecursionError:
        raise wrong("The document has too many nested levels. Keep only its schemas.") from None


def _from_yaml(text: str):
    """Return the YAML as texts, lists and mappings. Its events are checked first."""
    try:
        _look_through(text)
        return yaml.load(
            text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)
        )  # texts only: builds no object
    except yaml.MarkedYAMLError as error:
        where = f": line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise wrong(f"The YAML is not valid{where}. Correct it.") from None
    except (yaml.YAMLError, RecursionError):
        raise wrong("The YAML is not readable. Send the document as JSON.") from None


def _look_through(text: str) -> None:
    depth = nodes = aliases = documents = 0
    for event in yaml.parse(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)):
        if isinstance(event, yaml.AliasEvent):
            aliases += 1
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        nodes += isinstance(event, yaml.NodeEvent)
        if depth > MAX_DEPTH:
            raise wrong("The document has too many nested levels. Keep only its schemas.")
        if aliases > MAX_ALIASES or nodes > MAX_NODES:
            raise wrong(
                "The document has too many values or YAML aliases for an interface. Send the document as "
                "plain JSON."
            )
        if documents > 1:
            raise wrong(
                "The file contains several YAML documents. Send only the one that describes the interface."
            )


def _map(value) -> dict:
    return value if isinstance(value, dict) else {}


def _list(value) -> list:
    return value if isinstance(value, list) else []


def _text(value) -> str:
    return re.sub(r"[ \t]+", " ", _kept(value)).strip()[:LONGEST_TEXT] if isinstance(value, str) else ""


def _kept(text: str) -> str:
    """Return the text without zero bytes and lone surrogates, which databases refuse."""
    return re.sub(r"[\x00\ud800-\udfff]", "", text)


def _servers(document: dict) -> str:
    """Return the address of the first server with an absolute address, or ""."""
    urls = [_text(_map(server).get("url")) for server in _list(document.get("servers"))[:20]]
    return next((url for url in urls if "://" in url), "")[:250]


# --- Values to rows --------------------------------------------------------------------------------------------------


class _Fields:
    """The properties of the named schemas, one by one. Each schema is read once."""

    def __init__(self, document: dict, system: str):
        self.system = system
        self.schemas = _map(_map(document.get("components")).get("schemas"))
        self.outside: set[str] = set()
        self.steps = 0

    def lines(self):
        """Yield one line a field, numbered by its place."""
        number = 0
        for name, schema in self.schemas.items():
            seen: set[str] = set()
            for path, found in self._of(schema, "", 0):
                if path in seen:
                    continue
                seen.add(path)
                number += 1
                yield Line(number, self._cells(str(name), path, found))

    def _of(self, schema, before: str, depth: int):
        """Yield path and schema of each property, also of nested objects and `allOf`."""
        self.steps += 1
        if self.steps > MAX_NODES:
            raise wrong(
                "The schemas of the document have far too many fields. Keep only the schemas that you need."
            )
        if depth > 2 * NESTED:
            return
        schema = _map(schema)
        for part in _list(schema.get("allOf"))[:50]:
            # A part that is named elsewhere lists its own fields there.
            if "$ref" not in _map(part):
                yield from self._of(part, before, depth + 1)
        for name, found in _map(schema.get("properties")).items():
            path = f"{before}{_kept(str(name)[:LONGEST_PATH])}"
            yield path[:LONGEST_PATH], self._followed(found)
            inside = _map(found)
            mark = "."
            if "$ref" not in inside and isinstance(inside.get("items"), dict):
                inside, mark = inside["items"], "[]."
            if "$ref" not in inside and path.count(".") < NESTED and len(path) < LONGEST_PATH:
                yield from self._of(inside, f"{path}{mark}", depth + 1)

    def _followed(self, found) -> dict:
        """Return the schema behind at most ten local references. Values beside one come first."""
        merged: dict = {}
        for _ in range(10):
            found = _map(found)
            merged = {key: found[key] for key in SAID if key in found} | merged
            target = found.get("$ref")
            if not isinstance(target, str):
                return merged
            if not target.startswith("#/components/schemas/"):
                if not target.startswith("#"):
                    self.outside.add(target[:200])
                return merged
            found = self.schemas.get(target.rpartition("/")[2].replace("~1", "/").replace("~0", "~"))
        return merged

    def _cells(self, name: str, path: str, found: dict) -> dict[str, str]:
        last = re.split(r"[.\[\]]+", path)[-1]
        return {
            "system": self.system,
            "object": _kept(name)[:LONGEST_TEXT],
            "field": path,
            "title": _text(found.get("title")) or in_words(last),
            "description": _text(found.get("description")),
            "format": format_of(found),
        }


def in_words(name: str) -> str:
    """Return a field name as words: "customerId" and "customer_id" are "customer id"."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-.\s]+", " ", name[:200])
    return re.sub(r"\s+", " ", parted).strip().lower()


def format_of(found: dict) -> str:
    """Return the format of values: the pattern, or type, format and lengths, or ""."""
    pattern, shape = _text(found.get("pattern")), _text(found.get("format"))
    if pattern:
        return pattern
    least, most = _text(found.get("minLength")), _text(found.get("maxLength"))
    lengths = f"{least} characters" if least and least == most else ""
    if not lengths and most:
        lengths = f"{least or 0} to {most} characters"
    elif not lengths and least:
        lengths = f"at least {least} characters"
    kind = found.get("type")
    kind = " or ".join(str(one)[:20] for one in kind[:5]) if isinstance(kind, list) else _text(kind)
    if shape:
        return ", ".join(part for part in (f"{kind} ({shape})".strip(), lengths) if part)
    return ", ".join(part for part in (kind, lengths) if part) if lengths or kind == "integer" else ""
