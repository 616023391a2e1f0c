"""Trace samples: outputs checked against governed sources of the register (S0-22).

Pure but for `governed_sources`, which reads the links of an initiative. Files are hostile until read: at most
MOST_OUTPUTS outputs and MOST_CITED citations each, cells up to LONGEST, a message for anything else.
"""

import json
from collections import Counter
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from governance import clock
from governance.tables.columns import named
from governance.tables.encodings import CodePageUnsure, decode, wrong
from governance.tables.reader import records_of
from governance.vocabulary.shares import wilson
from initiatives.models import Initiative, Link, System

MOST_BYTES = 5 * 1024 * 1024
MOST_OUTPUTS, MOST_CITED, LONGEST = 5_000, 50, 500
MOST_LISTED = 100  # ungoverned sources
OUTPUT_COLUMNS = ("output", "output_id", "id", "answer", "response_id")
SOURCE_COLUMNS = ("source", "sources", "cites", "cited", "citation", "citations", "reference", "references")
AFTER_A_NAME = ":/#?|@"  # what may follow the name of a system in a citation: "CRM: account 12"


# Reading


def read_sample(content: bytes, name: str) -> dict[str, list[str]]:
    """Return the outputs of a file with the sources that each cites, in file order.

    Accepts csv (one line per citation, or several in one cell, separated by ";") and jsonl (one output per line).
    Raises ValidationError on "file" with the remedy.
    """
    if not content.strip():
        raise wrong("The file is empty. Send one line per output, with the sources that it cites.")
    if len(content) > MOST_BYTES:
        raise wrong(f"The file is larger than {MOST_BYTES // 1024 // 1024} MB. Draw a smaller sample.")
    try:
        text, _ = decode(content)
    except CodePageUnsure:
        raise wrong("The file is not UTF-8. Save it as UTF-8 and send it again.") from None
    except ValidationError:
        raise wrong("The file is not text. Send csv or jsonl.") from None
    found: dict[str, list[str]] = {}
    rows = _json_lines(text) if text.lstrip().startswith("{") else _separated(text)
    for number, output, cited in rows:
        if not output:
            raise wrong(f"Line {number} has no output. Add the id of the output.")
        if len(output) > LONGEST or any(len(one) > LONGEST for one in cited):
            raise wrong(
                f"Line {number} has a name longer than {LONGEST} characters. Give ids, not whole texts."
            )
        known = found.setdefault(output, [])
        known += [one for one in dict.fromkeys(cited) if one not in known]
        if len(known) > MOST_CITED:
            raise wrong(
                f"Line {number}: one output cites more than {MOST_CITED} sources. Send fewer sources."
            )
        if len(found) > MOST_OUTPUTS:
            raise wrong(f"The sample has more than {MOST_OUTPUTS:,} outputs. Draw a smaller sample.")
    if not found:
        raise wrong("The file has a header but no lines below it. Add one line per output.")
    return found


def _json_lines(text: str):
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            raise wrong(
                f'Line {number} is not JSON. Write one object a line, like this {{"output": "A-17", '
                '"sources": ["CRM: account 12"]}.'
            ) from None
        if not isinstance(said, dict):
            raise wrong(f"Line {number} is not an object. Write an object with an output and its sources.")
        output, cited = (said[name] for name in _columns(said, f"Line {number}", "sources"))
        cited = [cited] if isinstance(cited, str) else [] if cited is None else cited
        if isinstance(output, bool) or not isinstance(output, (str, int)):
            raise wrong(f"Line {number}: write the output as a text or a whole number.")
        if not isinstance(cited, list) or not all(isinstance(one, str) for one in cited):
            raise wrong(f"Line {number}: write the sources as a list of texts.")
        yield number, _words(str(output)), [_words(one) for one in cited if one.strip()]


def _separated(text: str):
    rows = records_of(text)
    _, header = next(rows, (0, []))
    output, source = (header.index(name) for name in _columns(header, "The header", "source"))
    for number, row in rows:
        if any(row[len(header) :]):
            raise wrong(f"Line {number} has more cells than the header. Put a cell with a comma in quotes.")
        cells = [*row, *[""] * (len(header) - len(row))]
        cited = [_words(one) for one in cells[source].split(";")[: MOST_CITED + 1]]
        yield number, _words(cells[output]), [one for one in cited if one]


