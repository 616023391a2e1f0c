"""Forms on shared systems: what is said of one, its customisations, its accounts, and the filters of their list."""

from collections.abc import Iterable
from datetime import timedelta

from django import forms
from django.db.models import Q

from governance import clock
from governance.models import User
from governance.web.form_fields import (
    DayField,
    ListField,
    OwnUnitField,
    PersonField,
    RegionsField,
    SinceField,
    WordsField,
)
from initiatives.models import System, Vendor
from initiatives.models.integration.systems import CONDITIONS_OF_SYSTEMS, SYSTEM_KINDS, UPDATED_EVERY_DAYS

EDITABLE = {"": "nobody knows", "yes": "yes", "no": "no: it is frozen"}
MOST_DAYS = 3_650


class SystemsForm(forms.Form):
    """The filters of the list. Nothing is required; what is not understood is left out."""

    q = forms.CharField(label="Name or place", required=False, max_length=160)
    kind = forms.ChoiceField(required=False, choices=[("", "any kind"), *SYSTEM_KINDS.items()])
    condition = forms.ChoiceField(required=False, choices=[("", "any"), *CONDITIONS_OF_SYSTEMS.items()])
    owner = forms.CharField(required=False, max_length=160)

    @property
    def wanted(self) -> dict:
        """What was understood."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class SystemNameField(forms.CharField):
    """A system in use, by its name: too many to choose from a list, and each is named once."""

    def __init__(self, **options):
        super().__init__(max_length=160, **options)

    def prepare_value(self, value):
        """A system as it is typed."""
        return getattr(value, "name", value)

    def clean(self, value) -> System | None:
        """The system of that name, or None where none is named."""
        name = super().clean(value)
        found = System.objects.current().filter(name__iexact=name).first() if name else None
        if name and found is None:
            raise forms.ValidationError(
                f"No system is called “{name}”. Give its name as the list of systems has it."
            )
        return found


class SystemForm(forms.Form):
    """What is said of a system."""

    name = forms.CharField(max_length=160, help_text="As its people call it.")
    kind = forms.ChoiceField(choices=[("", "choose a kind"), *SYSTEM_KINDS.items()])
    owner = PersonField(
        required=False,
        empty_label="nobody is known",
        help_text="Who looks after it. They are asked to agree to each initiative that depends on it.",
    )
    purpose = WordsField(label="What it is for", required=False)
    location = forms.CharField(
        label="Where it is",
        max_length=250,
        required=False,
        help_text="A path, an address, the name of a space.",
    )
    regions = RegionsField(
        required=False, help_text="Where its data lie, separated by commas, for instance eu-west."
    )
    editable = forms.ChoiceField(label="Can somebody edit it", required=False, choices=EDITABLE.items())
    last_updated_on = DayField(
        label="Last worked on", required=False, help_text="Of its content, not of its software."
    )
    updated_every_days = forms.IntegerField(
        label="Out of date after, in days", min_value=1, max_value=MOST_DAYS, initial=UPDATED_EVERY_DAYS
    )
    organised_on = DayField(label="Last organised", required=False)
    in_service_since = SinceField(
        label="In service since", required=False, help_text="A year will do, for instance 2011."
    )
    source_of_truth_for = ListField(
        label="Source of truth for", required=False, help_text="Separated by commas, for instance: prices."
    )
    knowledge_holder = PersonField(
        label="Who knows how it works", required=False, empty_label="nobody in particular"
    )
    vendor = forms.ModelChoiceField(queryset=Vendor.objects.shared(), required=False, empty_label="none")
    unit = OwnUnitField(required=False, empty_label="none")
    collection = forms.ModelChoiceField(
        label="A source of the collection",
        queryset=System.objects.current().filter(kind="knowledge_collection"),
        required=False,
        empty_label="none",
    )
    duplicate_of = SystemNameField(
        label="A duplicate of",
        required=False,
        help_text="The name of the system that is the same thing, if it was described twice.",
    )

    def __init__(self, *args, system: System | None = None, without: Iterable[str] = (), **options):
        """`without`: fields that are not the person's to change; they stay as they are."""
        if system is not None:
            options["initial"] = {name: getattr(system, name) for name in self.base_fields} | {
                "editable": {True: "yes", False: "no", None: ""}[system.editable]
            }
        super().__init__(*args, **options)
        for name in without:
            del self.fields[name]
        if system is None:
            del self.fields["duplicate_of"]  # that it was described twice is found out later
        else:
            self.fields["collection"].queryset = self.fields["collection"].queryset.exclude(pk=system.pk)
            # Who has left stays named until somebody else is.
            if "owner" in self.fields and system.owner is not None and not system.owner.is_active:
                here = Q(is_active=True) | Q(pk=system.owner_id)
                self.fields["owner"].queryset = User.objects.filter(here).select_related("unit")

    def act(self) -> dict:
        """The fields as the act takes them."""
        said = {"": None, "yes": True, "no": False}
        fields = {name: value for name, value in self.cleaned_data.items() if name in self.base_fields}
        return fields | ({"editable": said[fields["editable"]]} if "editable" in fields else {})


class CustomisationForm(forms.Form):
    """Who changed a system for themselves, what, since when."""

    team = forms.CharField(max_length=120)
    what = WordsField(label="What it changed", help_text="Fields, statuses, rules, meanings.")
    since = DayField(required=False)


class AccountForm(forms.Form):
    """An account under which something that is no person works."""

    name = forms.CharField(max_length=160, help_text="As its system lists it.")
    owner = PersonField(required=False, empty_label="nobody is known")
    privileges = WordsField(label="What it may do", required=False)
    review_by = DayField(
        label="Looked at again by", required=False, help_text="The last day; from the next on it is overdue."
    )


class ReviewForm(forms.Form):
    """What an account may do, as somebody found it, and until when."""

    privileges = WordsField(label="What it may do", help_text="As you found it just now.")
    review_by = DayField(label="Looked at again by", help_text="Within a year.")

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["review_by"].initial = clock.today() + timedelta(days=180)
