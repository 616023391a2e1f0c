"""Forms of the auditor's inbox: what is searched for, what is drawn, what is concluded."""

from datetime import date

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from governance.audit import audit_samples, rights_report
from governance.audit import search as audit_search
from governance.database.shown_state import OverwritingForm
from governance.models import SampledEntry, User
from governance.privacy.forms import REFERENCE
from governance.tables.forms import WholeNumberField

EARLIEST, LATEST = date(1990, 1, 1), date(2100, 12, 31)


class DayField(forms.DateField):
    """A day that may be left open."""

    def __init__(self, **options):
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        super().__init__(required=False, widget=widget, **options)
        self.error_messages["invalid"] = "Use YYYY-MM-DD, for example 2026-11-20."
        self.validators += [
            MinValueValidator(EARLIEST, "Plumbline has no entries before that day."),
            MaxValueValidator(LATEST, "This day is too far in the future."),
        ]


def _people() -> list[tuple[str, str]]:
    names = User.objects.order_by("full_name", "pk").values_list("pk", "full_name")
    return [("", "anybody"), ("system", "Plumbline itself"), *((str(key), name) for key, name in names)]


def _kinds() -> list[tuple[str, str]]:
    return [("", "any"), *((kind, kind) for kind in audit_search.kinds_present())]


def _tables() -> list[tuple[str, str]]:
    words = sorted((words, table) for table, words in audit_search.tables().items())
    return [("", "any"), *((table, one) for one, table in words)]


class SearchForm(forms.Form):
    """A search for entries. Every field is optional. An unreadable value is reported and left out."""

    rows_may_be_empty = True
    text = forms.CharField(
        label=_("Text in it"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    what = forms.ChoiceField(label=_("What"), choices=audit_search.WHAT.items(), required=False)
    kind = forms.ChoiceField(label=_("Kind of act"), required=False)
    table = forms.ChoiceField(label=_("Kind of row"), required=False)
    who = forms.ChoiceField(label=_("Who"), required=False)
    initiative = forms.CharField(label=_("Initiative"), required=False, max_length=12, validators=[REFERENCE])
    since = DayField(label=_("From"))
    until = DayField(label=_("To"))

    def __init__(self, *args, kinds: tuple[str, ...] = (), **options):
        """With `kinds`, only those are searched, and what would choose others is not asked."""
        super().__init__(*args, **options)
        self.kinds = kinds
        self.fields["who"].choices = _people()
        if kinds:
            del self.fields["what"], self.fields["table"]
            self.fields["kind"].choices = [("", "any"), *((kind, kind) for kind in kinds)]
        else:
            self.fields["kind"].choices = _kinds()
            self.fields["table"].choices = _tables()

    def clean_initiative(self) -> str:
        """Return the reference as it is written."""
        return self.cleaned_data["initiative"].upper()

    def clean(self):
        """Refuse a period that ends before it begins."""
        cleaned = super().clean()
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", "The last day is before the first day.")
            del cleaned["since"]
        return cleaned

    @property
    def search(self) -> audit_search.Search:
        """Return the search that the valid fields describe."""
        asked = {
            name: self.cleaned_data[name] for name in SearchForm.base_fields if self.cleaned_data.get(name)
        }
        if asked.get("table"):
            asked["what"] = "rows"
        return audit_search.Search(**asked, kinds=self.kinds)


class DrawForm(SearchForm):
    """A search, and how many of what it finds to draw by which seed, for what."""

    name = forms.CharField(label=_("Name"), max_length=120)
    purpose = forms.CharField(
        label=_("Purpose"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The audit log keeps this text with the sample."),
    )
    size = WholeNumberField(
        label=_("Number of entries"), min_value=1, max_value=audit_samples.LARGEST, initial=25
    )
    seed = forms.CharField(
        label=_("Seed"),
        required=False,
        max_length=64,
        help_text=_(
            "Agree on any text with the person who will repeat the draw. If you leave this empty, Plumbline "
            "makes a random seed."
        ),
    )
    SAMPLE = ("name", "purpose", "size", "seed")

    def asked_of_sample(self) -> list:
        """Return the fields about the sample itself."""
        return [self[name] for name in self.SAMPLE]

    def asked_of_search(self) -> list:
        """Return the fields that choose the entries to draw from."""
        return [self[name] for name in self.fields if name not in self.SAMPLE]


class ConcludeForm(OverwritingForm):
    """Notes on one entry, and what was concluded from it."""

    rows_may_be_empty = True
    notes = forms.CharField(
        label=_("Notes"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The documents or entries that you checked."),
    )
    conclusion = forms.ChoiceField(
        label=_("Conclusion"),
        required=False,
        choices=[*SampledEntry.CONCLUSIONS.items(), ("", _("Left open"))],
        widget=forms.RadioSelect,
    )
    words = forms.CharField(
        label=_("Why"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Required for an exception, and if a conclusion is not applicable."),
    )


class RightsForm(forms.Form):
    """On which day, whose, and which kind of right."""

    on = DayField(label=_("On"))
    who = forms.ChoiceField(label=_("Who"), required=False)
    kind = forms.ChoiceField(
        label=_("What"),
        required=False,
        choices=[("", _("seats, roles and rights")), *rights_report.KINDS.items()],
    )

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["who"].choices = [pair for pair in _people() if pair[0] != "system"]
