"""A table sent again with an answer about its code page: the file itself was kept, for whoever sent it."""

from initiatives.importing import kept


def content_of(request, form, folder: str) -> tuple[bytes, str]:
    """The file sent now, or the one sent before the question, and its name. Raises ValidationError once it is gone."""
    file = form.cleaned_data.get("file")
    if file:
        form.sent = (file.read(), file.name)
    else:
        form.sent = kept.kept(folder, form.cleaned_data["kept"], of=str(request.user.pk))
    return form.sent


def asking_again(request, form, question, folder: str):
    """The form once more, its file kept for an hour, with the code pages whose lines are shown offered first."""
    content, name = form.sent
    word = kept.keep(folder, content, name, of=str(request.user.pk))
    again = type(form)(initial={**form.cleaned_data, "encoding": "", "kept": word}, **form.made_with)
    again.fields["file"].help_text = f"{name} is kept; choose another only to replace it."
    first = [(page, words) for page, words, _ in question.candidates]
    rest = [choice for choice in again.fields["encoding"].choices if choice[0] and choice not in first]
    again.fields["encoding"].choices = [("", "choose by the lines above"), *first, *rest]
    again.fields["encoding"].required = True
    return again