def _columns(names, where: str, source: str) -> tuple[str, str]:
    """Return the names of the columns of outputs and of their sources."""
    headers = {"output": OUTPUT_COLUMNS, source: SOURCE_COLUMNS}
    found = named(names, headers)
    for wanted, known in headers.items():
        if wanted not in found:
            raise wrong(
                f"{where} has no field for the {wanted}. Name the field {wanted}, or {', '.join(known[:4])}."
            )
    return found["output"], found[source]


def _words(text: str) -> str:
    return " ".join(text.split())


# Checking


@dataclass(frozen=True)
class Source:
    """A system that citations can name. `key`: of the system.

    `linked` is the key of the linked system, which may be its collection. `names` and `places` are in small letters.
    `why` is the reason that the system is not governed, or "".
    """

    name: str
    key: int
    linked: int
    names: tuple[str, ...]
    places: tuple[str, ...]
    why: str = ""

    def named_by(self, said: str) -> int:
        """Return how many letters of a citation name this source, or 0 for another source."""
        said = said.casefold()
        longest = 0
        for name in self.names:
            rest = said[len(name) :].lstrip()
            if said.startswith(name) and (not rest or rest[0] in AFTER_A_NAME):
                longest = max(longest, len(name))
        for place in self.places:
            rest = said[len(place) :]
            if said.startswith(place) and (not rest or place[-1] in "/\\" or rest[0] in "/\\?#:"):
                longest = max(longest, len(place))
        return longest


@dataclass(frozen=True)
class Checked:
    """The result of a checked sample.

    A row of `lines` is {output, cites: [{said, system, governed}]}. The number `hits` counts outputs that cite a
    governed source. A row of `ungoverned` is {said, count, why}, most cited first. Keys in `systems` are the linked
    systems hit.
    """

    outputs: int
    hits: int
    low: float
    high: float
    lines: list[dict]
    ungoverned: list[dict]
    systems: tuple[int, ...]


def check(sample: dict[str, list[str]], sources: list[Source]) -> Checked:
    """Check each citation against the sources of the register: a hit names one that is governed."""
    lines, missed, why, hits, systems = [], Counter(), {}, 0, {}
    looked_up: dict[str, Source | None] = {}
    for output, cited in sample.items():
        cites, hit = [], False
        for said in cited:
            if said not in looked_up:
                looked_up[said] = max(sources, key=lambda one: one.named_by(said), default=None)
                if looked_up[said] is not None and not looked_up[said].named_by(said):
                    looked_up[said] = None
            found = looked_up[said]
            governed = found is not None and not found.why
            hit |= governed
            cites.append({"said": said, "system": found.key if found else None, "governed": governed})
            if governed:
                systems.setdefault(found.linked)
            else:
                name = found.name if found else said
                missed[name] += 1
                why[name] = found.why if found else "The initiative has no link to this source."
        hits += hit
        lines.append({"output": output, "cites": cites})
    low, high = wilson(hits, len(sample))
    listed = [
        {"said": name, "count": count, "why": why[name]} for name, count in missed.most_common(MOST_LISTED)
    ]
    return Checked(len(sample), hits, low, high, lines, listed, tuple(systems))


def governed_sources(initiative: Initiative) -> list[Source]:
    """Return linked systems and members of collections, and why one is not governed.

    A governed system is linked as an anchor, in use, owned by an active person, and a source of truth for something.
    """
    links = (
        Link.objects.current().filter(initiative=initiative).select_related("system__owner").order_by("pk")
    )
    patterns: dict[int, set[str]] = {}
    linked: dict[int, System] = {}
    for link in links:
        patterns.setdefault(link.system_id, set()).add(link.pattern)
        linked[link.system_id] = link.system
    found = [_source(system, key, patterns[key]) for key, system in linked.items()]
    members = System.objects.filter(collection__in=linked).exclude(pk__in=linked).select_related("owner")
    return found + [
        _source(member, member.collection_id, patterns[member.collection_id]) for member in members
    ]


def _source(system: System, linked: int, patterns: set[str]) -> Source:
    if "anchor" not in patterns:
        why = "The link to this source is not an anchor."
    elif system.retired_at is not None:
        why = "The system is retired."
    elif system.condition(clock.today()) == "orphaned":
        why = "The system has no owner."
    elif not system.source_of_truth_for:
        why = "The system is not a source of truth."
    else:
        why = ""
    names = tuple(_words(name).casefold() for name in (system.name, system.source_key) if name.strip())
    places = tuple(place.casefold() for place in (system.location.strip(),) if place)
    return Source(system.name, system.pk, linked, names, places, why)
