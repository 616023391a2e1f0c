"""Forms of drills, processes, the sign-on flow and trace samples."""

import hashlib
import json
from datetime import date

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.vocabulary import EvidenceResult
from governance.vocabulary.readable_text import refusal
from governance.web.form_fields import DayField, OnceForm, PersonField, WordsField
from initiatives.integration.resilience.drills import proved_by_drills
from initiatives.integration.resilience.process_actions import DIAGRAM_KINDS
from initiatives.models import Evidence, Initiative, Link
from initiatives.models.integration.processes import DRILL_KINDS, FAULTS, PROCESS_STATES

LARGEST_RECORD = 100_000  # bytes
CHOOSE = ("", "choose, or leave it to the drill record")


class DrillForm(OnceForm):
    """What was tried. What the fault kit record says is taken where a field was left empty."""

    record = forms.FileField(
        required=False,
        label=_("Record of the fault kit"),
        help_text=_("record.json, if you used the kit: it fills in what you leave empty below."),
    )
    file = forms.FileField(
        required=False,
        label=_("Trace"),
        help_text=_(
            "trace.jsonl of the kit, or any log or report that shows what happened. Kept with its hash."
        ),
    )
    url = forms.URLField(required=False, max_length=1000, assume_scheme="https", label=_("Or a link to it"))
    link = forms.ModelChoiceField(
        queryset=Link.objects.none(),
        required=False,
        empty_label=_("the initiative as a whole"),
        label=_("Which link"),
        help_text=_("Whose source was missing, slow or wrong."),
    )
    kind = forms.ChoiceField(
        label=_("What was drilled"), choices=[CHOOSE, *DRILL_KINDS.items()], required=False
    )
    fault = forms.ChoiceField(label=_("Fault planted"), choices=[CHOOSE, *FAULTS.items()], required=False)
    observed_on = DayField(label=_("On"), required=False)
    expected = WordsField(
        required=False,
        label=_("What was expected"),
        help_text=_("As it was agreed before: by when, told to whom."),
    )
    happened = WordsField(required=False, label=_("What happened"))
    result = forms.ChoiceField(
        choices=[("", _("choose")), *EvidenceResult.choices],
        required=False,
        help_text=_("Partial is not a pass."),
    )
    covers = forms.MultipleChoiceField(
        label=_("Which requirements it is evidence for"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Ticked are those that this kind of drill usually speaks to."),
    )
    next_due = DayField(
        label=_("Next one by"),
        required=False,
        help_text=_("After that day it no longer counts until tried again."),
    )

    def __init__(self, *args, initiative: Initiative, rulebook, **options):
        super().__init__(*args, **options)
        links = Link.objects.current().filter(initiative=initiative).select_related("system")
        self.fields["link"].queryset = links.order_by("system__name", "pk")
        self.fields["covers"].choices = [
            (key, rulebook.requirements[key].question) for key in proved_by_drills(rulebook)
        ]

    def clean_record(self) -> dict:
        """What the drill record says, as fields of this form, and the hash of its trace."""
        return read_record(self.cleaned_data["record"]) if self.cleaned_data["record"] else {}

    def clean(self) -> dict:
        """The drill record fills what was left empty; its trace is the one that is sent with it."""
        fields = super().clean()
        record = fields.pop("record", None) or {}
        for name in ("kind", "fault", "observed_on", "expected", "happened"):
            if not fields.get(name) and name not in self.errors:
                fields[name] = record.get(name) or fields.get(name)
        file = fields.get("file")
        if record.get("sha256") and file is not None and sha256_of(file) != record["sha256"]:
            self.add_error("file", "This is not the trace that the drill record speaks of: its hash differs.")
        return fields


def read_record(file) -> dict:
    """A record of the fault kit as fields; `sha256`: of its trace. Raises ValidationError with words."""
    if file.size > LARGEST_RECORD:
        raise forms.ValidationError("This is no record of the fault kit: it is far too large.")
    try:
        said = json.loads(file.read().decode())
    except (ValueError, RecursionError):
        raise forms.ValidationError(
            "This is not JSON. Send record.json as the fault kit printed it."
        ) from None
    if not isinstance(said, dict) or said.get("drill_record") != 1:
        raise forms.ValidationError("This is no record of the fault kit.")
    found = {}
    for name, known in (("kind", DRILL_KINDS), ("fault", FAULTS)):
        if not isinstance(said.get(name), str) or said[name] not in known:
            raise forms.ValidationError(f"The drill record names no {name} that is known here.")
        found[name] = said[name]
    try:
        found["observed_on"] = date.fromisoformat(said.get("observed_on"))
    except (TypeError, ValueError):
        raise forms.ValidationError("The drill record does not say on which day it was observed.") from None
    for name in ("expected", "happened"):
        found[name] = said[name][:5000] if isinstance(said.get(name), str) else ""
        if why := refusal(found[name]):
            raise forms.ValidationError(f"The drill record cannot be taken because of its “{name}”. {why}")
    trace = said.get("trace")
    found["sha256"] = trace.get("sha256") if isinstance(trace, dict) else ""
    return found


def sha256_of(file) -> str:
    """The hash of an upload, read in pieces."""
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


class StepsField(WordsField):
    """Steps, one a line, each "who: what"; who may be left out."""

    def __init__(self, **options):
        options.setdefault("required", False)
        options.setdefault("help_text", "One step a line, for instance: Team lead: approves above 500 EUR.")
        super().__init__(**options)

    def prepare_value(self, value):
        """Steps as they are typed."""
        return in_lines(value) if isinstance(value, list) else value

    def clean(self, value) -> list[dict]:
        """Rows of {who, what}."""
        steps = []
        for line in (super().clean(value) or "").splitlines():
            who, colon, what = line.partition(":")
            if line.strip():
                steps.append({"who": who.strip() if colon else "", "what": (what if colon else line).strip()})
        return steps


def in_lines(steps: list[dict]) -> str:
    """Steps, one a line."""
    return "\n".join(f"{step['who']}: {step['what']}" if step["who"] else step["what"] for step in steps)


class ProcessForm(OnceForm):
    """A process as it is and as it is to be."""

    name = forms.CharField(max_length=160, help_text=_("For instance: Approvals above a limit."))
    status = forms.ChoiceField(
        label=_("Written down?"), choices=list(PROCESS_STATES.items()), widget=forms.RadioSelect
    )
    holder = PersonField(
        required=False, label=_("In whose head"), help_text=_("When that person leaves, it reopens.")
    )
    holder_words = forms.CharField(
        required=False,
        max_length=160,
        label=_("Or in words"),
        help_text=_("For instance: one long-serving colleague."),
    )
    as_is = StepsField(label=_("Steps as they are"))
    to_be = StepsField(label=_("Steps as they are to be"))
    redesign_cost = forms.DecimalField(
        max_digits=14,
        decimal_places=2,
        required=False,
        label=_("Cost of the redesign"),
        help_text=_("Left empty it is shown as not budgeted."),
    )
    currency = forms.CharField(max_length=3, required=False, help_text=_("Three letters, for instance EUR."))
    budget_holder = PersonField(required=False, label=_("Who holds that budget"))


class FlowForm(OnceForm):
    """How the system signs on."""

    steps = StepsField(
        help_text=_("One step a line, for instance: Assistant: asks the directory for a token.")
    )
    explainer = PersonField(
        required=False,
        label=_("Who can explain it"),
        help_text=_("Left empty: understood by nobody, and it says so."),
    )
    diagram = forms.ModelChoiceField(
        queryset=Evidence.objects.none(),
        required=False,
        empty_label=_("none"),
        help_text=_("An item of the evidence."),
    )
    reviewed_on = DayField(label=_("Last gone through on"), help_text=_("Counts for 90 days."))

    def __init__(self, *args, initiative: Initiative, **options):
        super().__init__(*args, **options)
        self.fields["diagram"].queryset = initiative.evidence.filter(
            withdrawn_at__isnull=True, superseded_by__isnull=True, generated=False, kind__in=DIAGRAM_KINDS
        ).order_by("-observed_on", "-id")


class TraceForm(forms.Form):
    """A sample of outputs with what each cites."""

    file = forms.FileField(
        required=False,
        label=_("The sample"),
        help_text=_(
            "csv with the columns output and source, or jsonl with output and sources; up to 5,000 outputs."
        ),
    )
    title = forms.CharField(
        max_length=160, help_text=_("What was drawn and how, for instance: 50 answers of May, at random.")
    )
    taken_on = DayField(label=_("Drawn on"))
    result = forms.ChoiceField(
        choices=[("", _("choose")), *EvidenceResult.choices],
        required=False,
        help_text=_(
            "Your word, against the threshold that the initiative declared. Look at the figures first."
        ),
    )
    note = WordsField(required=False, help_text=_("The threshold, and what was left out of the sample."))
