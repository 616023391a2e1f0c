"""Forms on where data may be: vendors, terms, policies, regions."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from governance import clock
from governance.database.shown_state import OverwritingForm
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import DayField, ListField, OwnUnitField, RegionsField, WordsField
from initiatives.integration.residency import findings, regions
from initiatives.models import Vendor
from initiatives.models.integration.residency import TERM_KINDS


class VendorForm(forms.Form):
    """A company."""

    name = forms.CharField(label=_("Company"), max_length=120)


class RegionForm(forms.Form):
    """A form for a region and the region that contains it."""

    key = forms.CharField(
        label=_("Region"),
        max_length=60,
        help_text=_("The name that contracts and clouds use, for example fra-1."),
    )
    words = forms.CharField(label=_("Description"), max_length=120, required=False)
    within = forms.CharField(
        label=_("Part of"),
        max_length=60,
        help_text=_("A known region, for example a country code or EU."),
    )


class TermForm(OverwritingForm):
    """A form for a term: allowed and forbidden regions, data classes, and its days."""

    reference = forms.CharField(
        label=_("Source"),
        max_length=200,
        help_text=_("Contract and clause, for example MSA 4.2."),
    )
    words = WordsField(label=_("Text"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    allowed = RegionsField(
        label=_("Allowed regions"),
        required=False,
        help_text=_(
            "Separated by commas. If you name a region, every other region is forbidden. If you leave "
            "this empty, all regions are allowed."
        ),
    )
    forbidden = RegionsField(
        label=_("Forbidden regions"), required=False, help_text=_("Separated by commas.")
    )
    data_classes = ListField(
        label=_("Data classes"),
        required=False,
        help_text=_(
            "Use the same names as the links. If you leave this empty, the term applies to all classes "
            "of data."
        ),
    )
    starts_on = DayField(label=_("First day"))
    ends_on = DayField(label=_("Until"), required=False, help_text=_("Leave empty if no last day is agreed."))

    def __init__(self, *args, **options):
        options["initial"] = {"starts_on": clock.today()} | (options.get("initial") or {})
        super().__init__(*args, **options)

    def bound(self) -> dict:
        """Return the fields of the term alone, as the acts take them."""
        return {name: self.cleaned_data[name] for name in TermForm.base_fields}


class VendorTermForm(TermForm):
    """A term of a vendor."""

    kind = forms.ChoiceField(label=pgettext_lazy("topic", "Subject"), choices=list(TERM_KINDS.items()))
    field_order = ("kind",)


class PolicyForm(TermForm):
    """A policy of a unit."""

    unit = OwnUnitField(help_text=_("The policy applies to this unit and all units below it."))
    field_order = ("unit",)


class MoveForm(forms.Form):
    """A form that moves a vendor's places from one region to another, for a preview."""

    moved_from = forms.CharField(label=_("Old region"), max_length=60)
    moved_to = forms.CharField(label=_("New region"), max_length=60)

    def __init__(self, *args, vendor: Vendor, places: list[str], **options):
        """Build the form. `places`: the regions in which the vendor runs something."""
        super().__init__(*args, **options)
        self.vendor, self.places = vendor, places
        self.fields[
            "moved_from"
        ].help_text = f"The vendor runs systems or services in: {', '.join(places) or 'no known region'}."

    def clean_moved_from(self) -> str:
        """Return a region where the vendor runs something. A move from any other has no effect."""
        name = self.cleaned_data["moved_from"]
        if regions.key_of(name) not in map(regions.key_of, self.places):
            raise forms.ValidationError(
                phrase(
                    "No system or service of {} is recorded in {}. Choose another region.", self.vendor, name
                )
            )
        return name

    def clean_moved_to(self) -> str:
        """Return a known region."""
        name = self.cleaned_data["moved_to"]
        if strange := findings.strange([name]):
            raise forms.ValidationError(
                phrase("{}. First add the missing regions under Regions.", findings.nobody_knows(strange))
            )
        return name
