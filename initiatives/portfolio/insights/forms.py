"""What the address of a page of Insights asks for; every field may be left empty."""

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
from governance.templatetags.days import keep
from governance.vocabulary import Layer
from initiatives.lifecycle.access import permissions as initiative_permissions
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
    "unnamed": "days waited for nobody named",
}


class PeriodForm(forms.Form):
    """A unit with all below it, and a period; each may be left open."""

    unit = UnitField(label=_("Unit"), required=False, queryset=Unit.objects.own(), empty_label=_("any"))
    since = OpenDay(label=_("From"))
    until = OpenDay(label=_("until"))

    def clean(self):
        """A period ends after it begins."""
        cleaned = super().clean()
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", "This day is before the first one.")
        return cleaned

    def kept(self, request: SignedInRequest) -> dict[str, str]:
        """What of the address was understood, to write it into links."""
        return {
            name: request.GET[name]
            for name in self.fields
            if request.GET.get(name) and name not in self.errors
        }

    @property
    def wanted(self) -> effort_report.Wanted:
        """Which effort, as far as the fields were understood."""
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
    """The filters of the list of decisions. What is not understood is said and left out."""

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "reason, title, AI-42"}),
    )
    what = forms.ChoiceField(
        label="Decision", required=False, choices=[("", "any"), *decision_register.KINDS.items()]
    )
    gate = forms.ChoiceField(label="Gate", required=False)
    board = forms.TypedChoiceField(label="Board", required=False, empty_value=None)
    who = forms.CharField(label="Decided by", required=False, max_length=120)

    field_order = ("q", "what", "gate", "board", "unit", "who", "since", "until")

    def __init__(self, *args, rulebook, **options):
        """`rulebook` names the gates."""
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
        """What was understood."""
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
    """An initiative by its reference, told as its number."""

    def clean(self, value) -> int | None:
        """The number. Raises ValidationError for what is no reference."""
        text = super().clean(value).strip().upper().removeprefix("AI-")
        if text and not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise forms.ValidationError("An initiative is named like AI-0042.")
        return int(text) if text else None


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
    """What the address asks for: the form, the initiatives of it, and how to write the addresses behind the figures."""

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
            "now": f"{clock.local(self.wanted.now):%-d %B %Y at %H:%M}",
            "unit": self.unit,
            "since": self.wanted.since,
            "until": self.wanted.until,
        }
        self.filtered = any(request.GET.get(name) for name in self.form.fields)

    def link(self, name: str, *args, **also) -> str:
        """The address of what stands behind a figure, with the unit and the period of this page."""
        asked = urlencode(self.kept | also)
        return keep(reverse(name, args=args) + (f"?{asked}" if asked else ""))

    def portfolio(self, **also) -> str:
        """The portfolio of the same unit."""
        kept = {"unit": self.kept["unit"]} if "unit" in self.kept else {}
        return keep(f"{reverse('portfolio')}?{urlencode(kept | also)}")


def own_initiatives(request: SignedInRequest) -> QuerySet:
    """The initiatives of this organisation that run or ended and that the person may open."""
    return initiative_permissions.visible_to(request.user).own().live()


def below(initiatives: QuerySet, unit: Unit | None) -> QuerySet:
    """Those of the initiatives that belong to the unit or to one below it; all where none is given."""
    return initiatives.filter(unit__path__startswith=unit.path) if unit is not None else initiatives


def tabs(request: SignedInRequest, chosen: str) -> list[tuple[str, str, bool]]:
    """The four pages: address with the unit and the period that are looked at, words, and whether it is this one."""
    kept = urlencode({name: request.GET[name] for name in PeriodForm.base_fields if request.GET.get(name)})
    return [(reverse(name) + (f"?{kept}" if kept else ""), words, name == chosen) for name, words in PAGES]
