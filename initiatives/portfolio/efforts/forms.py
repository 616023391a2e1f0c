"""Forms of effort: a week, a line, and filters."""

from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.models import User
from governance.tables.forms import NumberField
from governance.vocabulary import Layer
from governance.web.form_fields import DayField, OnceForm
from initiatives.models import System
from initiatives.portfolio.efforts import queries
from initiatives.portfolio.efforts.effort_cells import clocked


class FewDecimalsField(NumberField):
    """A number with two decimals that may be left out."""

    def __init__(self, label: str, digits: int):
        super().__init__(label=label, max_digits=digits, decimal_places=2, required=False)


class HoursField(FewDecimalsField):
    """Hours, as people write them down."""

    def __init__(self, label: str):
        super().__init__(label, 8)
        self.error_messages["invalid"] = "Enter hours as 2.5, 2,5, 2:30 or 2h30."
        self.widget.attrs["inputmode"] = "text"  # a phone's decimal keys know no colon

    def to_python(self, value):
        """Return the hours, rounded to the hundredth."""
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
        """Return the typed values as the act takes them."""
        typed = dict(self.cleaned_data)
        return typed | {"hours": {layer: typed.pop(layer) for layer in Layer}}


class EffortForm(OnceForm):
    """One line of effort. The shown week and the last layer are filled in."""

    rows_may_be_empty = True  # nearly all of it is optional, so it is said nowhere
    layer = forms.ChoiceField(label=_("Layer"), choices=list(Layer.choices))
    week = DayField(label=_("Week"))
    hours = HoursField(_("Hours"))
    words = forms.CharField(label=_("What"), max_length=250, required=False)
    waited_days = FewDecimalsField(_("Days waited"), 6)
    waits_for = forms.CharField(
        label=_("Reason for waiting"),
        max_length=160,
        required=False,
        widget=forms.TextInput(attrs={"list": "waits-for", "autocomplete": "off"}),
    )
    money = FewDecimalsField(_("Money"), 14)
    currency = forms.CharField(
        label=_("Currency"), max_length=3, required=False, widget=forms.TextInput(attrs={"size": 3})
    )

    def noted(self) -> dict:
        """Return the typed values as the act takes them. A known name becomes its person or system."""
        typed = dict(self.cleaned_data)
        words = typed.pop("waits_for").strip()
        found = queries.named([words]).get(words.casefold())
        return typed | {
            "waits_for": found if isinstance(found, User) else None,
            "waits_for_system": found if isinstance(found, System) else None,
            "waits_for_words": "" if found else words,
        }
