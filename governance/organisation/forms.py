"""The forms by which tables of people and of units come in."""

from django import forms
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.translation import gettext_lazy

from governance.tables import encodings
from governance.tables.forms import TableForm
from governance.tables.reader import as_text, read_table

MAX_BYTES = 1024 * 1024
PASTED = "Lines"


class LinesForm(TableForm):
    """A small table as a file or as text. The field shows a sent file as text, so people can fix it."""

    folder = "lines"
    most_bytes = MAX_BYTES
    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        help_text=(
            gettext_lazy(
                "A csv file or a workbook of at most 1 MB, with the names of the columns in the first line. Or "
                "paste the lines below."
            )
        ),
    )
    text = forms.CharField(
        label=gettext_lazy("Lines"),
        required=False,
        strip=False,
        max_length=MAX_BYTES,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "class": "mono"}),
    )

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["file"].required = False
        self.fields["file"].needed = self.fields["text"].needed = (
            True  # one of the two, so neither is optional
        )

    def clean(self):
        """Ask for a file or for text."""
        cleaned = super().clean()
        if (
            not (cleaned.get("file") or cleaned.get("kept") or cleaned.get("text", "").strip())
            and not self.errors
        ):
            self.add_error("text", "Choose a file, or paste the lines of a table.")
        return cleaned

    def content(self, user: AbstractBaseUser) -> tuple[bytes, str]:
        """Return the file, or else the text, and a name for it."""
        text = self.cleaned_data["text"]
        if self.cleaned_data.get("file") or not text.strip():
            return super().content(user)
        self.sent = text.encode(), PASTED
        return self.sent

    def beside_lines(self, user: AbstractBaseUser) -> "LinesForm":
        """Return the form with the read lines as text."""
        content, encoding = self.sent[0], self.cleaned_data["encoding"]
        if content.startswith(b"PK\x03\x04"):
            text = as_text(read_table(content))
        else:
            text = encodings.decode(content, encoding)[0]
        form = type(self)(initial={**self.cleaned_data, "kept": "", "encoding": "", "text": text})
        del form.fields["file"]
        form.fields["encoding"].widget = forms.HiddenInput()
        return form


class PeopleForm(LinesForm):
    """A table of people."""

    invite = forms.BooleanField(
        label=gettext_lazy("Send an invitation to everyone new"),
        required=False,
        initial=True,
        help_text=gettext_lazy(
            "Each gets an email with a link to choose a password. The link works once, within a week."
        ),
    )
