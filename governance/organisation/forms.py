"""The forms by which tables of people and of units come in."""

from collections.abc import Callable

from django import forms
from django.core.exceptions import ValidationError

from governance.organisation import people_import, unit_import


class LinesForm(forms.Form):
    """A table, as a file or as text. `source` is the text to read."""

    decode: Callable[[bytes], str]
    file = forms.FileField(
        label="File",
        required=False,
        help_text="A CSV file of at most 1 MB, its first line naming the columns. Or paste its lines below.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv,text/plain"}),
    )
    text = forms.CharField(
        label="Lines",
        required=False,
        strip=False,
        max_length=people_import.MAX_BYTES,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "class": "mono"}),
    )

    def clean(self):
        """Take the file before the text; say what is wrong with either."""
        cleaned = super().clean()
        file, text = cleaned.get("file"), cleaned.get("text") or ""
        if file is not None:
            try:
                text = type(self).decode(file.read(people_import.MAX_BYTES + 1))
            except ValidationError as wrong:
                self.add_error(None, wrong)  # which names the file
        elif not text.strip() and not self.errors:
            self.add_error("text", "Choose a file, or paste the lines of a table.")
        cleaned["source"] = text.replace("\r\n", "\n").replace("\0", "")
        return cleaned


class PeopleForm(LinesForm):
    """A table of people."""

    decode = staticmethod(people_import.decode)
    invite = forms.BooleanField(
        label="Send everybody new an invitation",
        required=False,
        initial=True,
        help_text="A mail with a link to choose a password; it works once, within a week.",
    )


class UnitsForm(LinesForm):
    """A table of units."""

    decode = staticmethod(unit_import.decode)

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        file = self.fields["file"]
        file.help_text = (
            "A CSV file or a workbook of at most 1 MB with named columns. Or paste its lines below."
        )
        file.widget.attrs["accept"] = ".csv,.xlsx,text/csv,text/plain"
