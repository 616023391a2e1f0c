"""The form by which a table is sent: its file, or a file that was sent before and waits, and its code page."""

from typing import Any, cast

from django import forms
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from governance.tables import stored
from governance.tables.encodings import CODE_PAGES, CodePageUnsure
from governance.tables.reader import MAX_BYTES


class TableForm(forms.Form):
    """A table. `kept` names a file that was sent already and waits in `folder` for an answer about it."""

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
        choices=[("", _("tell it from the file")), *CODE_PAGES.items()],
        help_text=_("You are asked when it cannot be told."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["file"].required = not (self.data.get("kept") or self.initial.get("kept"))

    def clean_file(self) -> UploadedFile | None:
        """Its ending and size."""
        file: UploadedFile | None = self.cleaned_data.get("file")
        if file and not str(file.name).lower().endswith(self.endings):
            known = f"{', '.join(self.endings[:-1])} or {self.endings[-1]}"
            raise forms.ValidationError(f"{self.what} ends in {known}; save it as one of these.")
        if file and (file.size or 0) > self.most_bytes:
            raise forms.ValidationError(
                f"The file is larger than {self.most_bytes // 1024 // 1024} MB; {self.if_too_large}."
            )
        return file

    def content(self, user: AbstractBaseUser) -> tuple[bytes, str]:
        """The file sent now, or before the question, and its name. Raises ValidationError once it is gone."""
        file = self.cleaned_data.get("file")
        if file:
            self.sent = file.read(), file.name
        else:
            self.sent = stored.kept(self.folder, self.cleaned_data["kept"], of=str(user.pk))
        return self.sent

    def put(self, wrong: ValidationError) -> None:
        """Put what is wrong with the file on the form, each message at its field."""
        for name, problems in getattr(wrong, "error_dict", {None: wrong}).items():
            self.add_error(name if name in self.fields else None, problems)

    def again(self, user: AbstractBaseUser, question: CodePageUnsure | None = None) -> "TableForm":
        """The form once more, its file kept for an hour; of code pages in question those that fit are offered first."""
        content, name = self.sent
        word = stored.keep(self.folder, content, name, of=str(user.pk))
        form = type(self)(initial={**self.cleaned_data, "kept": word}, **self.made_with)
        form.fields["file"].help_text = f"{name} is kept for an hour; choose another only to replace it."
        if question:
            first = [(page, words) for page, words, _ in question.candidates]
            rest = [choice for choice in CODE_PAGES.items() if choice not in first]
            form.initial["encoding"], form.fields["encoding"].required = "", True
            pages = cast(forms.ChoiceField, form.fields["encoding"])
            pages.choices = [("", "choose by the lines above"), *first, *rest]
        return form

    def beside_lines(self, user: AbstractBaseUser) -> "TableForm":
        """The form beside the lines of a file that was read: only what does not choose the file can be changed."""
        form = self.again(user)
        del form.fields["file"]
        form.fields["encoding"].widget = forms.HiddenInput()
        return form

    def throw_away(self) -> None:
        """Forget the file, which was dealt with."""
        stored.throw_away(self.folder, self.sent[0])
