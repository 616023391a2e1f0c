"""Names that a template of ours uses and its context does not have. Django renders them as nothing."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.template.base import FilterExpression

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"


class Undefined(str):
    """The setting `string_if_invalid`. Django asks whether it holds `%s`, and then puts the name in.

    Names are noted while `found` is a set. Templates of Django and of libraries may use names that are not there, also
    where one of ours extends them.
    """

    found: set[str] | None = None

    def __bool__(self) -> bool:
        """True for the code that looks for the setting; false as a value, which a row that is not there becomes."""
        return self.found is not None and sys._getframe(1).f_code is FilterExpression.resolve.__code__

    def __contains__(self, part: object) -> bool:
        """It holds a place for the name."""
        return self.found is not None and part == "%s"

    def __mod__(self, name: Any) -> str:
        """Note the name with the page that is rendered."""
        shown = sys._getframe(1).f_locals["context"].render_context
        if self.found is not None and Path(shown.template.origin.name).is_relative_to(TEMPLATES):
            page = shown.get("extends_context", [shown.template.origin])[0]
            self.found.add(f"{name} is not defined in {page.template_name}")
        return ""


UNDEFINED = Undefined()


@contextmanager
def noted() -> Iterator[set[str]]:
    """Note undefined names while the block runs."""
    found: set[str] = set()
    UNDEFINED.found = found
    try:
        yield found
    finally:
        UNDEFINED.found = None
