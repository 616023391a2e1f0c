"""Forms on shared systems, customisations and accounts, and filters of their list."""

from collections.abc import Iterable
from datetime import timedelta

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from governance import clock
from governance.database.shown_state import OverwritingForm
from governance.models import User
from governance.tables.forms import WholeNumberField
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import (
    DayField,
    FoldedForm,
    ListField,
    OwnUnitField,
    PersonField,
    RegionsField,
    SinceField,
    WordsField,
)
from initiatives.models import ServiceAccount, System, Vendor
from initiatives.models.integration.systems import CONDITIONS_OF_SYSTEMS, SYSTEM_KINDS, UPDATED_EVERY_DAYS

EDITABLE = {"": "not known", "yes": "yes", "no": "no: it is frozen"}
MOST_DAYS = 3_650


class SystemsForm(forms.Form):
    """The filters of the list. All are optional, and what is not understood is left out."""

    q = forms.CharField(label=_("Name or place"), required=False, max_length=160)
    kind = forms.ChoiceField(required=False, choices=[("", "any kind"), *SYSTEM_KINDS.items()])
    condition = forms.ChoiceField(required=False, choices=[("", "any"), *CONDITIONS_OF_SYSTEMS.items()])
    owner = forms.CharField(required=False, max_length=160)

    @property
    def wanted(self) -> dict:
        """Return the filters that were understood."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class SystemNameField(forms.CharField):
    """A field for a system in use by its name, because a list would be too long."""

    def __init__(self, **options):
        super().__init__(max_length=160, **options)

    def prepare_value(self, value):
        """Return a system as it is typed."""
        return getattr(value, "name", value)

    def clean(self, value) -> System | None:
        """Return the system with that name, or None without a name."""
        name = super().clean(value)
        found = System.objects.current().filter(name__iexact=name).first() if name else None
        if name and found is None:
            raise forms.ValidationError(
                phrase("No system is called “{}”. Use its name in the list of systems.", name)
            )
        return found


class SystemForm(OverwritingForm, FoldedForm):
    """A form for a system. A new system needs three fields. The rest is folded, for now or later."""

    at_once = ("name", "kind", "owner")
    more_words = _("More details (you can add these later on the page of the system)")

    name = forms.CharField(max_length=160, help_text=_("The name that its users know."))
    kind = forms.ChoiceField(choices=[("", "choose a kind"), *SYSTEM_KINDS.items()])
    owner = PersonField(
        required=False,
        empty_label=_("not known"),
        help_text=_(
            "The person who is responsible for the system. The owner must agree to each initiative that "
            "depends on the system."
        ),
    )
    purpose = WordsField(label=_("Purpose"), required=False)
    location = forms.CharField(
        label=_("Location"),
        max_length=250,
        required=False,
        help_text=_("A path, an address, or the name of a workspace."),
    )
    regions = RegionsField(
        required=False,
        help_text=_("Regions of its data, separated by commas, for example eu-west."),
    )
    editable = forms.ChoiceField(label=_("Can someone edit it?"), required=False, choices=EDITABLE.items())
    last_updated_on = DayField(
        label=_("Last updated"),
        required=False,
        help_text=_("The day on which the content last changed, not the software."),
    )
    updated_every_days = WholeNumberField(
        label=_("Days until the content is out of date"),
        min_value=1,
        max_value=MOST_DAYS,
        initial=UPDATED_EVERY_DAYS,
    )
    organised_on = DayField(label=_("Last organised"), required=False)
    in_service_since = SinceField(
        label=_("In service since"),
        required=False,
        help_text=_("A year is enough, for example 2011."),
    )
    source_of_truth_for = ListField(
        label=_("Source of truth for"),
        required=False,
        help_text=_("Separated by commas, for example: prices."),
    )
    knowledge_holder = PersonField(label=_("Expert"), required=False, empty_label=_("no one in particular"))
    vendor = forms.ModelChoiceField(queryset=Vendor.objects.shared(), required=False, empty_label=_("none"))
    unit = OwnUnitField(required=False, empty_label=_("none"))
    collection = forms.ModelChoiceField(
        label=_("A source of the collection"),
        queryset=System.objects.current().filter(kind="knowledge_collection"),
        required=False,
        empty_label=_("none"),
    )
    duplicate_of = SystemNameField(
        label=_("A duplicate of"),
        required=False,
        help_text=_("If the system was described twice, enter the name of the other description."),
    )

    def __init__(self, *args, row: System | None = None, without: Iterable[str] = (), **options):
        """Build the form. `without`: fields that the person may not change and that stay."""
        if row is not None:
            options["initial"] = {name: getattr(row, name) for name in self.base_fields} | {
                "editable": {True: "yes", False: "no", None: ""}[row.editable]
            }
        super().__init__(*args, row=row, **options)
        for name in without:
            del self.fields[name]
        if row is not None:
            self.at_once = tuple(self.fields)
        elif self.initial.get("collection"):
            self.at_once = (*self.at_once, "collection")  # a person from a collection's page sees which
        if row is None:
            del self.fields["duplicate_of"]  # that it was described twice is found out later
        else:
            self.fields["collection"].queryset = self.fields["collection"].queryset.exclude(pk=row.pk)
            # An owner who has left stays named until someone else is.
            if "owner" in self.fields and row.owner is not None and not row.owner.is_active:
                here = Q(is_active=True) | Q(pk=row.owner_id)
                self.fields["owner"].queryset = User.objects.filter(here).select_related("unit")

    def act(self) -> dict:
        """Return the fields as the act takes them."""
        said = {"": None, "yes": True, "no": False}
        fields = {name: value for name, value in self.cleaned_data.items() if name in self.base_fields}
        return fields | ({"editable": said[fields["editable"]]} if "editable" in fields else {})


class CustomisationForm(forms.Form):
    """A form for a customisation: the team, the change, and since when."""

    team = forms.CharField(max_length=120)
    what = WordsField(
        label=pgettext_lazy("noun", "Change"), help_text=_("Fields, statuses, rules, meanings.")
    )
    since = DayField(required=False)


class AccountForm(OverwritingForm):
    """A form for a service account."""

    name = forms.CharField(max_length=160, help_text=_("The name of the account in its system."))
    owner = PersonField(required=False, empty_label=_("not known"))
    privileges = WordsField(label=_("Permissions"), required=False)
    review_by = DayField(
        label=_("Next review by"),
        required=False,
        help_text=_("The review is overdue after this day."),
    )

    def __init__(self, *args, row: ServiceAccount | None = None, hands_over: bool = True, **options):
        """Build the form. Only who may hand the account over is asked for its owner."""
        if row is not None:
            options["initial"] = {name: getattr(row, name) for name in self.base_fields}
        super().__init__(*args, row=row, **options)
        if not hands_over:
            del self.fields["owner"]

    def act(self) -> dict:
        """Return the fields as the act takes them. A field that was not asked keeps its value."""
        return (self.initial if self.row is not None else {}) | self.cleaned_data


class ReviewForm(OverwritingForm):
    """A form for the review of an account: its permissions, and the next day."""

    confirms = True
    privileges = WordsField(label=_("Permissions"), help_text=_("The permissions that you found now."))
    review_by = DayField(label=_("Next review by"), help_text=_("Within a year."))

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["review_by"].initial = clock.today() + timedelta(days=180)
