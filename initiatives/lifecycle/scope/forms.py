"""Forms on the scope."""

from datetime import timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.database.shown_state import OverwritingForm
from governance.tables.forms import WholeNumberField
from governance.vocabulary import Stage
from governance.web.form_fields import DayField, FoldedForm, ListField
from initiatives.lifecycle.facts.initiative_rows import scope_ahead
from initiatives.models import Initiative

MOST_USERS = 1_000_000_000
TRIAL = timedelta(days=90)  # how long a trial lasts where nobody says otherwise


class ScopeForm(forms.Form):
    """The users, places, data and end of a scope."""

    users = forms.CharField(label=_("Users"), max_length=500, help_text=_("For instance: two pilot teams."))
    user_count = WholeNumberField(label=_("Number of users"), min_value=0, max_value=MOST_USERS)
    departments = ListField(required=False, help_text=_("Separated by commas."))
    places = ListField(required=False, help_text=_("Sites or countries, separated by commas."))
    data_classes = ListField(
        label=_("Data classes"), required=False, help_text=_("For instance: customer notes, prices.")
    )
    test_subjects = ListField(
        required=False,
        max_length=20_000,
        help_text=_(
            "The users a prototype may act for, as type:id, separated by commas. A * matches any "
            "characters of the id. For instance: user:tester-1, user:test-*. If you enter none, the "
            "decision API denies every request of a prototype."
        ),
    )
    ends_on = DayField(label=_("Ends on"), required=False, help_text=_("The last day of temporary use."))
    rollout = forms.BooleanField(
        label=_("Rolled out to users in their work"),
        required=False,
        help_text=_("Not possible for a prototype."),
    )
    live_data = forms.BooleanField(
        label=_("Reads or writes production data"),
        required=False,
        help_text=_("Not possible for a prototype."),
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
        """Return the fields of the scope alone, as the acts take them."""
        return {name: self.cleaned_data[name] for name in self.SCOPE}


class PlannedScopeForm(OverwritingForm, FoldedForm, ScopeForm):
    """A scope, in force now or after the next promotion. One for an MVP has usual initial values."""

    for_stage = forms.ChoiceField(label=_("In force"), required=False, widget=forms.RadioSelect)
    field_order = ("for_stage",)

    def __init__(self, *args, initiative: Initiative, next_stage: str, next_word: str, **kwargs):
        known = scope_ahead(initiative)
        initial = {name: getattr(known, name) for name in self.SCOPE} if known else {}
        self.suggests = next_stage == Stage.MVP and (known is None or not known.for_stage)
        if self.suggests:
            initial = {
                "users": initiative.unit.name,
                "departments": [initiative.unit.name],
                "ends_on": clock.today() + TRIAL,
                **{name: value for name, value in initial.items() if value not in ("", [], None)},
                "for_stage": next_stage,
            }
        elif known is not None and known.starts_at is None:
            initial["for_stage"] = known.for_stage
        super().__init__(*args, initial=initial, **kwargs)
        if next_stage == Stage.MVP:
            self.at_once = tuple(name for name in self.fields if name != "test_subjects")
        choices = [("", "from now on")]
        if next_stage:
            choices.append((next_stage, f"planned: starts with the promotion to {next_word}"))
        self.fields["for_stage"].choices = choices

    def _stands(self) -> dict:
        """Return the known scope. A suggestion is not recorded."""
        return {} if self.suggests else super()._stands()

    def act(self) -> dict:
        """Return the fields as the act takes them."""
        return self.scope() | {"for_stage": self.cleaned_data["for_stage"]}
