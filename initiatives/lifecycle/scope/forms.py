"""Forms on the scope."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.web.form_fields import DayField, ListField

MOST_USERS = 1_000_000_000


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
