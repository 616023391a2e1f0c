"""Tables as CSV files that a spreadsheet opens without running anything. Exports are recorded."""

import csv
import re
from collections.abc import Iterable
from datetime import date, datetime

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.vocabulary.entry_kinds import EntryKind

# What a spreadsheet takes for the beginning of a formula, in plain and in full width.
STARTERS = "=+-@\uff1d\uff0b\uff0d\uff20"
# Where a spreadsheet that parts cells at semicolons or tabs, or lines at a break, would begin another cell with one.
# Each pattern takes a whole run of blanks and quotation marks, and does not begin inside one, so its time is linear.
INNER = re.compile(rf"(?:;|(?<![\s\"';]))[\s\"']*+(?=[{re.escape(STARTERS)}])")
# The beginning of a cell that gets one more apostrophe, so that a typed apostrophe is known from ours.
BEGINS = re.compile(rf"'*[{re.escape(STARTERS)}\x00-\x1f\x7f]")
PARTS = re.compile(r"([;\t\r\n])")
PARTS_QUOTED = re.compile(r"([;\t\r\n])'")


def safe(value):
    """Return a cell that no spreadsheet runs, quoted if it could start a formula.

    Quoted are texts that start like a formula or with a control character, also after a semicolon, where cells end in
    German, French and Swiss settings. Apostrophes before a quoted character are quoted, too, so `unquoted` returns
    the text. Numbers stay numbers, moments are written in the configured time zone, None is empty.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, datetime):
        local = (
            timezone.localtime(value, timezone.get_default_timezone()) if timezone.is_aware(value) else value
        )
        return local.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    if BEGINS.match(text):
        text = f"'{text}"
    text = INNER.sub(lambda run: PARTS.sub(r"\1'", run[0]), text)
    return text.replace("\0", "")


def unquoted(text: str) -> str:
    """Return a cell as it was before `safe` quoted it, to read an export back in."""
    text = INNER.sub(lambda run: PARTS_QUOTED.sub(r"\1", run[0]), text)
    return text[1:] if text[:1] == "'" and BEGINS.match(text) else text


class _Echo:
    def write(self, line: str) -> str:
        return line


def asked(request: HttpRequest) -> bool:
    """Return True if the request asks for a CSV file: `?format=csv`."""
    return request.GET.get("format") == "csv"


def taken(name: str, *, of: str = "", by) -> None:
    """Record that someone exports data, with the export's name and its rows (`of`)."""
    with acting(by=by):
        entries.record(EntryKind.EXPORT_TAKEN, name=name, of=of)


def file_name(name: str, ending: str) -> str:
    """Return the header that names the file, with the day behind its name."""
    return f'attachment; filename="{name}-{clock.today().isoformat()}.{ending}"'


def stream(
    name: str, heading: Iterable[str], rows: Iterable[Iterable], *, of: str = "", by
) -> StreamingHttpResponse:
    """Yield a response that writes the rows as they come, taken by `by`. `name` becomes the file's."""
    taken(name, of=of, by=by)
    writer = csv.writer(_Echo())

    def lines():
        yield "\ufeff" + writer.writerow([safe(cell) for cell in heading])
        for row in rows:
            yield writer.writerow([safe(cell) for cell in row])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = file_name(name, "csv")
    response["Cache-Control"] = "private, no-store"
    return response
