"""Forms of the imports: a file and where it comes from, its columns, its confirmation, a row set aside."""

from django import forms
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
    "": "only dates that cannot be mistaken",
    "mdy": "month first, 3/14/2025",
    "dmy": "day first, 14/3/2025",
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
        label=_("The file"),
        error_messages={"required": "Choose the file."},
        help_text=_(
            "csv or xlsx, at most %(rows)s rows and %(size)s MB; a header of one or two rows, banner rows above it "
            "are fine. With more than %(long)s rows it is read in the background."
        )
        % {
            "rows": f"{MAX_ROWS:,}",
            "size": MAX_BYTES // 1024 // 1024,
            "long": f"{LONG:,}",
        },
    )
    sheet = forms.CharField(widget=forms.HiddenInput, required=False, label=_("Sheet"))
    other_encoding = forms.CharField(
        label=_("Another code page"),
        max_length=40,
        required=False,
        help_text=_("By its name, like koi8_u or big5hkscs, where the list above lacks it."),
    )
    source = forms.ChoiceField(label=_("Where it comes from"))
    new_source = forms.CharField(
        label=_("Name of a source not listed"),
        max_length=60,
        required=False,
        help_text=_("Its columns are guessed, shown to you, and remembered for its next file."),
    )
    organisation = forms.CharField(
        label=_("Whose inventory it is"),
        max_length=160,
        required=False,
        help_text=_("When no column of the file says so."),
    )
    own = forms.BooleanField(
        label=_("It lists systems of our own organisation"),
        required=False,
        help_text=_("What others list lives apart from your own initiatives, in no count or menu of yours."),
    )
    published_on = DayField(
        label=_("Published on"),
        required=False,
        help_text=_("So that an older file is refused."),
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
        """A name for a source not listed."""
        cleaned = super().clean()
        if cleaned.get("source") == NEW and not cleaned.get("new_source", "").strip():
            self.add_error("new_source", "Give the source a name, like acme-2026.")
        if cleaned.get("other_encoding", "").strip():
            try:
                cleaned["encoding"] = code_page_named(cleaned["other_encoding"])
            except forms.ValidationError as wrong:
                self.add_error("other_encoding", wrong.messages)
            self.errors.pop("encoding", None)  # that of the list is not asked for then
        return cleaned

    def again(self, user, question=None):
        """The form once more; where several sheets hold tables, with the question which is meant."""
        form = super().again(user, question if isinstance(question, CodePageUnsure) else None)
        if isinstance(question, SheetUnsure):
            form.fields["sheet"] = forms.ChoiceField(
                label=_("Sheet"),
                choices=[(title, f"{title} ({rows} rows)") for title, rows in question.sheets],
                initial=question.likely,
                help_text=_("It is remembered for the next workbook of this source."),
            )
            form.initial["sheet"] = question.likely
            form.order_fields(["sheet"])
        return form

    @property
    def source_key(self) -> str:
        """The key of the source chosen or named."""
        chosen = self.cleaned_data["source"]
        return self.cleaned_data["new_source"].strip() if chosen == NEW else chosen


class MappingForm(forms.Form):
    """Which column holds what, and what each of the source's words for a stage means."""

    organisation = forms.CharField(
        label=_("Whose inventory it is"),
        max_length=160,
        required=False,
        help_text=_("When no column says so."),
    )
    dates = forms.ChoiceField(
        label=_("How its dates are written"), required=False, choices=DATE_ORDERS.items()
    )

    def __init__(self, batch, *args, **options):
        super().__init__(*args, **options)
        reading = batch.reading
        columns = [("", "not in this file"), *[(name, name[:90]) for name in batch.columns]]
        for role, words in FIELDS.items():
            name = "organisation_column" if role == "organisation" else role
            self.fields[name] = forms.ChoiceField(
                label=f"Column: {words}",
                choices=columns,
                required=role == "title",
                initial=reading.get("columns", {}).get(role, ""),
            )
        self.words = list(reading.get("stages", {}))
        for place, word in enumerate(self.words):
            self.fields[f"word_{place}"] = forms.ChoiceField(
                label=f"\u201c{word[:160]}\u201d means",
                choices=[
                    ("", _("nothing known: set aside")),
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
        """What was chosen, as the act takes it."""
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
    """What becomes of a row set aside."""

    stage = forms.ChoiceField(
        label=_("Decision"),
        choices=[
            ("", _("choose")),
            ("proposed", _("Import as a proposed idea: it has no approved stage")),
            *[(name, f"Import as a reported {Stage(name).label}") for name in TARGETS if name != "proposed"],
            ("reject", _("Reject the row; it stays in the file")),
        ],
    )
    reason = WordsField(
        label=_("How you know"),
        help_text=_("It stays with the initiative: a stage chosen by hand is a reported stage too."),
    )

    def decide(self, row, *, by):
        """Do what was chosen. Raises what `actions.decide_row` raises."""
        stage, reason = self.cleaned_data["stage"], self.cleaned_data["reason"]
        return decide_row(row=row, stage="" if stage == "reject" else stage, reason=reason, by=by)


class RowsForm(RowForm):
    """What becomes of many rows set aside: those that are ticked, or all that the filter of the page shows."""

    which = forms.ChoiceField(
        label=_("Which rows"),
        widget=forms.RadioSelect,
        choices=[
            ("ticked", _("those ticked on this page")),
            ("all", _("all rows set aside that the filter finds, on every page")),
        ],
        initial="ticked",
    )
    field_order = ("which", "stage", "reason")
