"""Upload policy: known types, true to their name, not too large, no programs.

Files are served as downloads. `governance.files.file_previews` decides what a page shows of them.
"""

import re
from pathlib import PurePath

from django.conf import settings
from django.core.exceptions import ValidationError

from governance.files import NotTaken, office, pdf, pictures, plain_text
from governance.tables import foreign_files
from governance.vocabulary.phrases import Phrase, phrase
from governance.vocabulary.readable_text import hidden, normalized

# extension: (content type we will serve it as, how such a file must begin, or None for text)
TYPES = {
    "pdf": ("application/pdf", pdf.START),
    "png": ("image/png", pictures.PNG),
    "jpg": ("image/jpeg", pictures.JPEG),
    "jpeg": ("image/jpeg", pictures.JPEG),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK\x03\x04"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK\x03\x04"),
    "pptx": ("application/vnd.openxmlformats-officedocument.presentationml.presentation", b"PK\x03\x04"),
    "odt": ("application/vnd.oasis.opendocument.text", b"PK\x03\x04"),
    "txt": ("text/plain", None),
    "md": ("text/plain", None),
    "csv": ("text/csv", None),
    "json": ("application/json", None),
    "jsonl": ("text/plain", None),
    "log": ("text/plain", None),
    "eml": ("text/plain", None),
}
LONGEST_NAME = 150  # characters
NOT_IN_NAMES = re.compile(r'[<>:"|?*]')
# Names that mean a device on Windows, whatever follows the first dot.
DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)", re.IGNORECASE)

# Fields in which results of Great Expectations, ydata-profiling and Evidently quote values of the data.
QUOTES = re.compile(
    rb'"(?:(?:partial_)?unexpected_(?:list|counts|index_list)|value_counts_without_nan|first_rows|small_distribution)"'
    rb'\s*:\s*[\[{]\s*[^\]}\s]|"evidently:metric_v2:UniqueValueCount"'
)


def tidy_name(name: str) -> str:
    """Return an upload's name to keep: no folders, invisible letters or commands.

    May be empty or lack its ending, when nothing else was there.
    """
    name = normalized("NFC", name.replace("\\", "/").rpartition("/")[2])
    name = re.sub(r"[\t\n\r]", "", name)
    while unseen := {*hidden(name)}:  # what is left may stand beside another neighbour
        name = "".join(letter for place, letter in enumerate(name) if place not in unseen)
    name = NOT_IN_NAMES.sub("_", name).strip(" .")
    if DEVICES.match(name):
        name = f"_{name}"
    path = PurePath(name)
    return (
        f"{path.stem[: LONGEST_NAME - len(path.suffix)]}{path.suffix}" if len(name) > LONGEST_NAME else name
    )


def extension_of(name: str) -> str:
    """Return the extension of a tidy name in small letters without its dot, or ""."""
    return PurePath(name).suffix.lower().lstrip(".")


def kind_of(content: bytes) -> str:
    """Return the extension that fits these bytes, or "" if the kind is not taken."""
    for extension in ("pdf", "png", "jpg"):
        if content.startswith(TYPES[extension][1]):
            return extension
    if content.startswith(b"PK\x03\x04"):
        return next((one for one in ("docx", "xlsx", "pptx", "odt") if office.is_a(content, one)), "")
    return "txt" if plain_text.is_text(content) else ""


def what_it_is(content: bytes) -> Phrase:
    """Return what a refused file is, and the step that gives a file that is accepted."""
    if found := foreign_files.told(content):
        return phrase("The file is {}. {}", found.name, found.step)
    kind = kind_of(content)
    if kind == "txt" and plain_text.looks_like_a_page(content):
        return phrase(
            "The file is a web page, a drawing or a script. Print the file as PDF and send the PDF."
        )
    if kind:
        return phrase("The content is that of a .{} file. Change the file ending to .{}.", kind, kind)
    return phrase("Open the file in its program, save it as PDF and send the PDF.")


def check_file(file, *, page: bool = False) -> str:
    """Return the content type to serve a file as. Raises ValidationError with what is wrong and what is taken.

    With `page`, a text may be the source of a web page. Plumbline still serves that as text.
    """
    extension = extension_of(tidy_name(file.name))
    if file.size > settings.UPLOAD_MAX_BYTES:
        limit = settings.UPLOAD_MAX_BYTES // (1024 * 1024)
        raise ValidationError(
            {"file": phrase("The file is larger than {} MB. Send an extract, or a link.", limit)}
        )
    if file.size == 0:
        raise ValidationError({"file": "The file is empty. Send a file that has content."})
    file.seek(0)
    content = file.read()
    file.seek(0)
    if extension not in TYPES:
        taken = ", ".join(sorted(TYPES))
        shown = extension[:20] or "?"
        raise ValidationError(
            {
                "file": phrase(
                    "Files of type .{} are not accepted. {} Accepted types: {}.",
                    shown,
                    what_it_is(content),
                    taken,
                )
            }
        )
    content_type, start = TYPES[extension]
    packed = start == foreign_files.ARCHIVE and content.startswith(start)
    if (start is not None and not content.startswith(start)) or (
        packed and not office.is_a(content, extension) and (foreign_files.told(content) or kind_of(content))
    ):
        wrong = phrase("The content does not match the file ending .{}. {}", extension, what_it_is(content))
        raise ValidationError({"file": wrong})
    if extension == "json" and QUOTES.search(content):
        raise ValidationError(
            {
                "file": (
                    "This result contains values of the data. Add the result under Data profiles. Plumbline does "
                    "not store the data values there."
                )
            }
        )
    try:
        if not (page and extension == "txt" and plain_text.is_text(content)):
            _check_content(file, content, extension)
    except NotTaken as why:
        raise ValidationError({"file": str(why)}) from None
    if start is None and not page and (why := plain_text.emptiness(content.decode("utf-8", "replace"))):
        raise ValidationError({"file": phrase("The file has no content. {}", why)})
    return content_type


def _check_content(file, content: bytes, extension: str) -> None:
    match TYPES[extension][1]:
        case None:
            if not plain_text.is_text(content) and foreign_files.told(content):
                raise NotTaken(f"The content is not text. {what_it_is(content)}")
            plain_text.check(content, extension)
        case pdf.START:
            pdf.check(content)
        case pictures.PNG:
            pictures.check_png(content)
        case pictures.JPEG:
            pictures.check_jpeg(content)
        case _:
            office.check(file, extension)
