"""Which uploads are taken as evidence: known types, true to their name, not too large. Served only as downloads."""

import zipfile
from pathlib import PurePath

from django.conf import settings
from django.core.exceptions import ValidationError

# extension: (content type we will serve it as, how such a file must begin, or None for text)
TYPES = {
    "pdf": ("application/pdf", (b"%PDF-",)),
    "png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    "jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", (b"PK\x03\x04",)),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", (b"PK\x03\x04",)),
    "pptx": ("application/vnd.openxmlformats-officedocument.presentationml.presentation", (b"PK\x03\x04",)),
    "odt": ("application/vnd.oasis.opendocument.text", (b"PK\x03\x04",)),
    "txt": ("text/plain", None),
    "md": ("text/plain", None),
    "csv": ("text/csv", None),
    "json": ("application/json", None),
    "log": ("text/plain", None),
    "eml": ("text/plain", None),
}
UNPACKED_LIMIT = 400 * 1024 * 1024  # bytes; an office file that unpacks to more is a bomb


def check_file(file) -> str:
    """The content type to serve the upload as. Raises ValidationError saying what is wrong and what is taken."""
    name = PurePath(file.name.replace("\\", "/")).name
    extension = PurePath(name).suffix.lower().lstrip(".")
    taken = ", ".join(sorted(TYPES))
    if extension not in TYPES:
        raise ValidationError(
            {"file": f"Files named .{extension or '?'} are not taken; send one of {taken}."}
        )
    if file.size > settings.UPLOAD_MAX_BYTES:
        limit = settings.UPLOAD_MAX_BYTES // (1024 * 1024)
        raise ValidationError({"file": f"The file is larger than {limit} MB; send an extract, or a link."})
    if file.size == 0:
        raise ValidationError({"file": "The file is empty."})
    content_type, starts = TYPES[extension]
    file.seek(0)
    head = file.read(4096)
    file.seek(0)
    if starts is None:
        _check_text(head, extension)
    elif not head.startswith(starts):
        raise ValidationError({"file": f"The content is not that of a .{extension} file; send the original."})
    if starts == (b"PK\x03\x04",):
        _check_archive(file)
    return content_type


def _check_text(head: bytes, extension: str) -> None:
    if b"\x00" in head:
        raise ValidationError({"file": f"The content is not text, although it is named .{extension}."})


def _check_archive(file) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile:
        raise ValidationError({"file": "The file is damaged; save it again and send that."}) from None
    finally:
        file.seek(0)
    if len(entries) > 20000 or sum(entry.file_size for entry in entries) > UNPACKED_LIMIT:
        raise ValidationError({"file": "The file unpacks to far more than it should; send a PDF instead."})
    if not any(entry.filename in ("[Content_Types].xml", "mimetype") for entry in entries):
        raise ValidationError(
            {"file": "The file is an archive, not an office document; send the documents themselves."}
        )
