"""Forms of samples: sending one, and what the whole population is made of."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.tables.encodings import CODE_PAGES
from initiatives.form_fields import DayField, WordsField
from initiatives.models import Profile, System

AGAIN = ("system", "title", "taken_on", "period_column")  # what is not typed twice


class DataSampleForm(forms.Form):
    """A sample of a system's data."""

    system = forms.ModelChoiceField(
        label=_("System"), queryset=System.objects.none(), empty_label=_("choose a system of this initiative")
    )
    title = forms.CharField(
        label=_("What it holds"), max_length=160, help_text=_("For instance: customers, a tenth of all rows.")
    )
    file = forms.FileField(
        label=_("The sample"),
        help_text=_(
            "CSV or Parquet, one row a record. It is removed once it is measured, unless you ask otherwise."
        ),
    )
    taken_on = DayField(label=_("Drawn on"), help_text=_("The day these rows were taken from the system."))
    period_column = forms.CharField(
        label=_("Column with the date of a row"),
        max_length=120,
        required=False,
        help_text=_(
            "As the header writes it. Empty: the likeliest is taken. What changed over the years is read by it."
        ),
    )
    encoding = forms.ChoiceField(
        label=_("Code page"),
        required=False,
        choices=[("", _("told from the file")), *CODE_PAGES.items()],
        help_text=_("Choose one only where an earlier upload said that it cannot be told."),
    )
    kept_until = DayField(
        label=_("Keep the file until"),
        required=False,
        help_text=_("At most thirty days ahead. Empty: it is removed once it is measured."),
    )

    def __init__(self, *args, case, again: Profile | None = None, **options):
        """`again`: the sample that could not be measured, whose words are begun with."""
        said = {name: getattr(again, name) for name in AGAIN if again}
        options.setdefault("initial", {"taken_on": clock.today()} | said)
        super().__init__(*args, **options)
        linked = case.links.standing().values("system")
        self.fields["system"].queryset = System.objects.filter(pk__in=linked).order_by("name")

    def act(self) -> dict:
        """The fields as the act takes them."""
        fields = dict(self.cleaned_data)
        return fields | {"upload": fields.pop("file")}


class PopulationForm(forms.Form):
    """What the whole population is made of, one part a line."""

    strata = WordsField(
        label=_("The whole population"),
        help_text=_(
            "One part a line with its share or its number of records: retail, 60 % or retail, 120000."
        ),
    )

    def clean_strata(self) -> list[dict]:
        """Rows of {stratum, share}; numbers without % are counts, and become shares of their sum."""
        rows, counted = [], []
        for line in filter(str.strip, self.cleaned_data["strata"].splitlines()):
            name, mark, number = line.replace("\t", ",").rpartition(",")
            number = number.strip()
            counted.append(not number.endswith("%"))
            try:
                value = float(number.rstrip("% ").replace(" ", ""))
            except ValueError:
                value = -1.0
            if not mark or not name.strip() or not 0 < value < 1e15:
                raise forms.ValidationError(
                    f"Write \u201c{line.strip()[:60]}\u201d as a name, a comma, a number."
                )
            rows.append({"stratum": name.strip(), "share": value})
        if any(counted) and not all(counted):
            raise forms.ValidationError("Write shares with % throughout, or numbers of records throughout.")
        whole = sum(row["share"] for row in rows) if any(counted) else 100
        return [row | {"share": row["share"] / whole} for row in rows]
