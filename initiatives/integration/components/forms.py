"""Forms on components, and on versions of them that run."""

from typing import cast

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.vocabulary import Layer
from governance.web.form_fields import DayField, PersonField, WordsField
from initiatives.lifecycle.changes.forms import start_of
from initiatives.models import ComponentVersion, Deployment, Initiative, Vendor


class ComponentField(forms.ModelChoiceField):
    """A component version of the register, with its layer and vendor, because names repeat."""

    def __init__(self, **options):
        super().__init__(
            queryset=ComponentVersion.objects.select_related("vendor"),
            required=False,
            **options,
        )

    def label_from_instance(self, version) -> str:
        """Layer, vendor, name, version, region."""
        return ": ".join(filter(None, [version.get_layer_display(), str(version.vendor or ""), str(version)]))


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
