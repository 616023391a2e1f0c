"""Forms on models."""

from typing import cast

from django import forms
from django.utils.translation import gettext_lazy as _

from initiatives.form_fields import DayField, ModelField
from initiatives.models import ModelVersion, Vendor


class ModelForm(forms.Form):
    """A model as its vendor offers it."""

    vendor = forms.ModelChoiceField(
        Vendor.objects.shared(),
        empty_label=_("choose a vendor"),
        help_text=_("For a model of your own, your organisation. List it under Vendors first."),
    )
    family = forms.CharField(max_length=120, help_text=_("As its vendor names it, without the version."))
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
    successor = ModelField(label=_("Its successor"), empty_label=_("none named"))

    def __init__(self, *args, model: ModelVersion | None = None, **options):
        if model is not None:
            options["initial"] = {name: getattr(model, name) for name in self.base_fields}
        super().__init__(*args, **options)
        if model is not None:
            cast(ModelField, self.fields["successor"]).queryset = ModelVersion.objects.select_related(
                "vendor"
            ).exclude(pk=model.pk)


class ReplaceForm(forms.Form):
    """What would run in the place of a model."""

    successor = ModelField(label=_("Replaced by"), empty_label=_("another version"))

    def __init__(self, *args, models, **options):
        super().__init__(*args, **options)
        cast(ModelField, self.fields["successor"]).queryset = models
