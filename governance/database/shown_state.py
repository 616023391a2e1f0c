"""The values that a page showed, sent back with its form and compared with the recorded values.

A page marks the values that it shows, and its form carries the marks. They are compared when the form is sent, and once
more after the act has locked its row (`check_held`), because someone else may act in between.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet

from governance import clock
from governance.database import row_history
from governance.permission_result import Conflict
from governance.vocabulary.phrases import Phrase, phrase

STOOD = "stood"  # the field by which a form sends back the marks of what it showed
LETTERS = 16


def plain(value: Any) -> Any:
    """Return the value as it is compared: rows by key, texts without the spaces and line ends that browsers add."""
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, str):
        return value.replace("\r\n", "\n").strip()
    if isinstance(value, (QuerySet, set, frozenset)):
        return sorted(plain(one) for one in value)
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, datetime):
        return value.replace(second=0, microsecond=0).astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else value


def mark(value: Any) -> str:
    """Return a short digest of the value, equal for values that a page shows alike."""
    said = json.dumps(plain(value), sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()[:LETTERS]


def marks(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the mark of each value, by its name."""
    return {name: mark(value) for name, value in values.items()}


def changed(shown: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the names whose marks differ, were added or are gone, in the present order."""
    return [name for name in {**now, **shown} if shown.get(name) != now.get(name)]


def fields_of(row: Model) -> dict[str, Any]:
    """Return the values of the row's columns, read anew, by the words for the column."""
    fresh = type(row)._base_manager.get(pk=row.pk)
    return {
        field.name.replace("_", " "): field.value_from_object(fresh)
        for field in fresh._meta.concrete_fields
        if not field.primary_key
    }


class ShownOtherwise(Conflict):
    """Something that the page showed was changed before the act. `names` are the words for it."""

    def __init__(self, names: list[str]):
        super().__init__(
            phrase("Changed after you opened the page: {}.", ", ".join(names)),
            phrase("No change was saved. Open the page again, read what changed, then act."),
        )
        self.names = names


# --- Compared once more under the lock ------------------------------------------------------------------------------

_held: ContextVar[tuple[str, Callable[[], Iterable[str]]] | None] = ContextVar(
    "plumbline_shown_state", default=None
)


def hold(check: Callable[[], Iterable[str]]) -> None:
    """Have the next act of this request ask `check` after its lock. It returns the names of what changed."""
    if request := row_history.running_request():
        _held.set((request, check))


def check_held() -> None:
    """Ask what was held for the act of this request, once. Raises ShownOtherwise naming what changed."""
    held = _held.get()
    _held.set(None)
    if held is not None and held[0] == row_history.running_request():
        refuse_changed(held[1]())


def refuse_changed(names: Iterable[str]) -> None:
    """Raise ShownOtherwise if something that the page showed has changed. `names` are the words for it."""
    if found := [*names]:
        raise ShownOtherwise(found)


# --- Forms that overwrite -------------------------------------------------------------------------------------------


class OverwritingForm(forms.Form):
    """A form that shows recorded values and saves other values in their place.

    `initial` has the recorded values, by field. `row` is the row with these fields, or the row that they are about. If
    someone else changed a shown value after the page was opened, nothing is saved: the page names who and what, fields
    that this person left alone show the new value, and the others keep what was typed (`status` 409).
    """

    confirms = False  # True if saving says something even where every value stays

    def __init__(self, *args, row: Model | None = None, **options):
        super().__init__(*args, **options)
        self.row, self.conflict, self._sent_marks = row, False, ""
        self._as_read = (
            {name: row.serializable_value(name) for name in self._columns()} if row is not None else {}
        )
        self.fields[STOOD] = forms.CharField(required=False, widget=forms.HiddenInput, initial=self._marks)

    def _marks(self) -> str:
        """Return the marks of the recorded values, as the form sends them back."""
        return json.dumps(marks(self._stands()), sort_keys=True)

    def _stands(self) -> dict[str, Any]:
        """Return the values that are recorded now, by field. Without a row there are none."""
        if self.row is None:
            return {}
        return {name: value for name, value in (self.initial or {}).items() if name in self.fields}

    def full_clean(self):
        """Check the fields, and then compare the recorded values with those that the page showed."""
        super().full_clean()
        if not self.is_bound or not hasattr(self, "cleaned_data"):
            return
        sent = self._sent_marks
        names = changed(_read(sent), marks(self._stands())) if sent else []
        names = [name for name in names if name in self.fields and self._differs(name)]
        if names:
            self._say(names, _read(sent))
        elif self._as_read and not self.errors:
            hold(self._moved)

    def _clean_form(self):
        """Take the marks out of what was sent before the form reads its words."""
        self._sent_marks = self.cleaned_data.pop(STOOD, "")
        super()._clean_form()

    def _columns(self) -> list[str]:
        """Return the fields that are columns of the row."""
        known = {field.name for field in self.row._meta.concrete_fields}
        return [name for name in self._stands() if name in known]

    def _moved(self) -> list[str]:
        """Return the labels of fields whose column is no longer as it was read when the form was checked."""
        fresh = type(self.row)._base_manager.get(pk=self.row.pk)
        return [
            str(self[name].label)
            for name, value in self._as_read.items()
            if fresh.serializable_value(name) != value
        ]

    def _differs(self, name: str) -> bool:
        """Return True if the sent value is not the recorded value."""
        now = self.initial[name]
        if not self.fields[name].has_changed(now, self._sent(name)):
            return False
        return name not in self.cleaned_data or mark(self.cleaned_data[name]) != mark(now)

    def _sent(self, name: str) -> Any:
        return self.fields[name].widget.value_from_datadict(self.data, self.files, self.add_prefix(name))

    def _say(self, names: list[str], shown: Mapping[str, str]) -> None:
        """Refuse, name what changed, and show the new value where this person typed nothing."""
        self.conflict = True
        data = self.data.copy()
        data[self.add_prefix(STOOD)] = self._marks()
        labels = ", ".join(str(self[name].label) for name in names)
        self.add_error(
            None,
            ValidationError(
                phrase(
                    "{} Nothing is saved yet. Fields that you did not change show the new values. Check them, "
                    "then save again.",
                    self._who(labels),
                )
            ),
        )
        for name in names:
            field, now = self.fields[name], self.initial[name]
            if shown.get(name) in (mark(self._sent(name)), mark(self.cleaned_data.get(name))):
                _put(data, self.add_prefix(name), field, now)
            else:
                self.add_error(name, ValidationError(phrase("The value is now: {}", _words(field, now))))
        self.data = data

    def _who(self, labels: str) -> Phrase:
        """Return who changed the fields and when, if the row has a history."""
        known = bool(self._as_read) and hasattr(self.row, "history")
        last = self.row.history.order_by("-history_id").first() if known else None
        if last is None:
            return phrase("Changed after you opened this page: {}.", labels)
        return phrase(
            "{} changed this at {}, after you opened the page: {}.",
            last.history_user_name,
            clock.moment_in_words(last.history_date),
            labels,
        )

    @property
    def changed_data(self) -> list[str]:
        """Return the names of the fields whose values differ from the initial ones."""
        return [name for name in super().changed_data if name != STOOD]

    @property
    def unchanged(self) -> bool:
        """Return True if the form was sent as its page showed it, with no further words: nothing is to be saved."""
        stands = self._stands()
        if not self.is_bound or not self.is_valid() or self.confirms or not stands or not self._sent(STOOD):
            return False
        return all(
            not self._differs(name) if name in stands else _is_empty(self.cleaned_data.get(name))
            for name in self.fields
            if name != STOOD
        )

    @property
    def status(self) -> int:
        """Return the HTTP status of the form's page: 409 if someone else changed what it showed, else 200."""
        return 409 if self.is_bound and not self.is_valid() and self.conflict else 200


def _is_empty(value: Any) -> bool:
    return not value.exists() if isinstance(value, QuerySet) else not value and value != 0


def _read(sent: str) -> dict[str, str]:
    """Return the marks that a form sent back, or none if they cannot be read."""
    try:
        found = json.loads(sent)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _put(data, key: str, field: forms.Field, value: Any) -> None:
    """Put the value into the sent data, as a browser would send it."""
    value = field.prepare_value(value)
    if isinstance(field.widget, forms.MultiWidget):
        for part, one in zip(field.widget.widgets_names, field.widget.decompress(value), strict=True):
            data[f"{key}{part}"] = "" if one is None else str(one)
    elif isinstance(value, (list, tuple, set, QuerySet)):
        data.setlist(key, [str(getattr(one, "pk", one)) for one in value])
    elif isinstance(field, forms.BooleanField):
        data[key] = "true" if value else "false"
    else:
        shown = field.widget.format_value(value)
        data[key] = shown[0] if isinstance(shown, list) and shown else "" if shown is None else shown


def _words(field: forms.Field, value: Any) -> str:
    """Return a value of the field in the words in which its page shows it."""
    if isinstance(value, bool):
        return phrase("yes") if value else phrase("no")
    if isinstance(value, (list, tuple, set, QuerySet)):
        return ", ".join(_words(field, one) for one in value) or "-"
    if isinstance(value, datetime):
        return clock.moment_in_words(value)
    if isinstance(field, forms.ModelChoiceField):
        row = field.queryset.filter(pk=getattr(value, "pk", value)).first() if value else None
        return field.label_from_instance(row) if row is not None else "-"
    known = {str(key): words for key, words in _flat(getattr(field, "choices", ()))}
    return str(known.get(str(value), "-" if value in (None, "") else value))


def _flat(choices) -> Iterable[tuple[Any, Any]]:
    for key, words in choices:
        if isinstance(words, (list, tuple)):
            yield from words
        else:
            yield key, words
