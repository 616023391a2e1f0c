"""Forms on where data may be: vendors, terms, policies, regions."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.web.form_fields import DayField, ListField, OwnUnitField, RegionsField, WordsField
from initiatives.integration.residency import findings, regions
from initiatives.models import Vendor
from initiatives.models.integration.residency import TERM_KINDS


class VendorForm(forms.Form):
    """A company."""

    name = forms.CharField(label=_("Company"), max_length=120)


class RegionForm(forms.Form):
    """A region, and what it lies within."""

    key = forms.CharField(
        label=_("Region"), max_length=60, help_text=_("As contracts and clouds call it, for instance fra-1.")
    )
    words = forms.CharField(label=_("What it is"), max_length=120, required=False)
    within = forms.CharField(
        label=_("It lies within"),
        max_length=60,
        help_text=_("A region that is known: a country by its code, or EU."),
    )


class TermForm(forms.Form):
    """What is allowed and forbidden, for which data, from when, until when."""

    reference = forms.CharField(
        label=_("Where it is written"),
        max_length=200,
        help_text=_("Contract and clause, for instance MSA 4.2."),
    )
    words = WordsField(label=_("What it says"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    allowed = RegionsField(
        label=_("Allowed regions"),
        required=False,
        help_text=_("Separated by commas. Once one is named, every other is outside; empty allows all."),
    )
    forbidden = RegionsField(
        label=_("Forbidden regions"), required=False, help_text=_("Separated by commas.")
    )
    data_classes = ListField(
        label=_("For which data classes"), required=False, help_text=_("As links name them; empty means all.")
    )
    starts_on = DayField(label=_("Binds from"))
    ends_on = DayField(
        label=_("Until"), required=False, help_text=_("The last day; empty where none is agreed.")
    )

    def __init__(self, *args, **options):
        options["initial"] = {"starts_on": clock.today()} | (options.get("initial") or {})
        super().__init__(*args, **options)

    def bound(self) -> dict:
        """The fields of the term alone, as the acts take them."""
        return {name: self.cleaned_data[name] for name in TermForm.base_fields}


class VendorTermForm(TermForm):
    """A term of a vendor."""

    kind = forms.ChoiceField(label=_("What it is about"), choices=list(TERM_KINDS.items()))
    field_order = ("kind",)


class PolicyForm(TermForm):
    """A policy of a unit."""

    unit = OwnUnitField(help_text=_("It binds this unit and all below it."))
    field_order = ("unit",)


class MoveForm(forms.Form):
    """Where a vendor's places are, and where they would go."""

    moved_from = forms.CharField(label=_("From region"), max_length=60)
    moved_to = forms.CharField(label=_("To region"), max_length=60)

    def __init__(self, *args, vendor: Vendor, places: list[str], **options):
        """`places`: the regions in which the vendor runs something."""
        super().__init__(*args, **options)
        self.vendor, self.places = vendor, places
        self.fields[
            "moved_from"
        ].help_text = f"It runs something in: {', '.join(places) or 'no region known'}."

    def clean_moved_from(self) -> str:
        """A region in which the vendor runs something: of any other a look would say that nothing happens."""
        name = self.cleaned_data["moved_from"]
        if regions.key_of(name) not in map(regions.key_of, self.places):
            raise forms.ValidationError(
                f"Nothing that {self.vendor} runs is in {name}, as far as is recorded."
            )
        return name

    def clean_moved_to(self) -> str:
        """A region that is known."""
        name = self.cleaned_data["moved_to"]
        if strange := findings.strange([name]):
            raise forms.ValidationError(f"{findings.nobody_knows(strange)}: add it under Regions first.")
        return name
