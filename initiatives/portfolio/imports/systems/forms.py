"""Forms of the system imports: a table or document, and its mapping."""

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from governance.tables.forms import TableForm
from initiatives.models.imports import REGISTER_KINDS
from initiatives.portfolio.imports.systems.cells import can_be_two_days
from initiatives.portfolio.imports.systems.table_fields import FIELDS
from initiatives.portfolio.imports.systems.table_words import LEAVE_OUT, unknown_words


class SystemImportForm(TableForm):
    """A file and what it holds."""

    folder = "system_imports"
    endings = (*TableForm.endings, ".json", ".yaml", ".yml")
    what = "A table or document"
    field_order = ("file", "kept", "kind", "encoding")
    file = forms.FileField(
        label=_("Table or document"),
        error_messages={"required": "Choose the file."},
        help_text=_("csv or xlsx with one header row, or an OpenAPI document (JSON or YAML)."),
    )
    kind = forms.ChoiceField(label=_("Contents"))

    def __init__(self, *args, kinds: list[str], **options):
        super().__init__(*args, **options)
        self.made_with = {"kinds": kinds}
        self.fields["kind"].choices = [("", "choose"), *[(kind, REGISTER_KINDS[kind]) for kind in kinds]]


class ColumnsForm(forms.Form):
    """The mapping of fields: a column, sometimes a second, or one value for all rows."""

    def __init__(self, batch, *args, **options):
        super().__init__(*args, **options)
        self.kind = batch.kind
        chosen = batch.columns.get("fields", {})
        columns = [("", "not in this table"), *[(name, name[:90]) for name in batch.headers]]
        raw = list(batch.rows.order_by("line").values_list("raw", flat=True))
        self.words: dict[str, list[str]] = {}
        for field in FIELDS[batch.kind]:
            there = [*chosen.get(field.name, {}).get("columns", ()), "", ""]
            self.fields[f"column_{field.name}"] = forms.ChoiceField(
                label=field.words, choices=columns, required=False, initial=there[0]
            )
            how = chosen.get(field.name, {})
            cells = [row.get(name, "") for row in raw for name in how.get("columns", ())]
            self._ask(field, how, cells)
            if field.second:
                self.fields[f"second_{field.name}"] = forms.ChoiceField(
                    label=gettext("%(words)s, for blank cells") % {"words": field.words},
                    choices=[("", _("nothing")), *columns[1:]],
                    required=False,
                    initial=there[1],
                )
            if field.fixable:
                label = f"{field.words}, for rows without a value"
                value = chosen.get(field.name, {}).get("value", "")
                if field.choices:
                    self.fields[f"value_{field.name}"] = forms.ChoiceField(
                        label=label,
                        choices=[("", _("nothing")), *field.choices.items()],
                        required=False,
                        initial=value if value in field.choices else "",
                    )
                else:
                    self.fields[f"value_{field.name}"] = forms.CharField(
                        label=label, max_length=160, required=False, initial=value
                    )

    def _ask(self, field, how: dict, cells: list[str]) -> None:
        """Add fields for open points of a column: unknown words, and the order of days."""
        if field.reads == "choice":
            self.words[field.name] = unknown_words(cells, field.choices)
            for place, word in enumerate(self.words[field.name]):
                self.fields[f"word_{field.name}_{place}"] = forms.ChoiceField(
                    label=_("“%(word)s” is") % {"word": word[:90]},
                    choices=[("", _("choose")), *field.choices.items(), (LEAVE_OUT, _("left out"))],
                    required=False,
                    initial=how.get("words", {}).get(word, ""),
                )
        if field.reads == "day" and (open_day := next(filter(can_be_two_days, cells), "")):
            self.fields[f"order_{field.name}"] = forms.ChoiceField(
                label=_("Format of days such as %(day)s") % {"day": open_day[:40]},
                choices=[("", _("left blank")), ("mdy", _("month first")), ("dmy", _("day first"))],
                required=False,
                initial=how.get("order", ""),
            )

    def chosen(self) -> dict[str, dict]:
        """Return the chosen values as the act takes them."""
        cleaned, found = self.cleaned_data, {}
        for field in FIELDS[self.kind]:
            columns = [cleaned.get(f"{part}_{field.name}", "") for part in ("column", "second")]
            found[field.name] = {
                "columns": [name for name in dict.fromkeys(columns) if name],
                "value": cleaned.get(f"value_{field.name}", ""),
                "order": cleaned.get(f"order_{field.name}", ""),
                "words": {
                    word: key
                    for place, word in enumerate(self.words.get(field.name, ()))
                    if (key := cleaned.get(f"word_{field.name}_{place}", ""))
                },
            }
        return found

    def put(self, errors) -> None:
        """Add each message of the act to the column of the message."""
        for name, problems in errors.error_dict.items():
            self.add_error(f"column_{name}" if f"column_{name}" in self.fields else None, problems)
