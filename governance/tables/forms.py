"""The form for a table: its file, or one that was kept earlier, and its code page. Fields for typed numbers."""

import re
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from governance.tables import stored
from governance.tables.encodings import CODE_PAGES, CodePageUnsure
from governance.tables.numbers import read_number
from governance.tables.reader import MAX_BYTES
from governance.vocabulary.phrases import phrase


class TableForm(forms.Form):
    """A table. `kept` names an earlier file that waits in `folder` for an answer."""

    folder = ""
    endings = (".csv", ".tsv", ".txt", ".xlsx")
    what = "A table"
    most_bytes = MAX_BYTES
    if_too_large = "split it"
    made_with: dict[str, Any] = {}  # what the form takes beside what is sent
    sent: tuple[bytes, str]

    file = forms.FileField(label=_("The file"))
    kept = forms.CharField(widget=forms.HiddenInput, required=False)
    encoding = forms.ChoiceField(
        label=_("Code page"),
        required=False,
        choices=[("", _("detect the code page")), *CODE_PAGES.items()],
        help_text=_("Plumbline asks you if the code page cannot be detected."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["file"].required = not (self.data.get("kept") or self.initial.get("kept"))

    def clean_file(self) -> UploadedFile | None:
        """Check the ending and size of the file."""
        file: UploadedFile | None = self.cleaned_data.get("file")
        if file and not str(file.name).lower().endswith(self.endings):
            known = f"{', '.join(self.endings[:-1])} or {self.endings[-1]}"
            raise forms.ValidationError(
                phrase("{} ends in {}. Save the file in one of these formats.", self.what, known)
            )
        if file and (file.size or 0) > self.most_bytes:
            raise forms.ValidationError(
                phrase(
                    "The file is larger than {} MB; {}.", self.most_bytes // 1024 // 1024, self.if_too_large
                )
            )
        return file

    def content(self, user: AbstractBaseUser) -> tuple[bytes, str]:
        """Return the new or kept file and its name. Raises ValidationError if it is gone."""
        file = self.cleaned_data.get("file")
        if file:
            self.sent = file.read(), file.name
        else:
            self.sent = stored.kept(self.folder, self.cleaned_data["kept"], of=str(user.pk))
        return self.sent

    def again(self, user: AbstractBaseUser, question: CodePageUnsure | None = None) -> "TableForm":
        """Return the form with its file kept for an hour, likely code pages first."""
        content, name = self.sent
        word = stored.keep(self.folder, content, name, of=str(user.pk))
        form = type(self)(initial={**self.cleaned_data, "kept": word}, **self.made_with)
        form.fields[
            "file"
        ].help_text = f"Plumbline keeps {name} for an hour. Choose another file only to replace it."
        if question:
            first = [(page, words) for page, words, _ in question.candidates]
            rest = [choice for choice in CODE_PAGES.items() if choice not in first]
            form.initial["encoding"], form.fields["encoding"].required = "", True
            pages = cast(forms.ChoiceField, form.fields["encoding"])
            pages.choices = [("", "choose the code page that fits the lines above"), *first, *rest]
        return form

    def beside_lines(self, user: AbstractBaseUser) -> "TableForm":
        """Return the form beside the lines that were read, without its file field."""
        form = self.again(user)
        del form.fields["file"]
        form.fields["encoding"].widget = forms.HiddenInput()
        return form

    def throw_away(self) -> None:
        """Delete the kept file after its use."""
        stored.throw_away(self.folder, self.sent[0])


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
