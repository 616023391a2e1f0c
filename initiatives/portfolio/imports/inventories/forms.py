"""Forms of the imports: a file with its source, columns, confirmation, and rows."""

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from governance.tables.encodings import CodePageUnsure, code_page_named
from governance.tables.forms import TableForm
from governance.tables.reader import MAX_BYTES, MAX_ROWS, SheetUnsure
from governance.vocabulary import Stage
from governance.web.form_fields import DayField, WordsField
from initiatives.models import InventorySource
from initiatives.models.imports import OWN_SHEET
from initiatives.portfolio.imports.inventories.actions import decide_row
from initiatives.portfolio.imports.inventories.import_runs import LONG
from initiatives.portfolio.imports.inventories.inventory_sources import FIELDS, KNOWN
from initiatives.portfolio.imports.inventories.reported_stages import TARGETS

NEW = "new"
DATE_ORDERS = {
    "": "only unambiguous dates",
    "mdy": "month first, 3/14/2025",
    "dmy": "day first, 14/3/2025",
    "ymd": "year first, 25-03-14",
}


class UploadForm(TableForm):
    """A file and where it comes from."""

    folder = "imports"
    what = "A file"
    field_order = (
        *("file", "kept", "sheet", "source", "new_source", "organisation"),
        *("own", "published_on", "encoding", "other_encoding"),
    )
    file = forms.FileField(
        label=_("File"),
        error_messages={"required": "Choose the file."},
        help_text=_(
            "csv or xlsx, at most %(rows)s rows and %(size)s MB, with one or two header rows. Banner "
            "rows above the header are allowed. Files with more than %(long)s rows are imported in the "
            "background."
        )
        % {
            "rows": f"{MAX_ROWS:,}",
            "size": MAX_BYTES // 1024 // 1024,
            "long": f"{LONG:,}",
        },
    )
    sheet = forms.CharField(widget=forms.HiddenInput, required=False, label=_("Sheet"))
    other_encoding = forms.CharField(
        label=_("Other code page"),
        max_length=40,
        required=False,
        help_text=_("The name of a code page that is not in the list, for example koi8_u or big5hkscs."),
    )
    source = forms.ChoiceField(label=_("Source"))
    new_source = forms.CharField(
        label=_("Name of a source not listed"),
        max_length=60,
        required=False,
        help_text=_(
            "Plumbline guesses the columns, shows them to you, and remembers them for the next file."
        ),
    )
    organisation = forms.CharField(
        label=_("Organisation"),
        max_length=160,
        required=False,
        help_text=_("Needed only if no column of the file contains the organisation."),
    )
    own = forms.BooleanField(
        label=_("This file lists systems of our own organisation"),
        required=False,
        help_text=_("Systems of other organisations are kept apart from your initiatives, counts and menus."),
    )
    published_on = DayField(
        label=_("Published on"),
        required=False,
        help_text=_("Used to refuse an older file."),
    )

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        remembered = [(row.key, row.words) for row in InventorySource.objects.exclude(key=OWN_SHEET)]
        self.fields["source"].choices = [
            ("", "choose a source"),
            (OWN_SHEET, "our own portfolio"),
            *[(source.key, source.words) for source in KNOWN.values()],
            *remembered,
            (NEW, "a source not listed"),
        ]

    def clean(self):
        """Check the name of a source that is not listed, and a code page that was typed."""
        cleaned = super().clean()
        if cleaned.get("source") == NEW and not cleaned.get("new_source", "").strip():
            self.add_error("new_source", "Name the source, for example acme-2026.")
        if cleaned.get("other_encoding", "").strip():
            try:
                cleaned["encoding"] = code_page_named(cleaned["other_encoding"])
            except forms.ValidationError as wrong:
                self.add_error("other_encoding", wrong.messages)
            self.errors.pop("encoding", None)  # that of the list is not asked for then
        return cleaned

    def again(self, user, question=None):
        """Return the form again, with the question of the sheet or the code page."""
        form = super().again(user, question if isinstance(question, CodePageUnsure) else None)
        if isinstance(question, SheetUnsure):
            form.fields["sheet"] = forms.ChoiceField(
                label=_("Sheet"),
                choices=[(title, f"{title} ({rows} rows)") for title, rows in question.sheets],
                initial=question.likely,
                help_text=_("Plumbline remembers the sheet for the next workbook of this source."),
            )
            form.initial["sheet"] = question.likely
            form.order_fields(["sheet"])
        return form

    @property
    def source_key(self) -> str:
        """Return the key of the source chosen or named."""
        chosen = self.cleaned_data["source"]
        return self.cleaned_data["new_source"].strip() if chosen == NEW else chosen


