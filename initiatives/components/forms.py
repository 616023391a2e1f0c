"""Forms on components, on what runs, and for whom."""

from datetime import datetime
from typing import cast

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.vocabulary import Layer
from initiatives.components.actions import REPORTED
from initiatives.form_fields import ComponentField, DayField, ListField, PersonField, WordsField
from initiatives.models import ComponentVersion, Deployment, Initiative, Vendor
from initiatives.models.versions import OUTAGE_UNITS

MOST_USERS = 1_000_000_000


def start_of(day) -> datetime | None:
    """The moment a version runs from: the start of that day; None, meaning now, for today or no day."""
    return clock.midnight_before(day) if day and day != clock.today() else None


class RegisterForm(forms.Form):
    """A version of a component as it is offered in a region: one row of the register."""

    layer = forms.ChoiceField(choices=[("", _("choose a layer")), *Layer.choices])
    vendor = forms.ModelChoiceField(
        Vendor.objects.shared(),
        required=False,
        empty_label=_("made by your organisation"),
        help_text=_("One that is missing is listed under Vendors first."),
    )
    name = forms.CharField(max_length=120, help_text=_("As its vendor names it, without the version."))
    version = forms.CharField(max_length=80)
    region = forms.CharField(
        max_length=60, required=False, help_text=_("Where it runs, if its vendor offers regions apart.")
    )
    end_of_life = DayField(
        label=_("End of life"),
        required=False,
        help_text=_("The first day on which its vendor no longer stands behind it. Empty: nobody knows."),
    )
    end_of_life_source = forms.CharField(
        label=_("Where that stands"),
        max_length=250,
        required=False,
        help_text=_("A link, or who said it and when."),
    )
    successor = ComponentField(label=_("Its successor"), empty_label=_("none named"))

    def __init__(self, *args, component: ComponentVersion | None = None, **options):
        if component is not None:
            options["initial"] = {name: getattr(component, name) for name in self.base_fields}
        super().__init__(*args, **options)
        if component is not None:
            vendors = Vendor.objects.shared() | Vendor.objects.filter(components=component)
            cast(forms.ModelChoiceField, self.fields["vendor"]).queryset = vendors
            others = ComponentVersion.objects.select_related("vendor").filter(layer=component.layer)
            cast(ComponentField, self.fields["successor"]).queryset = others.exclude(pk=component.pk)


class ReplaceForm(forms.Form):
    """What would run in the place of a component version."""

    successor = ComponentField(label=_("Replaced by"), empty_label=_("another version"))

    def __init__(self, *args, listed, **options):
        """`listed`: the rows of the register that may be chosen."""
        super().__init__(*args, **options)
        cast(ComponentField, self.fields["successor"]).queryset = listed


class ComponentForm(forms.Form):
    """A version of a component that an initiative runs."""

    listed = ComponentField(
        label=_("From the register"),
        empty_label=_("not in the list"),
        help_text=_("It says layer, name, version, vendor and region. Leave these empty then."),
    )
    layer = forms.ChoiceField(choices=[("", _("choose a layer")), *Layer.choices], required=False)
    name = forms.CharField(
        label=_("Component"),
        max_length=120,
        required=False,
        help_text=_(
            "Its name without the version. A version that the register lacks is put into it, and whoever keeps the "
            "register confirms it."
        ),
    )
    version = forms.CharField(max_length=80, required=False)
    vendor = forms.CharField(
        max_length=120,
        required=False,
        help_text=_(
            "Empty: that of the version before, or your organisation. One that is not listed yet is listed."
        ),
    )
    region = forms.CharField(
        max_length=60, required=False, help_text=_("Where it runs, for instance eu-west.")
    )
    replaces = forms.ModelChoiceField(
        queryset=Deployment.objects.none(),
        required=False,
        label=_("In place of"),
        empty_label=_("the component of the same name, if there is one"),
    )
    runs_from = DayField(
        label=_("Runs from"),
        required=False,
        help_text=_("A day to come for a planned version; empty means now."),
    )
    approver = PersonField(
        label=_("Who approved the change"), required=False, help_text=_("Not asked of a first version.")
    )
    rollback = WordsField(label=_("The way back"), required=False, help_text=_("How the change is undone."))

    def __init__(self, *args, initiative: Initiative, listed, **options):
        """`listed`: the rows of the register that may be chosen."""
        super().__init__(*args, **options)
        cast(ComponentField, self.fields["listed"]).queryset = listed
        cast(forms.ModelChoiceField, self.fields["replaces"]).queryset = initiative.deployments.filter(
            runs_to__isnull=True
        ).select_related("version")

    def act(self) -> dict:
        """The fields as the act takes them."""
        return self.cleaned_data | {"runs_from": start_of(self.cleaned_data["runs_from"])}


