"""Forms on evaluations of models."""

from typing import cast

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.tables.forms import NumberField, WholeNumberField
from governance.vocabulary import Comparison, Layer
from governance.web.form_fields import DayField
from initiatives.models import Deployment, Initiative

DIGITS, PLACES = 20, 6  # of numbers, in all and behind the point
MOST_EXAMPLES = 2_000_000_000


class EvaluationForm(forms.Form):
    """A form that declares data set, metric and threshold before anything is measured."""

    deployment = forms.ModelChoiceField(
        Deployment.objects.none(), label=_("Version"), empty_label=_("choose a version")
    )
    data_set = forms.CharField(
        max_length=200, help_text=_("Name the version too, so that someone else can find the data set.")
    )
    metric = forms.CharField(max_length=120, help_text=_("For example: accuracy, or minutes per letter."))
    comparison = forms.ChoiceField(label=_("A good result is"), choices=Comparison.choices)
    threshold = NumberField(max_digits=DIGITS, decimal_places=PLACES)

    def __init__(self, *args, initiative: Initiative, **options):
        super().__init__(*args, **options)
        versions = cast(forms.ModelChoiceField, self.fields["deployment"])
        versions.queryset = (
            initiative.deployments.filter(version__layer=Layer.MODEL)
            .select_related("version")
            .order_by("part", "-runs_from")
        )


class ResultForm(forms.Form):
    """A form for a measured result, its number of examples and its day."""

    result = NumberField(max_digits=DIGITS, decimal_places=PLACES)
    n = WholeNumberField(
        label=_("Examples"),
        min_value=1,
        max_value=MOST_EXAMPLES,
        help_text=_("The number of examples that the result is based on."),
    )
    measured_on = DayField(label=_("Measured on"))
