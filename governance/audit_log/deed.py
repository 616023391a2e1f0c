"""The runner of acts: an act is a value, and its protections run in one order.

The runner takes the frame of the act first. The frame locks what is judged, compares it with what the page showed and
holds the signature. Then the runner reads the row again, asks the permission, changes the row and records the entry
(ADR 97).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Answer, Conflict
from governance.vocabulary.entry_kinds import EntryKind


@dataclass(frozen=True)
class EntryOf:
    """A kind of entry with its sentence and its facts.

    The sentence follows the name of the actor, in the form of `initiatives.lifecycle.activity.entry_wording`. `facts`
    returns the facts of the row that was changed.
    """

    kind: EntryKind
    sentence: str
    facts: Callable[[Any], dict]

    def record(self, row: Any, initiative: Any = None) -> None:
        """Record the entry of a changed row in the running act."""
        entries.record(self.kind, initiative=initiative, **self.facts(row))


def sentences(*modules: ModuleType) -> dict[str, str]:
    """Return the sentence of each kind of entry that these modules declare."""
    found = (one for module in modules for one in vars(module).values())
    return {
        one.kind: one.sentence
        for one in (one.entry if isinstance(one, Deed) else one for one in found)
        if isinstance(one, EntryOf)
    }


@dataclass(frozen=True, kw_only=True)
class Deed(ABC):
    """An act on a row. A call does it: with the row as `noun`, `by`, and the fields of the effect.

    The call returns the row that the effect returns, or the row of the act. Raises Conflict if `ended` names what
    someone else did first, Refused without the permission, ValidationError for bad fields.
    """

    name: str  # as the entry of a refusal names the act
    noun: str
    may: Callable[[Any, User], Answer]  # of the row and the person
    effect: Callable[..., Any]  # changes the row, which it takes first
    entry: EntryOf | None = None  # None: the effect records its entries
    ended: Callable[[Any], str] = lambda row: ""  # what ended the matter of the row, in words
    reason: str = "reason"  # the field that is the reason of the act in the history of rows
    # Called after the entry with what the effect returned and the person: who is notified.
    then: Callable[[Any, User], None] = lambda row, by: None

    @abstractmethod
    def frame(self, row: Any, *, by: User, reason: str) -> AbstractContextManager:
        """Return the frame of the act, which yields what it locked."""

    @abstractmethod
    def again(self, row: Any, locked: Any) -> Any:
        """Return the row as the database has it now, below what the frame locked."""

    @abstractmethod
    def follow(self, locked: Any) -> None:
        """Compute again what follows from the facts that the act changed."""

    def __call__(self, *, by: User, **fields) -> Any:
        """Do the act."""
        row = fields.pop(self.noun)
        with self.frame(row, by=by, reason=fields.get(self.reason) or "") as locked:
            row = self.again(row, locked)
            if ended := self.ended(row):
                raise Conflict(ended)
            self.may(row, by).or_refuse()
            made = self.effect(row, by=by, **fields) or row
            if self.entry:
                self.entry.record(made, locked)
            self.follow(locked)
            self.then(made, by)
        return made