class ScopeForm(forms.Form):
    """For whom, where, with which data, until when."""

    users = forms.CharField(
        label=_("Who uses it"), max_length=500, help_text=_("For instance: two pilot teams.")
    )
    user_count = forms.IntegerField(label=_("Number of users"), min_value=0, max_value=MOST_USERS)
    departments = ListField(required=False, help_text=_("Separated by commas."))
    places = ListField(required=False, help_text=_("Sites or countries, separated by commas."))
    data_classes = ListField(
        label=_("Data classes"), required=False, help_text=_("For instance: customer notes, prices.")
    )
    test_subjects = ListField(
        required=False,
        max_length=20_000,
        help_text=_(
            "For whom a prototype may act, as type:id, separated by commas; * stands for any characters of the "
            "id. For instance: user:tester-1, user:test-*. Without any, the decision API denies a prototype everything."
        ),
    )
    ends_on = DayField(label=_("Ends on"), required=False, help_text=_("The last day of a bounded use."))
    rollout = forms.BooleanField(
        label=_("Rolled out to users in their work"), required=False, help_text=_("Never for a prototype.")
    )
    live_data = forms.BooleanField(
        label=_("Reads or writes production data"), required=False, help_text=_("Never for a prototype.")
    )

    SCOPE = (
        "users",
        "user_count",
        "departments",
        "places",
        "data_classes",
        "test_subjects",
        "ends_on",
        "rollout",
        "live_data",
    )

    def scope(self) -> dict:
        """The fields of the scope alone, as the acts take them."""
        return {name: self.cleaned_data[name] for name in self.SCOPE}


class PlannedScopeForm(ScopeForm):
    """A scope, in force from now or with the next promotion."""

    for_stage = forms.ChoiceField(label=_("In force"), required=False, widget=forms.RadioSelect)
    field_order = ("for_stage",)

    def __init__(self, *args, next_stage: str, next_word: str, **kwargs):
        super().__init__(*args, **kwargs)
        choices = [("", "from now on")]
        if next_stage:
            choices.append((next_stage, f"planned: with the promotion to {next_word}"))
        self.fields["for_stage"].choices = choices


class ChangeForm(forms.Form):
    """A change that no version shows."""

    triggers = forms.MultipleChoiceField(label=_("What kind of change"), widget=forms.CheckboxSelectMultiple)
    what = forms.CharField(
        label=_("What changed"),
        max_length=250,
        help_text=_("It becomes the cause shown beside evidence that it ends."),
    )
    effective_on = DayField(label=_("Since"), required=False, help_text=_("Empty means now."))

    def __init__(self, *args, book, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["triggers"].choices = [(key, capfirst(book.triggers.get(key, key))) for key in REPORTED]

    def act(self) -> dict:
        """The fields as the act takes them."""
        fields = dict(self.cleaned_data)
        return fields | {"effective_at": start_of(fields.pop("effective_on"))}


class CompleteForm(forms.Form):
    """What a change still lacks."""

    approver = PersonField(label=_("Who approved it"))
    rollback = WordsField(label=_("The way back"), help_text=_("How the change is undone."))


class DependantForm(forms.Form):
    """Who depends on it, for what, how long they can do without it, and who states that."""

    who = forms.CharField(label=_("Team or system"), max_length=160)
    process = forms.CharField(
        label=_("In which process"),
        max_length=160,
        required=False,
        help_text=_("For instance: the weekly payment run."),
    )
    for_what = WordsField(label=_("What stops working there without it"))
    outage = forms.IntegerField(
        label=_("How long they can bear an outage"),
        min_value=0,
        max_value=1000,
        help_text=_("0 for no time at all."),
    )
    unit = forms.ChoiceField(
        label=_("Counted in"), choices=[(name, name) for name in OUTAGE_UNITS], initial="hours"
    )
    executive = PersonField(
        label=_("Who states it"),
        help_text=_("An executive who answers for that work. They are asked to state it in person."),
    )

    def act(self) -> dict:
        """The fields as the act takes them."""
        fields = dict(self.cleaned_data)
        hours = fields.pop("outage") * OUTAGE_UNITS[fields.pop("unit")]
        return fields | {"bearable_outage_hours": hours}
