"""Forms of measurements: one typed measurement, and a table of measurements."""

from datetime import timedelta
from typing import cast

from django import forms
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from adoption.measurements.measurement_validation import Sent
from adoption.measures.evaluation import monday
from adoption.measures.forms import FigureField
from adoption.models.instruments import ASKED, POPULATIONS, USERS
from adoption.models.measures import Measure, Measurement
from governance import clock
from governance.models import Rulebook
from governance.tables.forms import TableForm, WholeNumberField
from governance.web.form_fields import DayField, OnceForm


class MeasurementForm(OnceForm):
    """The form for one typed measurement. The last whole week is filled in already."""

    rows_may_be_empty = True

    starts_on = DayField(label=_("From"))
    ends_on = DayField(label=_("To"))

    def __init__(
        self, *args, measure: Measure, teams: tuple[str, ...], of: Measurement | None = None, **options
    ):
        super().__init__(*args, **options)
        self.measure, self.of = measure, of
        how = measure.how
        if teams:
            choices = [(name, name) for name in teams]
            self.fields["team"] = forms.ChoiceField(
                label=_("Team"),
                choices=choices if how.weekly else [("", "all"), *choices],
                required=how.weekly,
            )
        if how.share:
            self.fields["hits"] = WholeNumberField(label=_("Count"), min_value=0, max_value=10**12)
            self.fields["n"] = WholeNumberField(label=_("Sample size"), min_value=1, max_value=10**12)
        else:
            self.fields["value"] = FigureField(
                label=gettext("Mean, %(value)s") % {"value": measure.unit or "in its unit"}
            )
            self.fields["sd"] = FigureField(label=_("Standard deviation"), min_value=0)
            self.fields["n"] = WholeNumberField(label=_("Number of values"), min_value=1, max_value=10**12)
        self.fields["about"] = forms.ChoiceField(
            label=_("About"),
            choices=[(key, words.capitalize()) for key, words in POPULATIONS.items()],
            initial=USERS,
        )
        self.fields["others"] = forms.BooleanField(
            label=_("Other people than before") if how.counts_users else _("Further work of the same days"),
            required=False,
            help_text=_(
                "Tick this only if none of these people was measured before. Otherwise they count as the same "
                "people, and the largest number in the period that is judged counts."
            )
            if how.counts_users
            else _("Tick this only if a measurement with these days exists and this one counts other work."),
        )
        if of is not None:
            self.fields["reason"] = forms.CharField(label=_("Reason for the correction"), max_length=250)
            self.fields["n"].min_value = 0
            self.fields["n"].validators = []
            self.fields["n"].help_text = _("Enter 0 to withdraw the measurement.")
            for name in ("starts_on", "ends_on", "team", "hits", "value", "sd", "n", "about", "others"):
                if name in self.fields:
                    self.fields[name].initial = getattr(of, name)
        else:
            first = monday(clock.today()) - timedelta(weeks=1)
            self.fields["starts_on"].initial, self.fields["ends_on"].initial = (
                first,
                first + timedelta(days=6),
            )

    def sent(self) -> Sent:
        """Return the typed values as the act takes them."""
        typed = self.cleaned_data
        return Sent(
            self.measure.pk,
            typed["starts_on"],
            typed["ends_on"],
            typed["n"],
            f"typed:{typed['once'] or self.fields['once'].initial()}",
            hits=typed.get("hits"),
            value=typed.get("value"),
            sd=typed.get("sd"),
            team=typed.get("team") or "",
            about=typed["about"],
            replaces=self.of.key if self.of is not None else "",
            reason=typed.get("reason") or "",
            others=typed["others"],
        )


class MeasurementsFileForm(TableForm):
    """The form for a table of measurements."""

    folder = "measurements"
    file = forms.FileField(
        label=_("The file"),
        error_messages={"required": "Choose a table with a header row."},
        help_text=_(
            "A csv or xlsx file with the columns “measure”, “from”, “to”, “n”, and either “hits” or "
            "“value” and “sd”. The columns “team”, “about”, “key”, “replaces” and “others” are optional. Write "
            "yes in “others” only if nobody in the line was measured before."
        ),
    )


class FiguresForm(forms.Form):
    """The form that chooses the requirement for the figures."""

    requirement = forms.ChoiceField(label=gettext_lazy("Requirement"))

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        asked = Rulebook.objects.current().parsed.requirements
        choices = [(key, asked[key].question) for key in ASKED if key in asked]
        cast(forms.ChoiceField, self.fields["requirement"]).choices = choices
