"""The mode of the running request: real, rehearsed, or waiting for a confirmation."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


class Unconfirmed(Exception):
    """An act has consequences that the person has not confirmed."""


def not_rehearsed(view: Callable) -> Callable:
    """Mark a view that has its own preview or reaches outside the database.

    An effect outside the database, such as an email or a file, is not undone by a rehearsal.
    """
    view.not_rehearsed = True
    return view


@dataclass
class Rehearsal:
    """The notes of a rehearsal: initiatives, and entries as (kind, initiative, facts)."""

    initiatives: set[int] = field(default_factory=set)
    entries: list[tuple[str, Any, dict]] = field(default_factory=list)


_rehearsal: ContextVar[Rehearsal | None] = ContextVar("plumbline_rehearsal", default=None)
_withheld: ContextVar[bool] = ContextVar("plumbline_withheld", default=False)


def current() -> Rehearsal | None:
    """Return the running rehearsal, or None: then what is done is kept."""
    return _rehearsal.get()


def unsigned() -> bool:
    """Return True if nothing may be signed now, in a rehearsal or before a confirmation."""
    return _rehearsal.get() is not None or is_withheld()


def is_withheld() -> bool:
    """Return True if acts wait until the person has confirmed their consequences."""
    return _withheld.get()


def note(*keys: int) -> None:
    """Note initiatives that the running act concerns, if a rehearsal is running."""
    if (running := _rehearsal.get()) is not None:
        running.initiatives |= set(keys)


@contextmanager
def rehearsing() -> Iterator[Rehearsal]:
    """Rehearse what is done inside. The caller rolls it back."""
    token = _rehearsal.set(Rehearsal())
    try:
        yield _rehearsal.get()
    finally:
        _rehearsal.reset(token)


@contextmanager
def withheld() -> Iterator[None]:
    """Let no person act inside: each act raises Unconfirmed before it begins."""
    token = _withheld.set(True)
    try:
        yield
    finally:
        _withheld.reset(token)


def check_confirmed() -> None:
    """Raise Unconfirmed if acts are withheld now. A rehearsal is undone, so it goes on."""
    if is_withheld() and _rehearsal.get() is None:
        raise Unconfirmed(
            "You have not confirmed the consequences of this action. Read the consequences, then confirm "
            "them."
        )
