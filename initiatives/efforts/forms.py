"""Forms of effort: a week or a line typed in seconds, a tracker's file, how it is read, which effort is looked at."""

from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.audit.forms import DayField as OpenDay
from governance.models import Unit, User
from governance.sign_in.forms import UnitField
from governance.tables.forms import TableForm
from governance.tables.reader import Table
from governance.vocabulary import Layer
from initiatives.efforts import queries
from initiatives.efforts.effort_import import FIELDS, UNITS, How, clocked
from initiatives.efforts.effort_report import Wanted
from initiatives.efforts.note_forms import OnceForm
from initiatives.form_fields import DayField
from initiatives.models import System

DATE_ORDERS = {
    "": "only dates that cannot be mistaken",
    "mdy": "month first, 3/14/2026",
    "dmy": "day first, 14/3/2026",
}
KINDS = {
    "hours": "hours",
    "money": "money",
    "waiting": "days waited",
    "unnamed": "days waited for nobody named",
}


class NumberField(forms.DecimalField):
    """A number that may be left out, with a point or a comma."""

    wrong = "Give a number, for instance 2.5 or 2,5."

    def __init__(self, label: str, digits: int, **options):
        attrs = {"inputmode": "decimal", "autocomplete": "off"}
        options |= {"max_digits": digits, "decimal_places": 2, "required": False}
        super().__init__(label=label, widget=forms.TextInput(attrs=attrs), **options)
        self.error_messages["invalid"] = self.wrong

    def to_python(self, value):
        """The number; a comma before three digits is refused, because it may part thousands."""
        return super().to_python(value.replace(",", ".") if isinstance(value, str) else value)


class HoursField(NumberField):
    """Hours, as people write them down."""

    wrong = "Give hours as 2.5, 2,5, 2:30 or 2h30."

    def __init__(self, label: str):
        super().__init__(label, 8)
        self.widget.attrs["inputmode"] = "text"  # a phone's decimal keys know no colon

    def to_python(self, value):
        """The hours, to the hundredth."""
        found = clocked(value) if isinstance(value, str) else None
        return super().to_python(value if found is None else found.quantize(Decimal("0.01")))


class WeekForm(OnceForm):
    """The hours of a whole week, a field for each layer, named as the layer is."""

    rows_may_be_empty = True  # a week goes into few layers
    week = DayField(label=_("Week"))

    def __init__(self, *args, **options):
        super().__init__(*args, auto_id="week_%s", **options)
        for layer, label in Layer.choices:
            self.fields[layer] = HoursField(f"{label}, hours")
        self.fields["words"] = forms.CharField(label=_("What"), max_length=250, required=False)

    def noted(self) -> dict:
        """What was typed, as the act takes it."""
        typed = dict(self.cleaned_data)
        return typed | {"hours": {layer: typed.pop(layer) for layer in Layer}}


class EffortForm(OnceForm):
    """One line of effort: the week that is looked at and the layer noted last are filled in already."""

    rows_may_be_empty = True  # nearly all of it is optional, so it is said nowhere
    layer = forms.ChoiceField(label=_("Layer"), choices=list(Layer.choices))
    week = DayField(label=_("Week"))
    hours = HoursField(_("Hours"))
    words = forms.CharField(label=_("What"), max_length=250, required=False)
    waited_days = NumberField(_("Days waited"), 6)
    waits_for = forms.CharField(
        label=_("For whom or what"),
        max_length=160,
        required=False,
        widget=forms.TextInput(attrs={"list": "waits-for", "autocomplete": "off"}),
    )
    money = NumberField(_("Money"), 14)
    currency = forms.CharField(
        label=_("Currency"), max_length=3, required=False, widget=forms.TextInput(attrs={"size": 3})
    )

    def noted(self) -> dict:
        """What was typed as the act takes it: a name that somebody or a system bears becomes them, all else words."""
        typed = dict(self.cleaned_data)
        words = typed.pop("waits_for").strip()
        found = queries.named([words]).get(words.casefold())
        return typed | {
            "waits_for": found if isinstance(found, User) else None,
            "waits_for_system": found if isinstance(found, System) else None,
            "waits_for_words": "" if found else words,
        }


class EffortFileForm(TableForm):
    """A table of an issue tracker."""

    folder = "efforts"
    if_too_large = "export a shorter period"
    file = forms.FileField(
        label=_("The file"),
        error_messages={"required": "Choose the file that your issue tracker exported."},
        help_text=_("csv or xlsx, one line for each piece of work, with a header row."),
    )


