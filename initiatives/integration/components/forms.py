"""Forms on components, and on versions of them that run."""

from typing import cast

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.database.shown_state import OverwritingForm
from governance.vocabulary import Layer
from governance.web.form_fields import DayField, FoldedForm, PersonField, WordsField
from initiatives.lifecycle.changes.forms import start_of
from initiatives.models import ComponentVersion, Deployment, Initiative, Vendor
from initiatives.models.integration.components import artefact_digest


class ComponentField(forms.ModelChoiceField):
    """A component version of the register, with its layer and vendor, because names repeat."""

    def __init__(self, **options):
        super().__init__(
            queryset=ComponentVersion.objects.select_related("vendor"),
            required=False,
            **options,
        )

    def label_from_instance(self, version) -> str:
        """Return the layer, vendor, name, version and region."""
        return ": ".join(filter(None, [version.get_layer_display(), str(version.vendor or ""), str(version)]))


class RegisterForm(OverwritingForm):
    """A version of a component as it is offered in a region: one row of the register."""

    layer = forms.ChoiceField(choices=[("", _("choose a layer")), *Layer.choices])
    vendor = forms.ModelChoiceField(
        Vendor.objects.shared(),
        required=False,
        empty_label=_("made by your organisation"),
        help_text=_("If the vendor is missing, first add the vendor under Vendors."),
    )
    name = forms.CharField(max_length=120, help_text=_("The name that the vendor uses, without the version."))
    version = forms.CharField(max_length=80)
    region = forms.CharField(
        max_length=60,
        required=False,
        help_text=_("Fill in this field only if the vendor offers separate regions."),
    )
    end_of_life = DayField(
        label=_("End of life"),
        required=False,
        help_text=_(
            "The first day without support from the vendor. Leave this field empty if no one knows the day."
        ),
    )
    end_of_life_source = forms.CharField(
        label=_("Source of the end of life"),
        max_length=250,
        required=False,
        help_text=_("A link, or a person and a date."),
    )
    successor = ComponentField(label=_("Successor"), empty_label=_("none"))

    def __init__(self, *args, component: ComponentVersion | None = None, **options):
        if component is not None:
            options["initial"] = {name: getattr(component, name) for name in self.base_fields}
            options["row"] = component
            self.confirms = component.confirmed_at is None
        super().__init__(*args, **options)
        if component is not None:
            vendors = Vendor.objects.shared() | Vendor.objects.filter(components=component)
            cast(forms.ModelChoiceField, self.fields["vendor"]).queryset = vendors
            others = ComponentVersion.objects.select_related("vendor").filter(layer=component.layer)
            cast(ComponentField, self.fields["successor"]).queryset = others.exclude(pk=component.pk)


class ReplaceForm(forms.Form):
    """A form for the version that would replace a component version."""

    successor = ComponentField(label=_("Replaced by"), empty_label=_("another version"))

    def __init__(self, *args, listed, **options):
        """Build the form. `listed`: the rows of the register that may be chosen."""
        super().__init__(*args, **options)
        cast(ComponentField, self.fields["successor"]).queryset = listed


class ComponentForm(FoldedForm):
    """A version of a component that an initiative runs. A first version begins with the layer that is missing."""

    USUAL = (Layer.MODEL, Layer.APPLICATION)

    listed = ComponentField(
        label=_("Component in the register"),
        empty_label=_("not in the list"),
        help_text=_("If you choose a component here, leave layer, name, version, vendor and region empty."),
    )
    layer = forms.ChoiceField(choices=[("", _("choose a layer")), *Layer.choices], required=False)
    name = forms.CharField(
        label=_("Component"),
        max_length=120,
        required=False,
        help_text=_(
            "The name without the version. Plumbline adds a version that is missing in the register. The "
            "people who keep the register then confirm it."
        ),
    )
    version = forms.CharField(max_length=80, required=False)
    vendor = forms.CharField(
        max_length=120,
        required=False,
        help_text=_(
            "If you leave this empty, Plumbline uses the vendor of the earlier version, or your "
            "organisation. A vendor that is not listed yet is added."
        ),
    )
    region = forms.CharField(
        max_length=60, required=False, help_text=_("Region where the component runs, for example eu-west.")
    )
    artefact = forms.CharField(
        label=_("Digest of the artefact"),
        max_length=71,
        required=False,
        validators=[artefact_digest],
        help_text=_("The SHA-256 of the image or package, for example sha256: and 64 hexadecimal digits."),
    )
    replaces = forms.ModelChoiceField(
        queryset=Deployment.objects.none(),
        required=False,
        label=_("Replaces"),
        empty_label=_("the component of the same name, if there is one"),
    )
    runs_from = DayField(
        label=_("Runs from"),
        required=False,
        help_text=_("Enter a future day for a planned version. Empty means now."),
    )
    approver = PersonField(
        label=_("Change approved by"),
        required=False,
        help_text=_("You can leave this empty for a first version."),
    )
    rollback = WordsField(
        label=_("Rollback steps"), required=False, help_text=_("Describe the steps that undo the change.")
    )

    def __init__(self, *args, initiative: Initiative, listed, **options):
        """Build the form. `listed`: the rows of the register that may be chosen."""
        running = set(initiative.deployments.running_at(clock.now()).values_list("version__layer", flat=True))
        missing = next((layer for layer in self.USUAL if layer not in running), "")
        given = {name: value for name, value in options.pop("initial", {}).items() if value}
        self.proposed = {"layer": missing} if missing and not given else {}
        if self.proposed.get("layer") == Layer.APPLICATION:
            self.proposed |= {"name": initiative.title[:120], "version": "1"}
        options["initial"] = self.proposed | given
        super().__init__(*args, **options)
        if not running:
            self.at_once = ("listed", "layer", "name", "version", "vendor", "region")
        cast(ComponentField, self.fields["listed"]).queryset = listed
        cast(forms.ModelChoiceField, self.fields["replaces"]).queryset = initiative.deployments.filter(
            runs_to__isnull=True
        ).select_related("version")

    def act(self) -> dict:
        """Return the fields as the act takes them."""
        fields = self.cleaned_data | {"runs_from": start_of(self.cleaned_data["runs_from"])}
        if fields["listed"] is not None:  # what was proposed and left as it was is not said besides
            fields |= {name: "" for name, words in self.proposed.items() if fields[name] == words}
        return fields
