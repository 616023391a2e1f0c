"""The form for a table: its file, or one that was kept earlier, and its code page."""

from typing import Any, cast

from django import forms
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from governance.tables import stored
from governance.tables.encodings import CODE_PAGES, CodePageUnsure
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
