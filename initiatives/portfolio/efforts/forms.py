"""Forms of effort: a week, a line, a tracker's file with its mapping, and filters."""

from decimal import Decimal

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from governance.models import User
from governance.tables.forms import TableForm
from governance.tables.reader import Table
from governance.vocabulary import Layer
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import DayField, OnceForm
from initiatives.models import System
from initiatives.portfolio.efforts import queries
from initiatives.portfolio.efforts.effort_cells import clocked
from initiatives.portfolio.efforts.effort_import import FIELDS, SURE_ONLY, How

LEFT_OUT = _("skip lines that can be read in two ways")
DATE_ORDERS = {
    "": _("not needed: every day is clear"),
    "mdy": _("month first, 3/14/2026"),
    "dmy": _("day first, 14/3/2026"),
    SURE_ONLY: LEFT_OUT,
}
UNITS = {
    "": _("in each cell, for example 1h 30m"),
    "hours": _("hours"),
    "minutes": _("minutes"),
    "seconds": _("seconds"),
    "days": _("days of 8 hours"),
}
NOBODY = "-"  # typed for an author without an account here
AUTHORS_ASKED = 200
DECIMALS = {
    "": _("not needed: every number is clear"),
    ".": _("a point, 1,250.50"),
    ",": _("a comma, 1.250,50"),
    SURE_ONLY: LEFT_OUT,
}


class NumberField(forms.DecimalField):
    """A number that may be left out, with a point or a comma."""

    wrong = "Enter a number, for example 2.5 or 2,5."

    def __init__(self, label: str, digits: int, **options):
        attrs = {"inputmode": "decimal", "autocomplete": "off"}
        options |= {"max_digits": digits, "decimal_places": 2, "required": False}
        super().__init__(label=label, widget=forms.TextInput(attrs=attrs), **options)
        self.error_messages["invalid"] = self.wrong

    def to_python(self, value):
        """Return the number. A comma before three digits is refused, because it can part thousands."""
        return super().to_python(value.replace(",", ".") if isinstance(value, str) else value)


class HoursField(NumberField):
    """Hours, as people write them down."""

    wrong = "Enter hours as 2.5, 2,5, 2:30 or 2h30."

    def __init__(self, label: str):
        super().__init__(label, 8)
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
    waited_days = NumberField(_("Days waited"), 6)
    waits_for = forms.CharField(
        label=_("Reason for waiting"),
        max_length=160,
        required=False,
        widget=forms.TextInput(attrs={"list": "waits-for", "autocomplete": "off"}),
    )
    money = NumberField(_("Money"), 14)
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


class EffortFileForm(TableForm):
    """A table of an issue tracker."""

    folder = "efforts"
    if_too_large = "export a shorter period"
    file = forms.FileField(
        label=_("The file"),
        error_messages={"required": "Choose the file that your issue tracker exported."},
        help_text=_("csv or xlsx with a header row, one line for each piece of work."),
    )


class EffortMappingForm(forms.Form):
    """The columns, the layers of a tracker's words, and the formats of time and days."""

    rows_may_be_empty = True  # most tables hold only some of it
    unit = forms.ChoiceField(label=_("Unit of the time spent"), required=False, choices=list(UNITS.items()))
    dates = forms.ChoiceField(label=_("Date format"), required=False, choices=list(DATE_ORDERS.items()))
    decimals = forms.ChoiceField(label=_("Decimal mark"), required=False, choices=list(DECIMALS.items()))
    currency = forms.CharField(
        label=_("Currency"),
        max_length=3,
        required=False,
        help_text=_("For lines with money but no currency. Use three letters, for example EUR."),
    )
    otherwise = forms.ChoiceField(label=_("Layer for lines without a layer"), choices=list(Layer.choices))
    replace = forms.BooleanField(
        label=_("Replace earlier lines that have different values"),
        required=False,
        help_text=_("Otherwise the earlier lines stay unchanged."),
    )

    def __init__(self, table: Table, how: How, words: list[str], authors: list[str], *args, **options):
        super().__init__(*args, **options)
        columns = [("", "not in this file"), *[(name, name[:90]) for name in table.columns]]
        for role, label in FIELDS.items():
            self.fields[f"column_{role}"] = forms.ChoiceField(
                label=gettext("Column: %(label)s") % {"label": label},
                choices=columns,
                required=False,
                initial=how.columns.get(role, ""),
            )
        self.words = words
        for place, word in enumerate(words):
            self.fields[f"word_{place}"] = forms.ChoiceField(
                label=gettext("“%(word)s” is") % {"word": word},
                choices=[("", _("no layer")), *Layer.choices],
                required=False,
                initial=how.layers.get(word, ""),
            )
        self.authors = authors[:AUTHORS_ASKED]
        for place, author in enumerate(self.authors):
            self.fields[f"author_{place}"] = forms.CharField(
                label=_("“%(author)s” is") % {"author": author[:90]},
                max_length=150,
                required=False,
                widget=forms.TextInput(attrs={"list": "people", "autocomplete": "off"}),
                help_text=_(
                    "A user name, an email address or a full name. Type - for someone without an account."
                ),
            )
        for name in ("unit", "dates", "decimals", "currency", "otherwise"):
            self.fields[name].initial = getattr(how, name)
        asked = [f"author_{place}" for place in range(len(self.authors))]
        self.order_fields(["unit", "dates", "decimals", *asked, *(f"column_{role}" for role in FIELDS)])

    def clean(self):
        """Check that each named author is one active person."""
        cleaned = super().clean()
        typed = {place: (cleaned.get(f"author_{place}") or "").strip() for place in range(len(self.authors))}
        known = queries.people_named(typed.values())
        self.people: dict[str, int | None] = {}
        for place, words in typed.items():
            person = known.get(words.casefold())
            if words == NOBODY or person is not None:
                self.people[self.authors[place].casefold()] = person
            elif words:
                self.add_error(
                    f"author_{place}",
                    phrase("“{}” matches no active person, or several. Type a user name.", words[:60]),
                )
        return cleaned

    def how(self) -> How:
        """Return the chosen values as the act takes them."""
        chosen = self.cleaned_data
        return How(
            {role: chosen[f"column_{role}"] for role in FIELDS if chosen[f"column_{role}"]},
            {word: chosen[f"word_{place}"] for place, word in enumerate(self.words)},
            chosen["unit"],
            chosen["dates"],
            chosen["otherwise"],
            chosen["currency"].strip().upper(),
            chosen["decimals"],
            self.people,
        )
