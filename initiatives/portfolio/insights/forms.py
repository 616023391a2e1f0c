"""Forms for the addresses of the pages of Insights. All fields are optional."""

from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.audit.forms import DayField as OpenDay
from governance.models import Rulebook, Unit
from governance.people.boards import boards
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.forms import UnitField
from governance.tables.forms import WholeNumberField
from governance.templatetags.days import keep
from governance.vocabulary import Layer
from governance.web.form_fields import WordsField
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.evidence.verification import second_looks
from initiatives.models import Initiative
from initiatives.portfolio.insights import decision_register, effort_report, figures
from initiatives.portfolio.insights.decision_register import day_begins, day_ends

PAGES = (
    ("insights", _("Now")),
    ("insights-flow", _("Flow")),
    ("insights-money", _("Money")),
    ("insights-people", _("People")),
)
KINDS = {
    "hours": "hours",
    "money": "money",
    "waiting": "days waited",
    "unnamed": "days waited without a named reason",
}


class PeriodForm(forms.Form):
    """A unit with all units below, and a period. Each can be left open."""

    unit = UnitField(label=_("Unit"), required=False, queryset=Unit.objects.own(), empty_label=_("any"))
    since = OpenDay(label=_("From"))
    until = OpenDay(label=_("until"))

    def clean(self):
        """Check that the period ends after it begins."""
        cleaned = super().clean()
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", "The last day is before the first day. Exchange the two days.")
        return cleaned

    def kept(self, request: SignedInRequest) -> dict[str, str]:
        """Return the valid part of the address, for links."""
        return {
            name: request.GET[name]
            for name in self.fields
            if request.GET.get(name) and name not in self.errors
        }

    @property
    def wanted(self) -> effort_report.Wanted:
        """Return the filter of effort from the valid fields."""
        self.is_valid()
        given = self.cleaned_data
        return effort_report.Wanted(
            unit=given.get("unit"),
            since=given.get("since"),
            until=given.get("until"),
            layer=given.get("layer") or "",
            kind=given.get("kind") or "",
            currency=(given.get("currency") or "").upper(),
            initiative=given.get("initiative"),
            person=given.get("person"),
            system=given.get("system"),
            words=given.get("words") or "",
        )


class DecidedForm(PeriodForm):
    """The filters of the list of decisions. An invalid value is reported and ignored."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "reason, title, AI-42"}),
    )
    what = forms.ChoiceField(
        label=_("Decision"),
        required=False,
        choices=[("", "any"), *decision_register.KINDS.items()],
    )
    gate = forms.ChoiceField(label=_("Gate"), required=False)
    board = forms.TypedChoiceField(label=_("Board"), required=False, empty_value=None)
    who = forms.CharField(label=_("Decided by"), required=False, max_length=120)

    field_order = ("q", "what", "gate", "board", "unit", "who", "since", "until")

    def __init__(self, *args, rulebook, **options):
        """Fill the choices of gates from `rulebook`, and those of boards."""
        super().__init__(*args, **options)
        known = boards()
        self.fields["gate"].choices = [
            ("", "any"),
            *((key, gate.title) for key, gate in rulebook.gates.items() if gate.criteria),
        ]
        self.fields["board"].choices = [("", "any"), *((str(board.pk), board.name) for board in known)]
        self.fields["board"].coerce = lambda key: next(board for board in known if str(board.pk) == key)

    @property
    def decided(self) -> decision_register.Wanted:
        """Return the valid filter of decisions."""
        self.is_valid()
        given = self.cleaned_data
        return decision_register.Wanted(
            gate=given.get("gate") or "",
            what=given.get("what") or "",
            board=given.get("board"),
            unit=given.get("unit"),
            since=day_begins(given.get("since")),
            until=day_ends(given.get("until")),
            who=given.get("who") or "",
            text=given.get("q") or "",
        )


class InitiativeNumberField(forms.CharField):
    """An initiative by its reference, read as its number."""

    def clean(self, value) -> int | None:
        """Return the number. Raises ValidationError if the value is not a reference."""
        text = super().clean(value).strip().upper().removeprefix("AI-")
        if text and not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise forms.ValidationError(
                "The reference of the initiative is not valid. Use a reference such as AI-0042."
            )
        return int(text) if text else None


class SecondLooksForm(forms.Form):
    """The number of verifications for a second look, the initiative and the reason."""

    size = WholeNumberField(label=_("How many"), min_value=1, max_value=second_looks.MOST, initial=10)
    initiative = InitiativeNumberField(
        label=_("Initiative"),
        required=False,
        max_length=20,
        help_text=_("Enter a reference, for example AI-0042. Leave empty to draw from all initiatives."),
    )
    reason = WordsField(label=_("Reason"), help_text=_("The audit log records the reason with the draw."))

    def clean_initiative(self) -> Initiative | None:
        """Return the initiative of the number. Raises ValidationError if it does not exist."""
        number = self.cleaned_data["initiative"]
        found = Initiative.objects.filter(number=number).first() if number else None
        if number and found is None:
            raise forms.ValidationError(_("No initiative has this reference."))
        return found


class LinesForm(PeriodForm):
    """The filters of the lines behind a figure."""

    initiative = InitiativeNumberField(label=_("Initiative"), required=False, max_length=20)
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


class Asked:
    """The form and initiatives of an address, and the addresses behind its figures."""

    def __init__(self, request: SignedInRequest):
        self.form = PeriodForm(request.GET)
        self.form.is_valid()
        given = self.form.cleaned_data
        self.unit = given.get("unit")
        self.wanted = figures.Wanted(
            clock.now(), Rulebook.objects.in_force(), given.get("since"), given.get("until")
        )
        self.initiatives = below(own_initiatives(request), self.unit)
        self.kept = self.form.kept(request)
        self.told = {
            "now": f"{clock.local(self.wanted.now):%-d %B %Y} at {clock.hour_in_words(self.wanted.now)}",
            "unit": self.unit,
            "since": self.wanted.since,
            "until": self.wanted.until,
        }
        self.filtered = any(request.GET.get(name) for name in self.form.fields)

    def link(self, name: str, *args, **also) -> str:
        """Return the address of the list behind a figure, with the unit and the period."""
        asked = urlencode(self.kept | also)
        return keep(reverse(name, args=args) + (f"?{asked}" if asked else ""))

    def portfolio(self, **also) -> str:
        """Return the address of the portfolio of the same unit."""
        kept = {"unit": self.kept["unit"]} if "unit" in self.kept else {}
        return keep(f"{reverse('portfolio')}?{urlencode(kept | also)}")


def own_initiatives(request: SignedInRequest) -> QuerySet:
    """Return the organisation's initiatives that run or ended, as the person may see."""
    return visibility.visible_to(request.user).own().live()


def below(initiatives: QuerySet, unit: Unit | None) -> QuerySet:
    """Return the initiatives of the unit and of units below, or all without a unit."""
    return initiatives.filter(unit__path__startswith=unit.path) if unit is not None else initiatives


def tabs(request: SignedInRequest, chosen: str) -> list[tuple[str, str, bool]]:
    """Return the four pages as address, words, and True for this page."""
    kept = urlencode({name: request.GET[name] for name in PeriodForm.base_fields if request.GET.get(name)})
    return [(reverse(name) + (f"?{kept}" if kept else ""), words, name == chosen) for name, words in PAGES]
