"""Forms on the links of an initiative: how it is tied to a system, along which places, and sources accepted for a
time.
"""

import re
from datetime import timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.models import User
from governance.web.form_fields import DayField, ListField, WordsField
from initiatives.integration.links.actions import FIELDS, MOST_ACCEPTED_DAYS, Place
from initiatives.lifecycle.access.visibility import accounts_seen_by
from initiatives.models import Deployment, Link, System, Vendor
from initiatives.models.integration.systems import ACCESS, DIRECTIONS, PATTERNS

MOST_SECONDS = 86_400
MOST_PARTS = 3  # of a place: name, region, vendor


class TransfersField(forms.CharField):
    """The places that data pass through, one a line: name, region, vendor; the last two may be left out.

    What bears the name of a component that the initiative runs is the part which that takes.
    """

    def __init__(self, **options):
        options.setdefault("widget", forms.Textarea(attrs={"rows": 4}))
        options.setdefault("max_length", 5_000)
        super().__init__(**options)
        self.parts: dict[str, Deployment] = {}
        self.vendors: dict[str, Vendor] = {}

    def prepare_value(self, value):
        """Places as they are typed."""
        if isinstance(value, str) or value is None:
            return value
        return "\n".join(
            ", ".join([transfer.name, transfer.region or "", str(transfer.vendor or "")]).rstrip(", ")
            for transfer in value
        )

    def clean(self, value) -> list[Place]:
        """The places in their order. Raises ValidationError for a vendor that is not known."""
        places = []
        for line in (super().clean(value) or "").splitlines():
            if not line.strip(" ,;"):
                continue
            # Separators at the end of a line part nothing: what is empty there is left out.
            parts = [" ".join(part.split()) for part in re.split("[,;]", line.rstrip(" ,;"))]
            name, region, vendor, *_ = [*parts, "", ""]
            if len(parts) > MOST_PARTS:
                raise forms.ValidationError(f"“{line.strip()}” has more parts than name, region and vendor.")
            known = self.vendors.get(vendor.casefold())
            if vendor and known is None:
                raise forms.ValidationError(
                    f"No vendor is called {vendor}; leave it out, or record it first."
                )
            places.append(Place(name, region, known, self.parts.get(name.casefold())))
        return places


class LinkForm(forms.Form):
    """How an initiative is tied to a system."""

    pattern = forms.ChoiceField(label=_("What for"), choices=[("", _("choose")), *PATTERNS.items()])
    direction = forms.ChoiceField(choices=[("", _("choose")), *DIRECTIONS.items()])
    access = forms.ChoiceField(label=_("How"), choices=[("", _("choose")), *ACCESS.items()])
    purpose = WordsField(label=_("Which data, and why"), required=False)
    data_classes = ListField(
        label=_("Data classes"),
        required=False,
        help_text=_("Separated by commas, for instance: customer notes."),
    )
    live = forms.BooleanField(
        label=_("With data of production"), required=False, help_text=_("Never for a prototype.")
    )
    account = forms.ModelChoiceField(
        label=_("Under which service account"), queryset=None, required=False, empty_label=_("none recorded")
    )
    transfers = TransfersField(
        label=_("Which places the data pass through"),
        required=False,
        help_text=_(
            "One a line, in order: name, region, vendor. A component of the initiative is named as it is there."
        ),
    )
    timeout_seconds = forms.IntegerField(
        label=_("Given up after, in seconds"), required=False, min_value=1, max_value=MOST_SECONDS
    )
    retry = forms.CharField(
        label=_("Tried again"),
        required=False,
        max_length=200,
        help_text=_("For instance: three times within a minute."),
    )
    on_failure = WordsField(label=_("What is done when it is missing"), required=False)
    told_users = forms.CharField(label=_("What people are told meanwhile"), required=False, max_length=250)

    def __init__(self, *args, initiative, system: System, person: User, link: Link | None = None, **options):
        """`person`: who fills it in; the accounts that they may see are offered."""
        if link is not None:
            transfers = (
                link.transfers.filter(ended_at__isnull=True).select_related("vendor").order_by("position")
            )
            options["initial"] = {name: getattr(link, name) for name in FIELDS} | {
                "transfers": list(transfers)
            }
        super().__init__(*args, **options)
        self.fields["account"].queryset = accounts_seen_by(person).open().filter(system=system)
        transfers = self.fields["transfers"]
        runs = initiative.deployments.select_related("version").order_by("runs_from", "pk")
        transfers.parts = {one.version.name.casefold(): one for one in runs}
        own = Vendor.objects.filter(components__deployments__initiative=initiative)
        transfers.vendors = {one.name.casefold(): one for one in (*Vendor.objects.shared(), *own)}

    def act(self) -> dict:
        """The fields as the act takes them."""
        return self.cleaned_data


class AcceptSourceForm(forms.Form):
    """Using a source in bad condition for a time."""

    consequence = WordsField(label=_("What follows from using it in this condition"))
    until = DayField(help_text=f"The last day; at most {MOST_ACCEPTED_DAYS} days ahead.")

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["until"].initial = clock.today() + timedelta(days=90)


class AnswerForm(forms.Form):
    """What an owner adds to an answer."""

    words = WordsField(label=_("Why"), help_text=_("Whoever works on the initiative reads it."))


class RecordForm(forms.Form):
    """Which requirements the register of today is offered for; all that it can answer, to begin with."""

    covers = forms.MultipleChoiceField(
        label=_("Offered for"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("It answers none of them by itself."),
    )

    def __init__(self, *args, questions: dict[str, str], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["covers"].choices = list(questions.items())
        self.fields["covers"].initial = list(questions)
