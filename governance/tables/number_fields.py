"""Number fields of forms that read numbers as people type them."""

import re
from decimal import Decimal
from typing import Any

from django import forms

from governance.tables.numbers import read_number
from governance.vocabulary.phrases import phrase


class AsTyped(forms.Field):
    """A mixin of number fields that read numbers as people type them: thousands, a comma, a percent sign, a unit.

    A number with two readings is asked about. `percent` is True if the unit of the field is percent. Words after the
    number are read if the label or the help text of the field has them.
    """

    whole = False

    def __init__(self, *, percent: bool = False, **options: Any) -> None:
        self.percent = percent
        mode = "numeric" if self.whole else "decimal"
        options.setdefault("widget", forms.TextInput(attrs={"inputmode": mode, "autocomplete": "off"}))
        if not self.whole:
            invalid = {"invalid": "Enter a number, for example 12.5 or 12,5."}
            options["error_messages"] = invalid | options.get("error_messages", {})
        super().__init__(**options)

    def to_python(self, value: Any) -> Any:
        """Return the number, or None for an empty field. Raises ValidationError if the text has two readings."""
        if not isinstance(value, str):
            return super().to_python(value)
        digits = value.rstrip("".join(sorted(set(value) - set("0123456789"))))
        unit = value[len(digits) :].strip(" .,").casefold()
        if unit and not self._knows(unit):
            return super().to_python(value)
        number = read_number(digits, most=100 if self.percent else None, whole=self.whole)
        found = number.either or ((number.value,) if number.value is not None else ())
        if unit == "%" and not self.percent:
            found = (*(one / 100 for one in found), *found)
        texts = [f"{one.normalize():f}" for one in found]
        if len(texts) > 1:
            words = phrase("{} can mean {}. Enter one of these numbers.", value[:40], ", ".join(texts))
            raise forms.ValidationError(words)
        return super().to_python(texts[0] if texts else value)

    def _knows(self, unit: str) -> bool:
        """Return True if the unit may follow the number."""
        if unit == "%":
            return self.percent or not self.whole
        known = set(re.findall(r"\w+", f"{self.label} {self.help_text}".casefold()))
        return all({word, f"{word}s", word.removesuffix("s")} & known for word in re.findall(r"\w+", unit))

    def prepare_value(self, value: Any) -> Any:
        """Return a kept number in a form that has one reading."""
        if not isinstance(value, (float, Decimal)):
            return value
        text = f"{value:.10g}" if isinstance(value, float) else f"{value:f}"
        return f"{text}0" if read_number(text).either else text


class WholeNumberField(AsTyped, forms.IntegerField):
    """A whole number as people type it."""

    whole = True


class NumberField(AsTyped, forms.DecimalField):
    """A number as people type it."""
