"""Forms on terms, definitions and conflicts."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.database.shown_state import OverwritingForm
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import DayField, ListField, PersonField, WordsField
from initiatives.integration.comparison import identifier_standards, masks
from initiatives.integration.definitions.actions import LONGEST_FIELD, LONGEST_FORMAT, LONGEST_NAME
from initiatives.models import Initiative, Term, TermDefinition
from initiatives.models.integration.definitions import SAID, STATED, VERDICTS

ARROW = "="


class TermForm(OverwritingForm):
    """A business term of the glossary."""

    name = forms.CharField(
        label=_("Term"), max_length=LONGEST_NAME, help_text=_("One business word: customer, contract, order.")
    )
    meaning = WordsField(
        label=_("Meaning in your organisation"),
        required=False,
        help_text=_("Fill in this field only for a term that is new in the glossary."),
    )


def _facet(name: str, help_text: str) -> forms.CharField:
    """Return a field for a facet. A blank facet is not stated."""
    longest = TermDefinition._meta.get_field(name).max_length
    return forms.CharField(label=STATED[name], max_length=longest, required=False, help_text=help_text)


class DefinitionForm(OverwritingForm):
    """A form for the meaning of a term in one field of one system, and its years."""

    term = forms.ModelChoiceField(queryset=Term.objects.none(), empty_label=None)
    system = forms.ModelChoiceField(queryset=None, empty_label=_("choose a system"))
    field = forms.CharField(
        label=_("Field"),
        max_length=LONGEST_FIELD,
        help_text=_("The name that the system uses, for example customer_id."),
    )
    meaning = WordsField(label=_("Meaning in this system"))
    counted_unit = _facet("counted_unit", "The thing that one row describes: account, payer, contract.")
    includes = _facet("includes", "Separated by commas: test accounts, prospects.")
    excludes = _facet("excludes", "Separated by commas.")
    as_of = _facet(
        "as_of", "The day or time that is used, for example the invoice date or the end of the month."
    )
    unit_or_currency = _facet("unit_or_currency", "EUR, kg, hours.")
    time_window = _facet("time_window", "The period that is counted: the last 12 months.")
    population = _facet("population", "The people or things that are counted: customers in Switzerland.")
    identifier_standard = forms.ChoiceField(
        label=_("Identifier standard"),
        required=False,
        choices=[("", _("none, or a standard that is not listed")), *identifier_standards.STANDARDS.items()],
    )
    identifier_mask = _facet("identifier_mask", masks.HOW)
    identifier_format = forms.CharField(
        label=_("Identifier format"),
        max_length=LONGEST_FORMAT,
        required=False,
        help_text=_(
            "Describe the format in words if no standard or mask fits. Plumbline does not compare words."
        ),
    )
    business_logic = WordsField(
        label=_("Business logic"),
        required=False,
        help_text=_(
            "Describe anything else that is counted, left out or calculated. Plumbline does not compare "
            "these words."
        ),
    )
    valid_from = DayField(
        label=_("For rows from"),
        required=False,
        help_text=_("Leave empty if the definition applies from the beginning."),
    )
    valid_to = DayField(
        label=_("For rows to"),
        required=False,
        help_text=_("Leave empty if the definition still applies. The last day is included."),
    )

    def __init__(
        self,
        *args,
        initiative: Initiative | None = None,
        systems=None,
        row: TermDefinition | None = None,
        **options,
    ):
        if row is not None:
            options["initial"] = {name: getattr(row, name) for name in ("field", *SAID)}
        super().__init__(*args, row=row, **options)
        if row is not None:
            del self.fields["term"], self.fields["system"]
            return
        used = Term.objects.filter(uses__initiative=initiative, uses__ended_at__isnull=True)
        self.fields["term"].queryset = used.order_by("name")
        self.fields["system"].queryset = systems


class MappingField(WordsField):
    """A field for a mapping table. A row is one line: this = that, and a note after a second sign."""

    def to_python(self, value):
        """Return the rows. Refuses a line without the sign, with its number."""
        rows = []
        for number, line in enumerate((super().to_python(value) or "").splitlines(), start=1):
            if not line.strip():
                continue
            one, sign, rest = line.partition(ARROW)
            other, _, note = rest.partition(ARROW)
            if not sign or not one.strip() or not other.strip():
                raise forms.ValidationError(
                    phrase("Line {} is not a row. Write two values with {} between them.", number, ARROW)
                )
            rows.append({"one": one.strip(), "other": other.strip(), "note": note.strip()})
        return rows


class DecidePairForm(forms.Form):
    """A form that decides what two uncompared definitions are."""

    verdict = forms.ChoiceField(
        label=_("The two definitions are"), choices=VERDICTS.items(), widget=forms.RadioSelect
    )
    decision = WordsField(label=_("Why"), help_text=_("Explain your decision for people who read the data."))


class ReconcileForm(forms.Form):
    """A form that reconciles two definitions."""

    rows_may_be_empty = True  # one of the two ways to give the table is needed, and both say so
    decision = WordsField(
        label=_("Rule from now on"), help_text=_("Explain the rule for people who read the data.")
    )
    mapping = MappingField(
        label=_("Mapping table"),
        required=False,
        help_text=_(
            "Write one row on each line: 001A000001LoXyz = 4711002233. Write the table here, or choose "
            "evidence that contains it."
        ),
    )
    evidence = forms.ModelChoiceField(
        label=_("Evidence with the table"),
        queryset=None,
        required=False,
        empty_label=_("none"),
        help_text=_("Choose evidence if you write no table above."),
    )

    def __init__(self, *args, initiative: Initiative, **options):
        super().__init__(*args, **options)
        items = initiative.evidence.filter(withdrawn_at__isnull=True, superseded_by__isnull=True)
        self.fields["evidence"].queryset = items.order_by("-observed_on", "-id")
        self.fields["evidence"].label_from_instance = lambda item: (
            f"{item.title}, observed {item.observed_on:%-d %B %Y}"
        )


class AcceptDifferenceForm(forms.Form):
    """A form that accepts a difference: its users, its owner and its last day."""

    decision = WordsField(
        label=_("Reason"), help_text=_("If the difference depends on the year, name the rows too.")
    )
    downstream = ListField(
        label=_("Reports and systems with the difference"),
        help_text=_("Enter their names, separated by commas."),
    )
    owner = PersonField(label=_("Owner of the remaining gap"))
    due = DayField(label=_("Close by"))

    def clean_due(self):
        """Return a day that has not passed."""
        due = self.cleaned_data["due"]
        if due < clock.today():
            raise forms.ValidationError("This day is in the past. Choose a later day.")
        return due
