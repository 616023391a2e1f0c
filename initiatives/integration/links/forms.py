"""Forms on the links of an initiative, and on sources accepted for a time."""

import re
from datetime import timedelta
from typing import cast

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.database.shown_state import OverwritingForm
from governance.models import User
from governance.tables.forms import WholeNumberField
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import DayField, ListField, WordsField
from initiatives.integration.links.actions import FIELDS, MOST_ACCEPTED_DAYS, Place
from initiatives.lifecycle.access.visibility import accounts_seen_by
from initiatives.models import Deployment, Link, System, Vendor
from initiatives.models.integration.systems import ACCESS, CONDITIONS_OF_SYSTEMS, DIRECTIONS, PATTERNS

MOST_SECONDS = 86_400
MOST_PARTS = 3  # of a place: name, region, vendor


class TransfersField(forms.CharField):
    """A field for the places that data pass through, one a line: name, region, vendor.

    Region and vendor may be left out. A place named as a component of the initiative is the part of that component.
    """

    def __init__(self, **options):
        options.setdefault("widget", forms.Textarea(attrs={"rows": 4}))
        options.setdefault("max_length", 5_000)
        super().__init__(**options)
        self.parts: dict[str, Deployment] = {}
        self.vendors: dict[str, Vendor] = {}

    def prepare_value(self, value):
        """Return places as they are typed."""
        if isinstance(value, str) or value is None:
            return value
        return "\n".join(
            ", ".join([transfer.name, transfer.region or "", str(transfer.vendor or "")]).rstrip(", ")
            for transfer in value
        )

    def clean(self, value) -> list[Place]:
        """Return the places in order. Raises ValidationError for an unknown vendor."""
        places = []
        for line in (super().clean(value) or "").splitlines():
            if not line.strip(" ,;"):
                continue
            # Separators at the end of a line part nothing: what is empty there is left out.
            parts = [" ".join(part.split()) for part in re.split("[,;]", line.rstrip(" ,;"))]
            name, region, vendor, *_ = [*parts, "", ""]
            if len(parts) > MOST_PARTS:
                raise forms.ValidationError(
                    phrase(
                        "“{}” has too many parts. Write only name, region and vendor, separated by commas.",
                        line.strip(),
                    )
                )
            known = self.vendors.get(vendor.casefold())
            if vendor and known is None:
                raise forms.ValidationError(
                    phrase(
                        "{} is not in the list of vendors. Add the vendor first, or leave the vendor out.",
                        vendor,
                    )
                )
            places.append(Place(name, region, known, self.parts.get(name.casefold())))
        return places


class LinkForm(OverwritingForm):
    """A form for how an initiative is tied to a system."""

    pattern = forms.ChoiceField(label=_("Purpose"), choices=[("", _("choose")), *PATTERNS.items()])
    direction = forms.ChoiceField(choices=[("", _("choose")), *DIRECTIONS.items()])
    access = forms.ChoiceField(label=_("Access"), choices=[("", _("choose")), *ACCESS.items()])
    purpose = WordsField(label=_("Data and reason"), required=False)
    data_classes = ListField(
        label=_("Data classes"),
        required=False,
        help_text=_("Separated by commas, for example: customer notes."),
    )
    live = forms.BooleanField(
        label=_("Uses production data"), required=False, help_text=_("Not allowed for a prototype.")
    )
    account = forms.ModelChoiceField(
        label=_("Service account"), queryset=None, required=False, empty_label=_("none recorded")
    )
    transfers = TransfersField(
        label=_("Path of the data"),
        required=False,
        help_text=_(
            "Write one place on each line, in order: name, region, vendor. For a component of the "
            "initiative, use the name of the component."
        ),
    )
    timeout_seconds = WholeNumberField(
        label=_("Time-out in seconds"), required=False, min_value=1, max_value=MOST_SECONDS
    )
    retry = forms.CharField(
        label=_("Retries"),
        required=False,
        max_length=200,
        help_text=_("For example: three times within a minute."),
    )
    on_failure = WordsField(label=_("Fallback if the system is missing"), required=False)
    told_users = forms.CharField(
        label=_("Message to users while the system is missing"), required=False, max_length=250
    )

    def __init__(self, *args, initiative, system: System, person: User, row: Link | None = None, **options):
        """Build the form for `person`, who is offered the accounts that they may see."""
        if row is not None:
            transfers = (
                row.transfers.filter(ended_at__isnull=True).select_related("vendor").order_by("position")
            )
            options["initial"] = {name: getattr(row, name) for name in FIELDS} | {
                "transfers": list(transfers)
            }
        super().__init__(*args, row=row, **options)
        self.fields["account"].queryset = accounts_seen_by(person).open().filter(system=system)
        transfers = self.fields["transfers"]
        runs = initiative.deployments.select_related("version").order_by("runs_from", "pk")
        transfers.parts = {one.version.name.casefold(): one for one in runs}
        own = Vendor.objects.filter(components__deployments__initiative=initiative)
        transfers.vendors = {one.name.casefold(): one for one in (*Vendor.objects.shared(), *own)}

    def act(self) -> dict:
        """Return the fields as the act takes them."""
        return self.cleaned_data


class AcceptSourceForm(forms.Form):
    """A form that accepts a source in bad condition for a time."""

    system = forms.ModelChoiceField(label=_("Source"), queryset=System.objects.none())
    consequence = WordsField(label=_("Consequence of using the system in this condition"))
    until = DayField(help_text=f"The last day, at most {MOST_ACCEPTED_DAYS} days from today.")

    def __init__(self, *args, systems, **options):
        """Build the form. `systems`: those that the initiative is tied to."""
        super().__init__(*args, **options)
        self.fields["until"].initial = clock.today() + timedelta(days=90)
        field, today = cast(forms.ModelChoiceField, self.fields["system"]), clock.today()
        field.queryset = systems
        field.label_from_instance = lambda row: (
            f"{row}: {CONDITIONS_OF_SYSTEMS[row.condition(today)].lower()}"
        )


class AnswerForm(forms.Form):
    """A form for the words that an owner adds to an answer."""

    words = WordsField(label=_("Why"), help_text=_("The people who work on the initiative read this."))


class RecordForm(forms.Form):
    """A form for the requirements that today's register answers. All are ticked at first."""

    covers = forms.MultipleChoiceField(
        label=_("Requirements"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The register alone is not enough for any of these requirements."),
    )

    def __init__(self, *args, questions: dict[str, str], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["covers"].choices = list(questions.items())
        self.fields["covers"].initial = list(questions)
