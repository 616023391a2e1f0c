"""A table whose lines enter in one act: sent, shown line by line, fixed, confirmed. A target says what they are."""

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

from governance.tables.encodings import CodePageUnsure
from governance.tables.forms import TableForm
from governance.tables.reader import Table, read_table


@dataclass(frozen=True)
class ShownLine:
    """One line before it enters: its cells, what becomes of it in a few words with their tone, and why."""

    line: int
    cells: tuple[str, ...]
    fate: str
    tone: str = ""
    said: tuple[str, ...] = ()


@dataclass
class Look:
    """What is shown of a table before anything of it enters.

    `tally`: lines by what becomes of them. `stops`: lines that keep the whole table out. `asked`: questions that are
    open. `entering`: how many lines would enter; `takes`: whether there is anything to confirm. `mapping`: how the
    table is read, `mapped`: since when. `names`: people who may be typed there.
    """

    lines: list[ShownLine]
    total: int
    tally: dict[str, int]
    entering: int
    takes: bool
    stops: int = 0
    remarks: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    mapping: forms.Form | None = None
    mapped: str = ""
    names: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SentTable:
    """A table as it was sent: its file's name, what stands beside it in the form, and all that was posted."""

    table: Table
    name: str
    chosen: Mapping[str, Any]
    posted: Mapping[str, str]


class Target(ABC):
    """What the lines of a table are: its columns, how each line is shown, and the act by which they enter.

    `expected`: headers that tell the header row. `headings`: of the cells shown, with their class. `frame`: the
    template around the page. `help_template`: what a table looks like, beside the upload.
    """

    form_class: type[TableForm] = TableForm
    expected: tuple[str, ...] = ()
    headings: tuple[tuple[str, str], ...] = ()
    frame = "base.html"
    help_template = ""
    title = ""
    lede = ""
    back = ""

    def context(self) -> dict[str, Any]:
        """What the frame and the help need."""
        return {}

    @abstractmethod
    def look(self, sent: SentTable) -> Look:
        """What would become of each line; nothing enters. Raises ValidationError where it is not such a table."""

    @abstractmethod
    def enter(self, sent: SentTable, look: Look) -> str:
        """Let the lines enter; returns what was done in words, "" where the mapping says what is wrong with it.

        Raises ValidationError on what else is wrong.
        """


def bring_in(request: HttpRequest, target: Target) -> HttpResponse:
    """The page of a target: a file is shown first, whatever button sent it; its lines enter once somebody says so."""
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
            look.remarks += table.remarks
            confirmed = request.POST.get("step") == "enter" and not chosen.get("file")
            if confirmed and not look.stops and (done := target.enter(sent, look)):
                form.throw_away()
                messages.success(request, done)
                return redirect(target.back)
        except CodePageUnsure as question:
            unsure = question
        except ValidationError as wrong:
            if look is None:
                form.put(wrong)
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
    return render(request, "governance/tables/import.html", target.context() | context)
