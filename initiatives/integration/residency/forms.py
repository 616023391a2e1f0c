"""Forms on where data may be: vendors, terms, policies, regions."""

from django import forms

from governance import clock
from governance.models import Unit
from initiatives.form_fields import DayField, ListField, RegionsField, WordsField
from initiatives.integration.residency import findings, regions
from initiatives.models import Vendor
from initiatives.models.integration.residency import TERM_KINDS


class VendorForm(forms.Form):
    """A company."""

    name = forms.CharField(label="Company", max_length=120)


class RegionForm(forms.Form):
    """A region, and what it lies within."""

    key = forms.CharField(
        label="Region", max_length=60, help_text="As contracts and clouds call it, for instance fra-1."
    )
    words = forms.CharField(label="What it is", max_length=120, required=False)
    within = forms.CharField(
        label="It lies within",
        max_length=60,
        help_text="A region that is known: a country by its code, or EU.",
    )


class TermForm(forms.Form):
    """What is allowed and forbidden, for which data, from when, until when."""

    reference = forms.CharField(
        label="Where it is written", max_length=200, help_text="Contract and clause, for instance MSA 4.2."
    )
    words = WordsField(label="What it says", required=False, widget=forms.Textarea(attrs={"rows": 2}))
    allowed = RegionsField(
        label="Allowed regions",
        required=False,
        help_text="Separated by commas. Once one is named, every other is outside; empty allows all.",
    )
    forbidden = RegionsField(label="Forbidden regions", required=False, help_text="Separated by commas.")
    data_classes = ListField(
        label="For which data classes", required=False, help_text="As links name them; empty means all."
    )
    starts_on = DayField(label="Binds from")
    ends_on = DayField(label="Until", required=False, help_text="The last day; empty where none is agreed.")

    def __init__(self, *args, **options):
        options["initial"] = {"starts_on": clock.today()} | (options.get("initial") or {})
        super().__init__(*args, **options)

    def bound(self) -> dict:
        """The fields of the term alone, as the acts take them."""
        return {name: self.cleaned_data[name] for name in TermForm.base_fields}


class VendorTermForm(TermForm):
    """A term of a vendor."""

    kind = forms.ChoiceField(label="What it is about", choices=list(TERM_KINDS.items()))
    field_order = ("kind",)


class PolicyForm(TermForm):
    """A policy of a unit."""

    unit = forms.ModelChoiceField(Unit.objects.own(), help_text="It binds this unit and all below it.")
    field_order = ("unit",)


class MoveForm(forms.Form):
    """Where a vendor's places are, and where they would go."""

    moved_from = forms.CharField(label="From region", max_length=60)
    moved_to = forms.CharField(label="To region", max_length=60)

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
