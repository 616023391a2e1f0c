"""Variants that one test tries after one set-up."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def variant(name: str) -> Iterator[None]:
    """Note the name on a failure inside."""
    try:
        yield
    except Exception as failure:
        failure.add_note(f"Variant: {name}")
        raise
