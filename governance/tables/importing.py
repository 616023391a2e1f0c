"""Import a table of a `Target` in one act: send, check line by line, fix, confirm."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from governance.tables.columns import named
from governance.tables.encodings import CodePageUnsure
from governance.tables.forms import TableForm
from governance.tables.reader import Table, read_table
from governance.vocabulary.form_errors import put_errors


@dataclass(frozen=True)
class ShownLine:
    """A line before it enters: its cells, its fate in words with a tone, and reasons."""

    line: int
    cells: tuple[str, ...]
    fate: str
    tone: str = ""
    said: tuple[str, ...] = ()


@dataclass
class Look:
    """The preview of a table before any of its lines enter.

    `tally` counts lines by fate. `stops` counts lines that keep the whole table out. `entering` counts lines that
    would enter. `mapping` asks how the table is read.
    """

    lines: list[ShownLine]
    total: int
    tally: dict[str, int]
    entering: int
    stops: int = 0
    remarks: list[str] = field(default_factory=list)
    mapping: forms.Form | None = None


@dataclass(frozen=True)
class SentTable:
    """A table as sent: its file's name, the form's other fields, and the posted data."""

    table: Table
    name: str
    chosen: Mapping[str, Any]
    posted: Mapping[str, str]


class Target(ABC):
    """The meaning of a table's lines: columns, display, and the act that enters them.

    `columns` has the headers of each field. `expected` has headers that identify the header row. `headings` has the
    shown cells' headings with their class. `frame` is the template around the page. `help_template` shows an example
    beside the upload. `signature` is the form that signs what `look` found, if a signature is needed.
    """

    form_class: type[TableForm] = TableForm
    columns: dict[str, tuple[str, ...]] = {}
    expected: tuple[str, ...] = ()
    headings: tuple[tuple[str, str], ...] = ()
    frame = "base.html"
    help_template = ""
    title = ""
    lede = ""
    back = ""
    signature: forms.Form | None = None

    def context(self) -> dict[str, Any]:
        """Return the context for the frame and the help."""
        return {}

    @abstractmethod
    def look(self, sent: SentTable) -> Look:
        """Return the fate of each line, with no line entered. Raises ValidationError."""

    @abstractmethod
    def enter(self, sent: SentTable, look: Look) -> str:
        """Enter the lines, and return what was done. Raises ValidationError."""


def _not_read(table: Table, target: Target) -> list[str]:
    """Return a remark that names the columns of no field."""
    left = [name for name in table.columns if name not in named(table.columns, target.columns).values()]
    return [f"These columns were not read: {', '.join(name[:60] for name in left)}."] if left else []


def bring_in(request: HttpRequest, target: Target) -> HttpResponse:
    """Show the page of a target: the file's lines first, which enter when confirmed."""
    user = cast(AbstractBaseUser, request.user)
    form = target.form_class(request.POST or None, request.FILES or None)
    look: Look | None = None
    unsure: CodePageUnsure | None = None
    name, refused = "", []
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            content, name = form.content(user)
            table = read_table(content, encoding=chosen["encoding"], expected=target.expected)
            sent = SentTable(table, name, chosen, request.POST)
            look = target.look(sent)
            look.remarks += [*table.remarks, *_not_read(table, target)]
            confirmed = request.POST.get("step") == "enter" and not chosen.get("file")
            signed = target.signature is None or target.signature.is_valid()
            if confirmed and signed and not look.stops:
                done = target.enter(sent, look)
                form.throw_away()
                messages.success(request, done)
                return redirect(target.back)
        except CodePageUnsure as question:
            unsure = question
        except ValidationError as wrong:
            if look is None:
                put_errors(form, wrong)
            else:
                refused = wrong.messages
        if look:
            form = form.beside_lines(user)
        elif unsure:
            form = form.again(user, unsure)
    classes = [name for _, name in target.headings]
    context = {
        "title": target.title,
        "target": target,
        "form": form,
        "unsure": unsure,
        "look": look,
        "lines": [(line, list(zip(line.cells, classes, strict=True))) for line in look.lines] if look else [],
        "file_name": name,
        "refused": refused,
    }
    status = getattr(target.signature, "status", 200)
    return render(request, "governance/tables/import.html", target.context() | context, status=status)