class MappingForm(forms.Form):
    """The columns of the fields, and the meaning of the source's words for stages."""

    organisation = forms.CharField(
        label=_("Organisation"),
        max_length=160,
        required=False,
        help_text=_("Needed only if no column contains the organisation."),
    )
    dates = forms.ChoiceField(label=_("Date format"), required=False, choices=DATE_ORDERS.items())

    def __init__(self, batch, *args, **options):
        super().__init__(*args, **options)
        reading = batch.reading
        columns = [("", "not in this file"), *[(name, name[:90]) for name in batch.columns]]
        for role, words in FIELDS.items():
            name = "organisation_column" if role == "organisation" else role
            self.fields[name] = forms.ChoiceField(
                label=gettext("Column: %(words)s") % {"words": words},
                choices=columns,
                required=role == "title",
                initial=reading.get("columns", {}).get(role, ""),
            )
        self.words = list(reading.get("stages", {}))
        for place, word in enumerate(self.words):
            self.fields[f"word_{place}"] = forms.ChoiceField(
                label=gettext("“%(word)s” means") % {"word": word[:160]},
                choices=[
                    ("", _("not known: set aside")),
                    *[(name, Stage(name).label) for name in TARGETS],
                ],
                required=False,
                initial=reading["stages"][word][0],
            )
        self.fields["organisation"].initial = reading.get("organisation") or reading.get("fixed", {}).get(
            "organisation", ""
        )
        self.fields["dates"].initial = reading.get("dates", "")
        self.order_fields(["title", "organisation_column", "organisation"])

    def chosen(self) -> dict:
        """Return the chosen values as the act takes them."""
        cleaned = self.cleaned_data
        columns = {
            role: cleaned["organisation_column" if role == "organisation" else role] for role in FIELDS
        }
        stages = {word: cleaned[f"word_{place}"] for place, word in enumerate(self.words)}
        return {
            "columns": columns,
            "stages": stages,
            "organisation": cleaned["organisation"],
            "dates": cleaned["dates"],
        }


class ConfirmForm(forms.Form):
    """Whose rows become live."""

    organisations = forms.MultipleChoiceField(
        label=_("Organisations"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one organisation."},
    )

    def __init__(self, waiting: list[tuple[str, int]], *args, **options):
        super().__init__(*args, **options)
        self.fields["organisations"].choices = [
            (name, f"{name or 'no organisation named'} ({count} rows)") for name, count in waiting
        ]
        self.fields["organisations"].initial = [name for name, _ in waiting]


class RowForm(forms.Form):
    """The decision on a row that is set aside."""

    stage = forms.ChoiceField(
        label=_("Decision"),
        choices=[
            ("", _("choose")),
            ("proposed", _("Import as a proposed idea: it has no approved stage")),
            *[(name, f"Import as a reported {Stage(name).label}") for name in TARGETS if name != "proposed"],
            ("reject", _("Reject the row (it stays in the file)")),
        ],
    )
    reason = WordsField(
        label=_("How do you know?"),
        help_text=_("The initiative keeps this text: a stage chosen by hand is also a reported stage."),
    )

    def decide(self, row, *, by):
        """Do what was chosen. Raises what `actions.decide_row` raises."""
        stage, reason = self.cleaned_data["stage"], self.cleaned_data["reason"]
        return decide_row(row=row, stage="" if stage == "reject" else stage, reason=reason, by=by)
