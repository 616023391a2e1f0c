"""Whether outputs can be traced to governed sources: a sample read, checked against the register. Source: S0-22.

Pure but for `governed_sources`, which reads the links of an initiative. Files come from outside and are hostile until
read: at most MOST_OUTPUTS outputs and MOST_CITED citations each, no cell longer than LONGEST, a message for anything
else.
"""

import json
from collections import Counter
from dataclasses import dataclass
from math import sqrt

from django.core.exceptions import ValidationError

from governance import clock
from governance.tables.columns import named
from governance.tables.encodings import CodePageUnsure, decode, wrong
from governance.tables.reader import records_of
from initiatives.models import Initiative, Link, System

MOST_BYTES = 5 * 1024 * 1024
MOST_OUTPUTS, MOST_CITED, LONGEST = 5_000, 50, 500
MOST_LISTED = 100  # ungoverned sources
Z_95 = 1.959963984540054  # the 97.5 % quantile of the normal distribution
OUTPUT_COLUMNS = ("output", "output_id", "id", "answer", "response_id")
SOURCE_COLUMNS = ("source", "sources", "cites", "cited", "citation", "citations", "reference", "references")
AFTER_A_NAME = ":/#?|@"  # what may follow the name of a system in a citation: "CRM: account 12"


def wilson(hits: int, of: int, z: float = Z_95) -> tuple[float, float]:
    """The interval that holds the true rate with 95 % confidence, `hits` of `of` seen (Wilson's score interval).

    Unlike the textbook interval it stays within 0 and 1 and is honest about small samples (Wilson 1927; Newcombe
    1998). Raises ValueError for what is no share of a sample.
    """
    if of <= 0 or not 0 <= hits <= of:
        raise ValueError(f"{hits} of {of} is no share of a sample.")
    share, square = hits / of, z * z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = z / (1 + square / of) * sqrt(share * (1 - share) / of + square / (4 * of * of))
    return (0.0 if hits == 0 else middle - half), (1.0 if hits == of else middle + half)


# Reading


def read_sample(content: bytes, name: str) -> dict[str, list[str]]:
    """The outputs of a file with the sources that each cites, in the order of the file.

    Taken are csv (one line per citation, or several in one cell parted by ";") and jsonl (one output per line).
    Raises ValidationError on "file" with words that say how to fix it.
    """
    if not content.strip():
        raise wrong("The file is empty. Send one line per output, with the sources that it cites.")
    if len(content) > MOST_BYTES:
        raise wrong(f"The file is larger than {MOST_BYTES // 1024 // 1024} MB. Draw a smaller sample.")
    try:
        text, _ = decode(content)
    except CodePageUnsure:
        raise wrong("The file is not UTF-8. Save it as UTF-8 and send that.") from None
    except ValidationError:
        raise wrong("The file is not text. Send csv or jsonl.") from None
    found: dict[str, list[str]] = {}
    rows = _json_lines(text) if text.lstrip().startswith("{") else _separated(text)
    for number, output, cited in rows:
        if not output:
            raise wrong(f"Line {number} names no output.")
        if len(output) > LONGEST or any(len(one) > LONGEST for one in cited):
            raise wrong(
                f"Line {number} has a name longer than {LONGEST} characters. Give ids, not whole texts."
            )
        known = found.setdefault(output, [])
        known += [one for one in dict.fromkeys(cited) if one not in known]
        if len(known) > MOST_CITED:
            raise wrong(f"Line {number}: one output cites more than {MOST_CITED} sources.")
        if len(found) > MOST_OUTPUTS:
            raise wrong(f"The sample has more than {MOST_OUTPUTS:,} outputs. Draw a smaller one.")
    if not found:
        raise wrong("There is a header and nothing below it.")
    return found


def _json_lines(text: str):
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            raise wrong(
                f"Line {number} is not JSON. Each line is one object, for instance "
                '{"output": "A-17", "sources": ["CRM: account 12"]}.'
            ) from None
        if not isinstance(said, dict):
            raise wrong(f"Line {number} is no object with an output and its sources.")
        output, cited = (said[name] for name in _columns(said, f"Line {number}", "sources"))
        cited = [cited] if isinstance(cited, str) else [] if cited is None else cited
        if isinstance(output, bool) or not isinstance(output, (str, int)):
            raise wrong(f"Line {number}: the output is named by a text or a whole number.")
        if not isinstance(cited, list) or not all(isinstance(one, str) for one in cited):
            raise wrong(f"Line {number}: the sources are a list of texts.")
        yield number, _words(str(output)), [_words(one) for one in cited if one.strip()]


def _separated(text: str):
    rows = records_of(text)
    _, header = next(rows, (0, []))
    output, source = (header.index(name) for name in _columns(header, "The header", "source"))
    for number, row in rows:
        cells = [*row, *[""] * (len(header) - len(row))]
        cited = [_words(one) for one in cells[source].split(";")[: MOST_CITED + 1]]
        yield number, _words(cells[output]), [one for one in cited if one]


def _columns(names, where: str, source: str) -> tuple[str, str]:
    """The names of the column of outputs, and of that of their sources."""
    headers = {"output": OUTPUT_COLUMNS, source: SOURCE_COLUMNS}
    found = named(names, headers)
    for wanted, known in headers.items():
        if wanted not in found:
            raise wrong(f"{where} names no {wanted}. Call it {wanted}, or {', '.join(known[:4])}.")
    return found["output"], found[source]


def _words(text: str) -> str:
    return " ".join(text.split())


# Checking


@dataclass(frozen=True)
class Source:
    """A system that citations can name. `key`: of the system; `linked`: of the linked one, its collection perhaps.

    `names` and `places` are in small letters; `why` it is not governed, "" where it is.
    """

    name: str
    key: int
    linked: int
    names: tuple[str, ...]
    places: tuple[str, ...]
    why: str = ""

    def named_by(self, said: str) -> int:
        """How many letters of a citation name this source; 0 where it names another."""
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
    """What a sample comes to. `lines`: rows of {output, cites: [{said, system, governed}]}.

    `hits`: outputs that cite at least one governed source. `ungoverned`: rows of {said, count, why}, most cited first.
    `systems`: keys of the linked systems that were hit.
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
                why[name] = found.why if found else "The register knows no such source on this initiative."
        hits += hit
        lines.append({"output": output, "cites": cites})
    low, high = wilson(hits, len(sample))
    listed = [
        {"said": name, "count": count, "why": why[name]} for name, count in missed.most_common(MOST_LISTED)
    ]
    return Checked(len(sample), hits, low, high, lines, listed, tuple(systems))


def governed_sources(initiative: Initiative) -> list[Source]:
    """The systems that the initiative links, those inside linked collections among them, and why one is not governed.

    Governed is what is linked as an anchor, in use, owned by somebody who is here, and a source of truth for something.
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
        why = "It is linked, and not as an anchor."
    elif system.retired_at is not None:
        why = "It is no longer in use."
    elif system.condition(clock.today()) == "orphaned":
        why = "Nobody owns it."
    elif not system.source_of_truth_for:
        why = "It is the source of truth for nothing."
    else:
        why = ""
    names = tuple(_words(name).casefold() for name in (system.name, system.source_key) if name.strip())
    places = tuple(place.casefold() for place in (system.location.strip(),) if place)
    return Source(system.name, system.pk, linked, names, places, why)
