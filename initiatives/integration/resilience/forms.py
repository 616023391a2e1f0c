"""Forms of drills, processes, the sign-on flow and trace samples."""

import hashlib
import json
from datetime import date

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from governance.tables.forms import NumberField
from governance.vocabulary import EvidenceResult
from governance.vocabulary.phrases import phrase
from governance.vocabulary.readable_text import refusal
from governance.web.form_fields import DayField, OnceForm, PersonField, WordsField
from initiatives.integration.resilience.drills import proved_by_drills, suggested
from initiatives.integration.resilience.process_actions import DIAGRAM_KINDS
from initiatives.models import Evidence, Initiative, Link
from initiatives.models.integration.processes import DRILL_KINDS, FAULTS, PROCESS_STATES

LARGEST_RECORD = 100_000  # bytes
CHOOSE = ("", "choose, or take it from the drill record")


class DrillForm(OnceForm):
    """A form for a drill. A record of the fault kit fills the fields that are left empty."""

    record = forms.FileField(
        required=False,
        label=_("Record of the fault kit"),
        help_text=_(
            "If you used the fault kit, choose record.json. Plumbline then fills in the fields that you "
            "leave empty below."
        ),
    )
    file = forms.FileField(
        required=False,
        label=_("Trace"),
        help_text=_(
            "Choose trace.jsonl of the fault kit, or any log or report that shows what happened. Plumbline "
            "keeps the file with its hash."
        ),
    )
    url = forms.URLField(required=False, max_length=1000, assume_scheme="https", label=_("Link to the trace"))
    link = forms.ModelChoiceField(
        queryset=Link.objects.none(),
        required=False,
        empty_label=_("the whole initiative"),
        label=pgettext_lazy("between systems", "Link"),
        help_text=_("The link with the missing, slow or wrong source."),
    )
    kind = forms.ChoiceField(label=_("Kind of drill"), choices=[CHOOSE, *DRILL_KINDS.items()], required=False)
    fault = forms.ChoiceField(label=_("Fault planted"), choices=[CHOOSE, *FAULTS.items()], required=False)
    observed_on = DayField(label=_("On"), required=False)
    expected = WordsField(
        required=False,
        label=_("Expected result"),
        help_text=_("The result agreed before the drill: the time limit, and who is notified."),
    )
    happened = WordsField(required=False, label=_("Actual result"))
    result = forms.ChoiceField(
        choices=[("", _("choose")), *EvidenceResult.choices],
        required=False,
        help_text=_("A partial result is not a pass."),
    )
    covers = forms.MultipleChoiceField(
        label=_("Requirements"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_(
            "If you select none, the drill counts for each requirement that asks for a drill of this kind."
        ),
    )
    next_due = DayField(
        label=_("Repeat by"),
        required=False,
        help_text=_("The drill does not count after that day until you repeat it."),
    )

    def __init__(self, *args, initiative: Initiative, rulebook, **options):
        super().__init__(*args, **options)
        self.rulebook = rulebook
        links = Link.objects.current().filter(initiative=initiative).select_related("system")
        self.fields["link"].queryset = links.order_by("system__name", "pk")
        self.fields["covers"].choices = [
            (key, rulebook.requirements[key].question) for key in proved_by_drills(rulebook)
        ]

    def clean_record(self) -> dict:
        """Return the drill record as fields of this form, with the hash of its trace."""
        return read_record(self.cleaned_data["record"]) if self.cleaned_data["record"] else {}

    def clean(self) -> dict:
        """Fill empty fields from the drill record, whose trace must be the one sent."""
        fields = super().clean()
        record = fields.pop("record", None) or {}
        for name in ("kind", "fault", "observed_on", "expected", "happened"):
            if not fields.get(name) and name not in self.errors:
                fields[name] = record.get(name) or fields.get(name)
        fields["covers"] = fields.get("covers") or suggested(self.rulebook, fields.get("kind") or "")
        file = fields.get("file")
        if record.get("sha256") and file is not None and sha256_of(file) != record["sha256"]:
            self.add_error(
                "file",
                "This trace does not belong to the drill record: its hash differs. Choose the trace of "
                "the same drill.",
            )
        return fields

    def act(self) -> dict:
        """Return the drill with what its record filled in."""
        return self.cleaned_data


def read_record(file) -> dict:
    """Return a fault kit record as fields. `sha256`: of its trace. Raises ValidationError."""
    if file.size > LARGEST_RECORD:
        raise forms.ValidationError(
            "This file is too large for a record of the fault kit. Choose record.json."
        )
    try:
        said = json.loads(file.read().decode())
    except (ValueError, RecursionError):
        raise forms.ValidationError(
            "This file is not JSON. Send record.json as the fault kit printed it."
        ) from None
    if not isinstance(said, dict) or said.get("drill_record") != 1:
        raise forms.ValidationError("This file is not a record of the fault kit. Choose record.json.")
    found = {}
    for name, known in (("kind", DRILL_KINDS), ("fault", FAULTS)):
        if not isinstance(said.get(name), str) or said[name] not in known:
            raise forms.ValidationError(
                phrase("The drill record has no known {}. Choose it in the form.", name)
            )
        found[name] = said[name]
    try:
        found["observed_on"] = date.fromisoformat(said.get("observed_on"))
    except (TypeError, ValueError):
        raise forms.ValidationError(
            "The drill record has no day on which the drill was observed. Enter the day in the form."
        ) from None
    for name in ("expected", "happened"):
        found[name] = said[name][:5000] if isinstance(said.get(name), str) else ""
        if why := refusal(found[name]):
            raise forms.ValidationError(
                phrase("Plumbline cannot read “{}” in the drill record. {}", name, why)
            )
    trace = said.get("trace")
    found["sha256"] = trace.get("sha256") if isinstance(trace, dict) else ""
    return found


def sha256_of(file) -> str:
    """Return the hash of an upload, which is read in pieces."""
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


class StepsField(WordsField):
    """A field for steps, one a line, each as "who: what". The person may be left out."""

    def __init__(self, **options):
        options.setdefault("required", False)
        options.setdefault(
            "help_text", "Write one step on each line, like this. Team lead: approves above 500 EUR."
        )
        super().__init__(**options)

    def prepare_value(self, value):
        """Return steps as they are typed."""
        return in_lines(value) if isinstance(value, list) else value

    def clean(self, value) -> list[dict]:
        """Return rows of {who, what}."""
        steps = []
        for line in (super().clean(value) or "").splitlines():
            who, colon, what = line.partition(":")
            if line.strip():
                steps.append({"who": who.strip() if colon else "", "what": (what if colon else line).strip()})
        return steps


def in_lines(steps: list[dict]) -> str:
    """Return the steps, one a line."""
    return "\n".join(f"{step['who']}: {step['what']}" if step["who"] else step["what"] for step in steps)


class ProcessForm(OnceForm):
    """A form for a process as it is and as it is to be."""

    name = forms.CharField(max_length=160, help_text=_("For example: Approvals above a limit."))
    status = forms.ChoiceField(
        label=_("Documented?"), choices=list(PROCESS_STATES.items()), widget=forms.RadioSelect
    )
    holder = PersonField(
        required=False,
        label=_("Known by"),
        help_text=_("If this person leaves, the requirement is open again."),
    )
    holder_words = forms.CharField(
        required=False,
        max_length=160,
        label=_("Known by (description)"),
        help_text=_("For example: one long-serving colleague."),
    )
    as_is = StepsField(label=_("Steps today"))
    to_be = StepsField(label=_("Planned steps"))
    redesign_cost = NumberField(
        max_digits=14,
        decimal_places=2,
        required=False,
        label=_("Cost of the redesign"),
        help_text=_("If empty, the cost is shown as not budgeted."),
    )
    currency = forms.CharField(max_length=3, required=False, help_text=_("Three letters, for example EUR."))
    budget_holder = PersonField(required=False, label=_("Budget owner"))


class FlowForm(OnceForm):
    """A form for the sign-on flow of the system."""

    steps = StepsField(
        help_text=_("Write one step on each line, like this. Assistant: asks the directory for a token.")
    )
    explainer = PersonField(
        required=False,
        label=_("Explained by"),
        help_text=_("If empty, a finding is shown: no one can explain the flow."),
    )
    diagram = forms.ModelChoiceField(
        queryset=Evidence.objects.none(),
        required=False,
        empty_label=_("none"),
        help_text=_("Choose evidence that contains the diagram."),
    )
    reviewed_on = DayField(
        label=_("Last reviewed on"), help_text=_("A review of the flow is valid for 90 days.")
    )

    def __init__(self, *args, initiative: Initiative, **options):
        super().__init__(*args, **options)
        self.fields["diagram"].queryset = initiative.evidence.filter(
            withdrawn_at__isnull=True, superseded_by__isnull=True, generated=False, kind__in=DIAGRAM_KINDS
        ).order_by("-observed_on", "-id")


class TraceForm(forms.Form):
    """A form for a sample of outputs with the sources that each cites."""

    file = forms.FileField(
        required=False,
        label=_("Sample"),
        help_text=_(
            "csv with the columns output and source, or jsonl with output and sources. The file can have "
            "up to 5,000 outputs."
        ),
    )
    title = forms.CharField(
        max_length=160,
        help_text=_(
            "The contents of the sample and how you drew it, for example: 50 answers of May, at random."
        ),
    )
    taken_on = DayField(label=_("Drawn on"))
    result = forms.ChoiceField(
        choices=[("", _("choose")), *EvidenceResult.choices],
        required=False,
        help_text=_(
            "First read the figures. Then compare the figures with the threshold that the initiative "
            "declared."
        ),
    )
    note = WordsField(required=False, help_text=_("Name the threshold, and anything left out of the sample."))