class EffortMappingForm(forms.Form):
    """Which column holds what, which layer each word of the tracker means, and how time and days are written."""

    rows_may_be_empty = True  # most tables hold only some of it
    unit = forms.ChoiceField(label=_("Time spent is in"), choices=list(UNITS.items()))
    dates = forms.ChoiceField(
        label=_("How its days are written"), required=False, choices=list(DATE_ORDERS.items())
    )
    currency = forms.CharField(
        label=_("Currency"),
        max_length=3,
        required=False,
        help_text=_("Of lines with money that name none: three letters, for instance EUR."),
    )
    otherwise = forms.ChoiceField(label=_("Lines whose words have no layer"), choices=list(Layer.choices))
    replace = forms.BooleanField(
        label=_("Where a line says something else than before, take the older back"),
        required=False,
        help_text=_("Otherwise what entered before stays as it is."),
    )

    def __init__(self, table: Table, how: How, words: list[str], *args, **options):
        super().__init__(*args, **options)
        columns = [("", "not in this file"), *[(name, name[:90]) for name in table.columns]]
        for role, label in FIELDS.items():
            self.fields[f"column_{role}"] = forms.ChoiceField(
                label=f"Column: {label}",
                choices=columns,
                required=False,
                initial=how.columns.get(role, ""),
            )
        self.words = words
        for place, word in enumerate(words):
            self.fields[f"word_{place}"] = forms.ChoiceField(
                label=f"“{word}” is",
                choices=[("", _("no layer")), *Layer.choices],
                required=False,
                initial=how.layers.get(word, ""),
            )
        for name in ("unit", "dates", "currency", "otherwise"):
            self.fields[name].initial = getattr(how, name)
        self.order_fields([f"column_{role}" for role in FIELDS])

    def how(self) -> How:
        """What was chosen, as the act takes it."""
        chosen = self.cleaned_data
        return How(
            {role: chosen[f"column_{role}"] for role in FIELDS if chosen[f"column_{role}"]},
            {word: chosen[f"word_{place}"] for place, word in enumerate(self.words)},
            chosen["unit"],
            chosen["dates"],
            chosen["otherwise"],
            chosen["currency"].strip().upper(),
        )


class WhereItGoesForm(forms.Form):
    """The filters of the report: a unit with all below it, and a period."""

    unit = UnitField(
        label=_("Unit"), required=False, queryset=Unit.objects.without_others(), empty_label=_("any")
    )
    since = OpenDay(label=_("From the week of"))
    until = OpenDay(label=_("To the week of"))

    def clean(self):
        """A period ends after it begins."""
        cleaned = super().clean()
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", "This day is before the first one.")
        return cleaned

    @property
    def wanted(self) -> Wanted:
        """What was understood."""
        self.is_valid()
        given = self.cleaned_data
        return Wanted(
            unit=given.get("unit"),
            since=given.get("since"),
            until=given.get("until"),
            layer=given.get("layer") or "",
            kind=given.get("kind") or "",
            currency=(given.get("currency") or "").upper(),
            case=given.get("case"),
            person=given.get("person"),
            system=given.get("system"),
            words=given.get("words") or "",
        )


class CaseNumberField(forms.CharField):
    """A case by its reference, told as its number."""

    def clean(self, value) -> int | None:
        """The number. Raises ValidationError for what is no reference."""
        text = super().clean(value).strip().upper().removeprefix("AI-")
        if text and not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise forms.ValidationError("An initiative is named like AI-0042.")
        return int(text) if text else None


class LinesForm(WhereItGoesForm):
    """The filters of the lines behind a figure."""

    case = CaseNumberField(label=_("Initiative"), required=False, max_length=20)
    layer = forms.ChoiceField(label=_("Layer"), required=False, choices=[("", _("any")), *Layer.choices])
    kind = forms.ChoiceField(label=_("What"), required=False, choices=[("", _("any")), *KINDS.items()])
    currency = forms.CharField(label=_("Currency"), required=False, max_length=3)
    person = forms.IntegerField(
        required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput, label=_("Waits for a person")
    )
    system = forms.IntegerField(
        required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput, label=_("Waits for a system")
    )
    words = forms.CharField(label=_("Waits for"), required=False, max_length=160)
