"""Contracts to begin with, for five initiatives that most organisations have: read from contract_templates.toml."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance import rulebook
from governance.contracts.clauses import ASK, FAILURES, REFUSE, Terms
from governance.rulebook import validation
from governance.rulebook.schema import FIXED, Shape
from governance.rulebook.source_positions import lines_of

WORDS = {"actions": "action", "resources": "resource", "audiences": "audience"}
SHAPE = Shape(
    top={"template": ("rows", True, "")},
    rows={
        "template": dict.fromkeys(("key", "title", "about", "audience"), ("text", True, ""))
        | dict.fromkeys(WORDS, ("texts by name", True, ""))
        | {
            "retention_days": ("count", True, ""),
            "clause": ("rows", True, ""),
            "failures": ("table", True, ""),
        }
    },
)


@dataclass(frozen=True)
class Begun:
    """One clause to begin with."""

    kind: str
    terms: Terms


@dataclass(frozen=True)
class Starter:
    """A contract to begin with: what for, the words it uses as (kind, key, words), and its clauses in order."""

    key: str
    title: str
    about: str
    vocabulary: tuple[tuple[str, str, str], ...]
    clauses: tuple[Begun, ...]

    @property
    def words(self) -> dict[str, str]:
        """Return the words by key."""
        return {key: words for _, key, words in self.vocabulary}


def read(text: str) -> dict[str, Starter]:
    """Return the contracts of the text by key. Raises RulebookErrors, each with its line."""
    lines = lines_of(text)
    found = {}
    for number, row in enumerate(validation.checked_beside(text, SHAPE, {})["template"]):
        clauses = []
        for place, clause in enumerate(row["clause"]):
            with _named(lines["template", number, "clause", place], f"clause of {row['key']}"):
                clauses.append(_clause(**clause))
        with _named(lines["template", number, "failures"], f"failures of {row['key']}"):
            clauses += _failures(**row["failures"])
        clauses += [
            _clause("record_owner"),
            _clause("audience", audience=[row["audience"]]),
            _clause("retention", days=row["retention_days"]),
        ]
        words = [(kind, key, said) for name, kind in WORDS.items() for key, said in row[name].items()]
        found[row["key"]] = Starter(row["key"], row["title"], row["about"], tuple(words), tuple(clauses))
    return found


def _clause(kind: str, **terms: Any) -> Begun:
    if kind not in FIXED["clause kind"]:
        raise ValueError(
            f'the kind "{kind}" does not exist. Choose one of {", ".join(FIXED["clause kind"])}.'
        )
    return Begun(kind, Terms.read(terms))


def _failures(*, ask_when: list[str], refuse: list[str], act: dict[str, Any]) -> Iterator[Begun]:
    """Yield the clauses for each failure.

    In `ask_when`, a person is asked about the act, and the acts `refuse` are refused. In others the system does
    nothing.
    """
    for failure in FAILURES:
        if failure in ask_when:
            yield _clause("edge_policy", **act, failure=failure, then=ASK)
            for action in refuse:
                yield _clause("edge_policy", failure=failure, then=REFUSE, action=action)
        else:
            yield _clause("edge_policy", failure=failure, then=REFUSE)


@contextmanager
def _named(line: int, place: str) -> Iterator[None]:
    """Raise RulebookErrors with this line and place for a wrong value inside."""
    try:
        yield
    except (TypeError, ValueError) as error:
        problem = validation.Problem(
            line, place, str(error), "use the names that the head of the file lists."
        )
        raise validation.RulebookErrors([problem]) from error


STARTERS = read(Path(rulebook.__file__).with_name("contract_templates.toml").read_text("utf-8"))
