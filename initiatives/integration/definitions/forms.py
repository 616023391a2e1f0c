"""Forms on terms and definitions: what a field means, and how a data steward resolves a conflict."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.web.form_fields import DayField, ListField, PersonField, WordsField
from initiatives.integration.comparison import identifier_standards, masks
from initiatives.integration.definitions.actions import LONGEST_FIELD, LONGEST_FORMAT, LONGEST_NAME
from initiatives.models import Initiative, Term, TermDefinition
from initiatives.models.integration.definitions import SAID, STATED, VERDICTS

ARROW = "="


class TermForm(forms.Form):
    """A business term of the glossary."""

    name = forms.CharField(
        label=_("Term"), max_length=LONGEST_NAME, help_text=_("One business word: customer, contract, order.")
    )
    meaning = WordsField(
        label=_("What your organisation means by it"),
        required=False,
        help_text=_("For the glossary, where it is new."),
    )


def _facet(name: str, help_text: str) -> forms.CharField:
    """A facet that may be left blank: not stated."""
    longest = TermDefinition._meta.get_field(name).max_length
    return forms.CharField(label=STATED[name], max_length=longest, required=False, help_text=help_text)


class DefinitionForm(forms.Form):
    """What one field of one system means by a term, for rows of which years."""

    term = forms.ModelChoiceField(queryset=Term.objects.none(), empty_label=None)
    system = forms.ModelChoiceField(queryset=None, empty_label=_("choose a system"))
    field = forms.CharField(
        label=_("Field"),
        max_length=LONGEST_FIELD,
        help_text=_("As the system calls it, for instance customer_id."),
    )
    meaning = WordsField(label=_("What it means there"))
    counted_unit = _facet("counted_unit", "What one row is: account, payer, contract.")
    includes = _facet("includes", "Separated by commas: test accounts, prospects.")
    excludes = _facet("excludes", "Separated by commas.")
    as_of = _facet("as_of", "The day or moment that counts: invoice date, end of month.")
    unit_or_currency = _facet("unit_or_currency", "EUR, kg, hours.")
    time_window = _facet("time_window", "Over which time it is counted: the last 12 months.")
    population = _facet("population", "Of whom or what: customers in Switzerland.")
    identifier_standard = forms.ChoiceField(
        label=_("Identifier standard"),
        required=False,
        choices=[("", _("none, or one that is not listed")), *identifier_standards.STANDARDS.items()],
    )
    identifier_mask = _facet("identifier_mask", masks.HOW)
    identifier_format = forms.CharField(
        label=_("Identifier format"),
        max_length=LONGEST_FORMAT,
        required=False,
        help_text=_("In words, where neither a standard nor a mask says it. Words are not compared."),
    )
    business_logic = WordsField(
        label=_("Business logic"),
        required=False,
        help_text=_("What else is counted, left out or worked out, in words. Words are not compared."),
    )
    valid_from = DayField(label=_("For rows from"), required=False, help_text=_("Empty: from the beginning."))
    valid_to = DayField(label=_("To and with"), required=False, help_text=_("Empty: until today."))
    why = WordsField(
        label=_("Why"),
        required=False,
        help_text=_("For whoever looks after the system, where it is proposed to them."),
    )

    def __init__(
        self,
        *args,
        initiative: Initiative | None = None,
        systems=None,
        definition: TermDefinition | None = None,
        **options,
    ):
        if definition is not None:
            options["initial"] = {name: getattr(definition, name) for name in ("field", *SAID)}
        super().__init__(*args, **options)
        if definition is not None:
            del self.fields["term"], self.fields["system"], self.fields["why"]
            return
        used = Term.objects.filter(uses__initiative=initiative, uses__ended_at__isnull=True)
        self.fields["term"].queryset = used.order_by("name")
        self.fields["system"].queryset = systems


class MappingField(WordsField):
    """A table of what is what, one row a line: this = that, and a note after a second sign."""

    def to_python(self, value):
        """The rows; a line without the sign is refused with its number."""
        rows = []
        for number, line in enumerate((super().to_python(value) or "").splitlines(), start=1):
            if not line.strip():
                continue
            one, sign, rest = line.partition(ARROW)
            other, _, note = rest.partition(ARROW)
            if not sign or not one.strip() or not other.strip():
                raise forms.ValidationError(
                    f"Line {number} is no row: write one value, {ARROW}, and the other."
                )
            rows.append({"one": one.strip(), "other": other.strip(), "note": note.strip()})
        return rows


class DecidePairForm(forms.Form):
    """What two definitions are that nobody has compared."""

    verdict = forms.ChoiceField(label=_("They are"), choices=VERDICTS.items(), widget=forms.RadioSelect)
    decision = WordsField(label=_("Why"), help_text=_("In words that whoever reads the data understands."))


class ReconcileForm(forms.Form):
    """How two definitions are brought together."""

    rows_may_be_empty = True  # one of the two ways to give the table is needed, and both say so
    decision = WordsField(
        label=_("What holds from now on"), help_text=_("In words that whoever reads the data understands.")
    )
    mapping = MappingField(
        label=_("What is what"),
        required=False,
        help_text=_(
            "One row a line: 001A000001LoXyz = 4711002233. "
            "This, or the item below that holds the table, is needed."
        ),
    )
    evidence = forms.ModelChoiceField(
        label=_("The table is in"),
        queryset=None,
        required=False,
        empty_label=_("no item of the evidence"),
        help_text=_("Needed where no table is written above."),
    )

    def __init__(self, *args, initiative: Initiative, **options):
        super().__init__(*args, **options)
        items = initiative.evidence.filter(withdrawn_at__isnull=True, superseded_by__isnull=True)
        self.fields["evidence"].queryset = items.order_by("-observed_on", "-id")
        self.fields["evidence"].label_from_instance = lambda item: (
            f"{item.title}, observed {item.observed_on:%-d %B %Y}"
        )


class AcceptDifferenceForm(forms.Form):
    """Living with a difference: what lives with it, who keeps an eye on it, until when."""

    decision = WordsField(
        label=_("Why it can stay"), help_text=_("And for which rows, where it is about years.")
    )
    downstream = ListField(
        label=_("Reports and systems that live with it"), help_text=_("Each by name, separated by commas.")
    )
    owner = PersonField(label=_("Who owns the gap that stays"))
    due = DayField(label=_("To be closed by"))

    def clean_due(self):
        """A day that has not passed."""
        due = self.cleaned_data["due"]
        if due < clock.today():
            raise forms.ValidationError("That day lies in the past.")
        return due
